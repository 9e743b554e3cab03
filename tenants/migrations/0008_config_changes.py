"""Keys, tenants and config revisions that are changed by hand move the config counter too."""

from django.db import migrations

from tenants.config_changes import MovesConfigCounter

CREATE = """
CREATE FUNCTION studio_move_config_counter() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('studio.config_bumped', true), '') = '' THEN
        INSERT INTO tenants_configrevisioncounter AS counter (id, value) VALUES (1, 1)
        ON CONFLICT (id) DO UPDATE SET value = counter.value + 1;
        PERFORM set_config('studio.config_bumped', 'yes', true);
        PERFORM pg_notify('studio_config', '');
    END IF;
    RETURN NULL;
END
$$
"""
DROP = "DROP FUNCTION studio_move_config_counter()"

KEY = ["lookup", "digest", "kind", "scopes", "expires_at", "revoked_at", "tenant_id", "installation_id", "user_id"]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_config_readers")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        MovesConfigCounter("ApiKey", KEY),
        MovesConfigCounter("Tenant", ["is_active"]),
        MovesConfigCounter("Installation", ["config_revision"]),
        MovesConfigCounter("App", ["config_revision"]),
        MovesConfigCounter("FloorRecord", ["config_revision"]),
    ]
