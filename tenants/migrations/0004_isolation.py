"""Tenants' rows are seen and written only in their context.

Beyond the rule that all tables share: a person sees the own memberships, handles the own keys and the trace of what
they did to them; and a key is found by its lookup before its tenant is known.
"""

from django.db import migrations

from tenants.isolation import IsolateTenants

OWN = "user_id = (SELECT studio_context_user())"
OWN_TRACE = "tenant_id IS NULL AND actor_kind = 'user' AND actor_id = (SELECT studio_context_user())::text"
BY_LOOKUP = "lookup = (SELECT studio_context_lookup())"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_tables")]

    operations = [
        IsolateTenants("Tenant", column="id"),
        IsolateTenants("Installation"),
        IsolateTenants("ApiKey", or_when=OWN, or_readable_when=BY_LOOKUP),
        IsolateTenants("TenantAppConfig"),
        IsolateTenants("Membership", or_readable_when=OWN),
        IsolateTenants("AuditEntry", or_when=OWN_TRACE),
    ]
