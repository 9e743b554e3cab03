"""Tenants' rows are seen and written only in their context.

Beyond the rule that all tables share: a person sees the own memberships, handles the own keys and the trace of what
they did to them; and a key is found by its lookup before its tenant is known.
"""

from django.db import migrations

from tenants.isolation import IsolateTenants

OWN_TRACE = (
    "tenant_id IS NULL AND actor_kind = 'user' AND actor_id = nullif(current_setting('studio.user_id', true), '')"
)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_tables")]

    operations = [
        IsolateTenants("Tenant", column="id"),
        IsolateTenants("Installation"),
        IsolateTenants(
            "ApiKey", or_when="studio_user_visible(user_id)", or_readable_when="studio_api_key_visible(lookup)"
        ),
        IsolateTenants("TenantAppConfig"),
        IsolateTenants("Membership", or_readable_when="studio_user_visible(user_id)"),
        IsolateTenants("AuditEntry", or_when=OWN_TRACE),
    ]
