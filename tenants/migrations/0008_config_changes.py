"""Keys, tenants and config revisions that are changed by hand move the config counter too."""

from django.db import migrations

from tenants.config_changes import CREATE_FUNCTION, DROP_FUNCTION, MovesConfigCounter

KEY = ["lookup", "digest", "kind", "scopes", "expires_at", "revoked_at", "tenant_id", "installation_id", "user_id"]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_config_readers")]

    operations = [
        migrations.RunSQL(CREATE_FUNCTION, DROP_FUNCTION),
        MovesConfigCounter("ApiKey", KEY),
        MovesConfigCounter("Tenant", ["is_active"]),
        MovesConfigCounter("Installation", ["config_revision"]),
        MovesConfigCounter("App", ["config_revision"]),
        MovesConfigCounter("FloorRecord", ["config_revision"]),
    ]
