"""A spec's config revision that is changed by hand moves the config counter too."""

from django.db import migrations

from tenants.config_changes import MovesConfigCounter


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0006_event_store"), ("tenants", "0008_config_changes")]

    operations = [MovesConfigCounter("SpecRecord", ["config_revision"])]
