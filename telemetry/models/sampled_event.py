"""A few events of each kind, kept for hours so that a change can be tried on them."""

from django.db import models

from telemetry.core.enums import EventOutcome
from telemetry.models.choices import choices_of
from tenants.models import Installation, Tenant

__all__ = ["SampledEvent"]


class SampledEvent(models.Model):
    """One event without anything that its rules hide and without ids of people, sealed.

    ``outcome`` is what became of it. ``event_version`` is 0 where no event of the config could be found. Readers pass
    over what has expired.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20, choices=choices_of(EventOutcome))
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            # "The latest of this event at this installation".
            models.Index(fields=["installation", "event_name", "-received_at"], name="telemetry_sample_by_event"),
            # What goes.
            models.Index(fields=["expires_at"], name="telemetry_sample_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name}@{self.event_version} {self.outcome}"
