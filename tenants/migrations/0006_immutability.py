"""The audit trail only grows, a version that has left draft is final, and a sampling salt never changes."""

from django.db import migrations

from tenants.immutability import AppendOnly, Frozen

FINAL = ["installation_id", "tenant_id", "number", "document", "checksum", "based_on_id", "created_by_label", "created_at"]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_same_tenant")]

    operations = [
        AppendOnly("AuditEntry"),
        Frozen("TenantAppConfig", FINAL, when="OLD.status <> 'draft'"),
        Frozen("Tenant", ["sampling_salt"]),
    ]
