"""What makes up the effective config of an installation, and the number that says whether it changed.

What is planned for an instant holds from that instant on, by the database's clock, and is in the revision from then on:
no job has to run for it. ``docs/adr/0005-planned-changes.md`` says why, and what caches have to honour.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from telemetry.core.config import InstallationIdentity
from telemetry.core.enums import Environment
from telemetry.core.errors import NotFound
from tenants.planned_changes import EXCEPTIONS_OF_INSTALLATION, LIVE_PERIOD, MOMENT, PLANNED_CHANGES

__all__ = [
    "ConfigLayers",
    "Freshness",
    "config_freshness",
    "config_layers",
    "config_layers_of",
    "config_revision",
    "config_revisions",
    "layers_from_row",
    "select_layers",
]


def _bound(which: str) -> str:
    # One statement sees one state of the database, so what it reads belongs together. An override's pointer stands for
    # the blueprint's as a whole. The bound spec may be missing: its columns are null then. Planned changes are counted
    # only while something is due that no job has settled yet: otherwise the installation's own row says that there is
    # nothing.
    return f"""
WITH bound AS (
    SELECT installation.id, installation.tenant_id, installation.app_id, installation.environment, moment.at,
        app.slug AS app, app.blueprint, config.document AS override,
        coalesce(config.document::jsonb -> 'spec', app.blueprint::jsonb -> 'spec') AS pointer,
        greatest(
            installation.config_revision,
            app.config_revision,
            (SELECT max(floor.config_revision) FROM tenants_floorrecord floor
             WHERE floor.app_id IS NULL OR floor.app_id = installation.app_id)
        ) AS revision,
        CASE WHEN installation.next_change_at <= moment.at THEN (
            SELECT count(*) FROM ({PLANNED_CHANGES}) planned
            WHERE planned.at > installation.settled_at AND planned.at <= moment.at
        ) ELSE 0 END AS unsettled,
        CASE WHEN installation.next_change_at <= moment.at THEN (
            SELECT min(planned.at) FROM ({PLANNED_CHANGES}) planned WHERE planned.at > moment.at
        ) ELSE installation.next_change_at END AS valid_until
    FROM tenants_installation installation
    JOIN tenants_app app ON app.id = installation.app_id
    CROSS JOIN LATERAL ({MOMENT}) moment
    LEFT JOIN LATERAL ({LIVE_PERIOD}) live ON true
    LEFT JOIN tenants_tenantappconfig config ON config.id = live.config_id
    WHERE installation.id {which}
)
"""  # noqa: S608 - constants only


def _freshness(bound: str) -> str:
    return (
        bound
        + """
SELECT bound.id, greatest(bound.revision, spec.config_revision) + bound.unsettled,
    extract(epoch FROM bound.valid_until - bound.at)::float8
FROM bound LEFT JOIN telemetry_specrecord spec ON spec.name = bound.pointer ->> 'name'
"""
    )


BOUND = _bound("= %(id)s")
ONE, SOME = _freshness(BOUND), _freshness(_bound("= ANY(%(ids)s)"))


def select_layers(bound: str, *, spec_revision: str, floors: str, latest: str, known: str) -> str:
    """The statement that reads the layers of each row of ``bound``, as ``layers_from_row`` takes them.

    The texts say, in SQL: the number of the bound spec, the documents of the floors, which version of the spec is the
    latest, and whether one that is named can be known.
    """
    return f"""{bound}
SELECT greatest(installation.revision, {spec_revision}) + installation.unsettled,
    tenant.slug, installation.app, installation.environment, tenant.sampling_salt, installation.blueprint,
    installation.override, ARRAY({floors}),
    ARRAY(
        SELECT (exception.document::jsonb || jsonb_build_object('number', exception.id))::text
        FROM tenants_floorexceptionrecord exception
        WHERE {EXCEPTIONS_OF_INSTALLATION} AND exception.starts_at <= installation.at
            AND exception.ends_at > installation.at
        ORDER BY exception.id
    ),
    installation.pointer ->> 'name', (installation.pointer ->> 'version')::int, version.document,
    tenant.pseudonym_salt, tenant.pseudonym_epoch, installation.at, installation.valid_until, installation.id
