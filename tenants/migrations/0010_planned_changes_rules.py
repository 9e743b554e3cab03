"""Periods and exceptions are their tenant's, and what was decided in the past stays as it was decided."""

from django.db import migrations

from tenants.immutability import AppendOnly, Frozen
from tenants.isolation import IsolateTenants, SameTenant

PERIOD = ["installation_id", "tenant_id", "config_id", "starts_at", "planned_by_label", "planned_at"]
EXCEPTION = [
    "tenant_id",
    "app_id",
    "installation_id",
    "document",
    "reason",
    "starts_at",
    "granted_by_label",
    "granted_at",
]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_planned_changes")]

    operations = [
        IsolateTenants("ConfigPeriod"),
        IsolateTenants("FloorExceptionRecord"),
        IsolateTenants("ConfigChange", or_readable_when="tenant_id IS NULL"),
        SameTenant("ConfigPeriod"),
        SameTenant("FloorExceptionRecord"),
        Frozen("ConfigPeriod", PERIOD),
        Frozen("FloorExceptionRecord", EXCEPTION),
        AppendOnly("BlueprintVersion"),
        AppendOnly("FloorVersion"),
        AppendOnly("ConfigChange"),
    ]
