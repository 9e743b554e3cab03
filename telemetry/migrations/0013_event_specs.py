"""Contracts of events, with which lint compares the events of drafts."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0012_privacy_findings")]

    operations = [
        migrations.CreateModel(
            name="EventSpecRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("version", models.PositiveIntegerField()),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("domain", models.CharField(blank=True, default="", max_length=100)),
                ("document", models.TextField(help_text="Canonical JSON.")),
                ("checksum", models.CharField(max_length=64)),
                ("imported_by_label", models.CharField(max_length=200, verbose_name="imported by")),
                ("imported_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "event spec",
                "ordering": ["name", "-version"],
                "indexes": [models.Index(fields=["domain"], name="telemetry_event_spec_domain")],
                "constraints": [
                    models.UniqueConstraint(fields=("name", "version"), name="telemetry_event_spec_once"),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="telemetry_event_spec_version_from_one"
                    ),
                ],
            },
        ),
    ]
