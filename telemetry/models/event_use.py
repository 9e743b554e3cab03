"""Who reads stored events, and how far back: what retention is measured by."""

from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["EventUse"]


class EventUse(models.Model):
    """How often an event was read at an installation on one day (UTC), and how old the oldest of what was read was."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    day = models.DateField()
    reads = models.PositiveIntegerField(default=0)
    oldest_seconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["installation", "event_name", "event_version", "day"], name="telemetry_use_once"
            ),
        ]
        indexes = [
            # "What was read in the last weeks", and what is old enough to go.
            models.Index(fields=["day"], name="telemetry_use_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name}@{self.event_version} {self.day}"