FROM bound installation
JOIN tenants_tenant tenant ON tenant.id = installation.tenant_id
LEFT JOIN telemetry_specrecord spec ON spec.name = installation.pointer ->> 'name'
LEFT JOIN telemetry_specversion version ON version.spec_id = spec.id AND CASE
    WHEN installation.pointer ->> 'version' IS NULL THEN {latest}
    ELSE version.version = (installation.pointer ->> 'version')::int AND {known} END
"""  # noqa: S608 - constants only


def _layers(bound: str) -> str:
    return select_layers(
        bound,
        spec_revision="spec.config_revision",
        floors="""
            SELECT floor.document FROM tenants_floorrecord floor
            WHERE floor.app_id IS NULL OR floor.app_id = installation.app_id ORDER BY floor.app_id NULLS FIRST
        """,
        latest="version.status = 'published'",
        known="true",
    )


LAYERS, LAYERS_OF_SOME = _layers(BOUND), _layers(_bound("= ANY(%(ids)s)"))


class ConfigLayers(NamedTuple):
    """The documents behind one effective config, all of the instant ``at``, and the ``revision`` of that instant.

    Documents are canonical JSON. ``spec_name`` is ``None`` when neither override nor blueprint points at a spec,
    ``spec_version`` when the latest is wanted, ``spec_document`` when what is pointed at was never published.
    ``exceptions`` are those that are live. The pseudonym's two go into the tenant's pseudonym key. From ``valid_until``
    on something else may hold although nobody changes anything; ``None`` if nothing is planned.
    """

    revision: int
    identity: InstallationIdentity
    blueprint: str
    override: str | None
    floors: tuple[str, ...]
    exceptions: tuple[str, ...]
    spec_name: str | None
    spec_version: int | None
    spec_document: str | None
    pseudonym_salt: str
    pseudonym_epoch: int
    at: datetime
    valid_until: datetime | None
    installation_id: int


class Freshness(NamedTuple):
    """The revision of a config, and for how many seconds it holds if nobody changes anything; ``None``: for good."""

    revision: int
    seconds: float | None


def config_revision(installation_id: int) -> int:
    """The number of the last committed change that can alter the installation's effective config; it never falls.

    The greatest of those of the installation, its app, their floors and the bound spec, and one more for each planned
    change that is due and not settled. ``NotFound``, also when the tenant context does not show the installation. One
    query, by primary and unique keys and the first row of an index.
    """
    return config_freshness(installation_id).revision


def config_freshness(installation_id: int) -> Freshness:
    """``config_revision``, and how long it lasts: until the next planned change, counted from the statement's start."""
    with connection.cursor() as cursor:
        cursor.execute(ONE, {"id": installation_id})
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such installation")
    return Freshness(*row[1:])


def config_revisions(installation_ids: Collection[int]) -> dict[int, int]:
    """``config_revision`` of each that the tenant context shows, by row id; one query."""
    with connection.cursor() as cursor:
        cursor.execute(SOME, {"ids": list(installation_ids)})
        return {installation_id: revision for installation_id, revision, _ in cursor.fetchall()}


def config_layers(installation_id: int) -> ConfigLayers:
    """Everything that the installation's effective config is made of now, in one query; ``NotFound``."""
    with connection.cursor() as cursor:
        cursor.execute(LAYERS, {"id": installation_id})
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such installation")
    return layers_from_row(row)


def config_layers_of(installation_ids: Collection[int]) -> dict[int, ConfigLayers]:
    """``config_layers`` of each that the tenant context shows, by row id; one query."""
    with connection.cursor() as cursor:
        cursor.execute(LAYERS_OF_SOME, {"ids": list(installation_ids)})
        found = map(layers_from_row, cursor.fetchall())
        return {layers.installation_id: layers for layers in found}


def layers_from_row(row: tuple[Any, ...]) -> ConfigLayers:
    """The layers in a row of ``select_layers``."""
    revision, tenant, app, environment, salt, blueprint, override, floors, exceptions, *rest = row
    identity = InstallationIdentity(tenant=tenant, app=app, environment=Environment(environment), sampling_salt=salt)
    return ConfigLayers(revision, identity, blueprint, override, tuple(floors), tuple(exceptions), *rest)
