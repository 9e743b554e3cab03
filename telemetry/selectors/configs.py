"""What makes up the effective config of an installation, and the number that says whether it changed."""

from typing import NamedTuple

from django.db import connection

from telemetry.core.config import InstallationIdentity
from telemetry.core.enums import Environment
from telemetry.core.errors import NotFound

__all__ = ["ConfigLayers", "config_layers", "config_revision"]

# One statement sees one state of the database, so what it reads belongs together. An override's pointer stands for the
# blueprint's as a whole. The bound spec may be missing: its columns are null then.
BOUND = """
WITH bound AS (
    SELECT installation.id, installation.tenant_id, installation.app_id, installation.environment,
        app.slug AS app, app.blueprint, config.document AS override,
        coalesce(config.document::jsonb -> 'spec', app.blueprint::jsonb -> 'spec') AS pointer,
        greatest(
            installation.config_revision,
            app.config_revision,
            (SELECT max(floor.config_revision) FROM tenants_floorrecord floor
             WHERE floor.app_id IS NULL OR floor.app_id = installation.app_id)
        ) AS revision
    FROM tenants_installation installation
    JOIN tenants_app app ON app.id = installation.app_id
    LEFT JOIN tenants_tenantappconfig config
        ON config.installation_id = installation.id AND config.status = 'published'
    WHERE installation.id = %s
)
"""

REVISION = (
    BOUND
    + """
SELECT greatest(bound.revision, spec.config_revision)
FROM bound LEFT JOIN telemetry_specrecord spec ON spec.name = bound.pointer ->> 'name'
"""
)

LAYERS = (
    BOUND  # noqa: S608 - constants of this module only
    + """
SELECT greatest(bound.revision, spec.config_revision), tenant.slug, bound.app, bound.environment, tenant.sampling_salt,
    bound.blueprint, bound.override,
    ARRAY(SELECT floor.document FROM tenants_floorrecord floor
          WHERE floor.app_id IS NULL OR floor.app_id = bound.app_id ORDER BY floor.app_id NULLS FIRST),
    bound.pointer ->> 'name', (bound.pointer ->> 'version')::int, version.document,
    tenant.pseudonym_salt, tenant.pseudonym_epoch
FROM bound
JOIN tenants_tenant tenant ON tenant.id = bound.tenant_id
LEFT JOIN telemetry_specrecord spec ON spec.name = bound.pointer ->> 'name'
LEFT JOIN telemetry_specversion version ON version.spec_id = spec.id AND CASE
    WHEN bound.pointer ->> 'version' IS NULL THEN version.status = 'published'
    ELSE version.version = (bound.pointer ->> 'version')::int END
"""
)


class ConfigLayers(NamedTuple):
    """The documents behind one effective config, all of one moment, and the ``revision`` of that moment.

    Documents are canonical JSON. ``spec_name`` is ``None`` when neither override nor blueprint points at a spec,
    ``spec_version`` when the latest is wanted, ``spec_document`` when what is pointed at was never published. The last
    two go into the tenant's pseudonym key.
    """

    revision: int
    identity: InstallationIdentity
    blueprint: str
    override: str | None
    floors: tuple[str, ...]
    spec_name: str | None
    spec_version: int | None
    spec_document: str | None
    pseudonym_salt: str
    pseudonym_epoch: int


def config_revision(installation_id: int) -> int:
    """The number of the last committed change that can alter the installation's effective config; it never falls.

    The greatest of those of the installation, its app, their floors and the bound spec. ``NotFound``, also when the
    tenant context does not show the installation. One query, by primary and unique keys only.
    """
    with connection.cursor() as cursor:
        cursor.execute(REVISION, [installation_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such installation")
    return int(row[0])


def config_layers(installation_id: int) -> ConfigLayers:
    """Everything that the installation's effective config is made of, in one query; ``NotFound``."""
    with connection.cursor() as cursor:
        cursor.execute(LAYERS, [installation_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("there is no such installation")
    revision, tenant, app, environment, salt, blueprint, override, floors, *rest = row
    identity = InstallationIdentity(tenant=tenant, app=app, environment=Environment(environment), sampling_salt=salt)
    return ConfigLayers(revision, identity, blueprint, override, tuple(floors), *rest)
