"""What a spec says about refused events and about values that detectors recognise."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0007_config_changes")]

    operations = [
        migrations.AddField("SpecRecord", "quarantine_enabled", models.BooleanField(blank=True, null=True)),
        migrations.AddField("SpecRecord", "quarantine_days", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("SpecRecord", "mask_detected", models.BooleanField(blank=True, null=True)),
        migrations.AddConstraint(
            "SpecRecord",
            models.CheckConstraint(
                condition=models.Q(("quarantine_days__isnull", True), ("quarantine_enabled__isnull", False), _connector="OR"),
                name="telemetry_spec_quarantine_days_need_switch",
            ),
        ),
    ]
