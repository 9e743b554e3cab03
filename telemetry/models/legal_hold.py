"""What must not be deleted, whatever its days or a person's wish say."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["LegalHold"]


class LegalHold(models.Model):
    """Events that stay until the hold is lifted: those to which every field applies that is set.

    ``installation`` unset means all of the tenant's. ``event_name`` empty means every event. ``subjects`` are keyed
    pseudonyms of one person, one per epoch of the tenant's key; empty means everybody. ``starts_at`` and ``ends_at``
    bound when events happened or came, half-open; unset means no bound. ``reason`` names the case, and no person.
    """

    # No index of their own: active holds are few, and read all at once.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    event_name = models.CharField(max_length=200, blank=True, default="")
    subjects = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=400)
    placed_at = models.DateTimeField(default=timezone.now)
    placed_by = models.CharField(max_length=200)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=200, blank=True, default="")
    lifted_because = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        ordering = ["-placed_at", "-id"]
        indexes = [
            # "The holds in force", of one tenant or of all.
            models.Index(fields=["tenant"], condition=models.Q(lifted_at__isnull=True), name="telemetry_hold_in_force"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True)
                | models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="telemetry_hold_time_order",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def is_active(self) -> bool:
        """Whether it still holds anything."""
        return self.lifted_at is None
