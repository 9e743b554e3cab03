"""Published versions are final in the database itself: only their status may change, and none is ever removed."""

from django.db import migrations

from tenants.immutability import Frozen

FINAL = [
    "id",
    "spec_id",
    "version",
    "document",
    "checksum",
    "change_summary",
    "published_by_label",
    "published_by_id",
    "published_at",
    "based_on_id",
]


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial"), ("tenants", "0006_immutability")]

    operations = [Frozen("SpecVersion", FINAL)]
