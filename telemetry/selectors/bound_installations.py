"""Installations as far as the tenant context shows them, by what makes their configs: those that have it in common.

All that are bound to a spec, or all that obey the floor of an app or of the organisation.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from tenants.planned_changes import EXCEPTIONS_OF_INSTALLATION, LIVE_CONFIGS

__all__ = ["BoundGroup", "BoundInstallation", "bound_groups", "bound_installations", "governed_groups"]

# An override's pointer stands for the blueprint's as a whole, as in ``selectors.configs``. Installations of one app
# whose overrides have the same checksum have the same config. An override is read from its row only if it has a
# pointer of its own, which is rare: reading ten thousand documents takes longer than everything else here.
BOUND = (
    """
WITH freed AS (
    SELECT installation.id, jsonb_agg(exception.document::jsonb ORDER BY exception.id)::text AS exceptions
    FROM tenants_installation installation
    JOIN tenants_floorexceptionrecord exception ON """  # noqa: S608 - constants only
    + EXCEPTIONS_OF_INSTALLATION
    + """
    WHERE exception.starts_at <= statement_timestamp() AND exception.ends_at > statement_timestamp()
    GROUP BY 1
), bound AS (
    SELECT installation.id, installation.public_id, installation.tenant_id, installation.environment,
        installation.app_id, config.id AS config_id, coalesce(freed.exceptions, '[]') AS exceptions,
        coalesce(config.checksum, '') || coalesce(':' || md5(freed.exceptions), '') AS checksum,
        CASE WHEN config.document LIKE '{"spec":%%' THEN config.document::jsonb -> 'spec'
            ELSE app.blueprint::jsonb -> 'spec' END AS pointer
    FROM tenants_installation installation
    JOIN tenants_app app ON app.id = installation.app_id
    LEFT JOIN ("""
    + LIVE_CONFIGS
    + """) live ON live.installation_id = installation.id
    LEFT JOIN tenants_tenantappconfig config ON config.id = live.config_id
    LEFT JOIN freed ON freed.id = installation.id
)
"""
)

OF_SPEC = "pointer ->> 'name' = %(name)s"
OF_FLOOR = "%(app)s::bigint IS NULL OR app_id = %(app)s"


def _groups_where(condition: str) -> str:
    return (
        BOUND  # noqa: S608 - constants of this module only
        + """
, alike AS (
    SELECT app_id, checksum, pointer ->> 'name' AS spec_name, (pointer ->> 'version')::int AS spec_version,
        count(*) AS installations, min(config_id) AS config_id, min(exceptions) AS exceptions
    FROM bound WHERE """
        + condition
        + """
    GROUP BY 1, 2, 3, 4
)
, app AS MATERIALIZED (
    SELECT app.id, app.slug, app.blueprint,
        ARRAY(SELECT floor.document FROM tenants_floorrecord floor
              WHERE floor.app_id IS NULL OR floor.app_id = app.id ORDER BY floor.app_id NULLS FIRST) AS floors
    FROM tenants_app app WHERE app.id IN (SELECT app_id FROM alike)
)
SELECT alike.app_id, alike.checksum, alike.spec_name, alike.spec_version, alike.installations, app.blueprint,
    config.document, app.floors, alike.exceptions
FROM alike
JOIN app ON app.id = alike.app_id
LEFT JOIN tenants_tenantappconfig config ON config.id = alike.config_id
ORDER BY alike.installations DESC, app.slug, alike.checksum
"""
    )


# Ranks come as one JSON object by group: joined with the rows as a table of their own, thousands of groups took a
# minute, because the planner expects a handful of installations and goes through all groups for each.
PAGE = (
    BOUND
    + """
SELECT bound.public_id, tenant.slug, app.slug, bound.environment, place.rank
FROM bound
CROSS JOIN LATERAL (SELECT (%(ranks)s::jsonb ->> (bound.app_id || ':' || bound.checksum))::int AS rank) place
JOIN tenants_tenant tenant ON tenant.id = bound.tenant_id
JOIN tenants_app app ON app.id = bound.app_id
WHERE place.rank IS NOT NULL
ORDER BY place.rank, tenant.slug, app.slug, bound.environment
LIMIT %(limit)s OFFSET %(offset)s
"""
)


class BoundGroup(NamedTuple):
    """Installations of one app with the same override and exceptions, and the documents that make their config."""

    app_id: int
    checksum: str
    spec_name: str | None
    spec_version: int | None
    installations: int
    blueprint: str
    override: str | None
    floors: list[str]
    exceptions: str

    @property
    def is_pinned(self) -> bool:
        """Whether the pointer names a version, so that no later one changes anything for them."""
        return self.spec_version is not None


class BoundInstallation(NamedTuple):
    """An installation, named as people know it, and the ``rank`` of its group in the question."""

    public_id: UUID
    tenant: str
    app: str
    environment: str
    rank: int


def bound_groups(spec_name: str) -> tuple[BoundGroup, ...]:
    """The installations that are bound to the spec, those that are most first; one query."""
    return _groups(_groups_where(OF_SPEC), {"name": spec_name})


def governed_groups(app_id: int | None) -> tuple[BoundGroup, ...]:
    """The installations that obey the floor of the app, or of the organisation for ``None``, as ``bound_groups``."""
    return _groups(_groups_where(OF_FLOOR), {"app": app_id})


def _groups(query: str, parameters: Mapping[str, str | int | None]) -> tuple[BoundGroup, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return tuple(BoundGroup(*row) for row in cursor.fetchall())


def bound_installations(
    ranked: Sequence[tuple[BoundGroup, int]], *, limit: int, offset: int
) -> tuple[BoundInstallation, ...]:
    """A part of the installations of these groups, by rank, then by name; one query."""
    ranks = {f"{group.app_id}:{group.checksum}": rank for group, rank in ranked}
    with connection.cursor() as cursor:
        cursor.execute(PAGE, {"ranks": json.dumps(ranks), "limit": limit, "offset": offset})
        return tuple(BoundInstallation(*row) for row in cursor.fetchall())
