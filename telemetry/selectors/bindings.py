"""Which apps and tenants obey a spec."""

from typing import NamedTuple

from django.db import connection

__all__ = ["Binding", "bindings_of"]

# Documents are canonical, so a pointer is an object or absent. An override binds from when it is planned until it has
# ended for good; the others do not bind anybody.
BINDINGS = """
SELECT 'the app ' || app.slug, (app.blueprint::jsonb #>> '{spec,version}')::int
FROM tenants_app app
WHERE app.blueprint::jsonb #>> '{spec,name}' = %(name)s
UNION ALL
SELECT tenant.slug || ' with ' || app.slug || ' in ' || installation.environment,
    (config.document::jsonb #>> '{spec,version}')::int
FROM tenants_tenantappconfig config
JOIN tenants_installation installation ON installation.id = config.installation_id
JOIN tenants_app app ON app.id = installation.app_id
JOIN tenants_tenant tenant ON tenant.id = installation.tenant_id
WHERE config.document::jsonb #>> '{spec,name}' = %(name)s AND EXISTS (
    SELECT FROM tenants_configperiod period
    WHERE period.config_id = config.id AND period.starts_at IS DISTINCT FROM period.ends_at
        AND (period.ends_at IS NULL OR period.ends_at > statement_timestamp())
)
ORDER BY 1
"""


class Binding(NamedTuple):
    """A blueprint, or a live or planned override, that names a spec; ``version`` ``None`` follows the latest."""

    label: str
    version: int | None


def bindings_of(spec_name: str) -> tuple[Binding, ...]:
    """Everything that points at the spec, apps first, as far as the tenant context shows it; one query."""
    with connection.cursor() as cursor:
        cursor.execute(BINDINGS, {"name": spec_name})
        return tuple(Binding(label, version) for label, version in cursor.fetchall())
