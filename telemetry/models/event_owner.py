"""Which spec defines an event, for all."""

from django.db import models

from telemetry.models.spec_record import SpecRecord

__all__ = ["EventOwner"]


class EventOwner(models.Model):
    """The spec that was first to publish an event name and version.

    The row stays while the spec has a version in use, so the same name and version never means two things.
    """

    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    spec = models.ForeignKey(SpecRecord, on_delete=models.CASCADE, related_name="owned_events")

    class Meta:
        verbose_name = "event owner"
        ordering = ["name", "version"]
        constraints = [
            # Also the index for "who owns these events".
            models.UniqueConstraint(fields=["name", "version"], name="telemetry_event_one_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
