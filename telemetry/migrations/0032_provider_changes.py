"""What decides whether a provider may have an event moves the config counter, so that ingest may remember it."""

from django.db import migrations

from tenants.config_changes import MovesConfigCounter


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0031_delta_slots"), ("tenants", "0008_config_changes")]

    operations = [
        MovesConfigCounter("ProviderRecord", ["installation_id", "kind", "is_enabled", "highest_level"], additions=True)
    ]
