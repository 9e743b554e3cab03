"""A refused event that is held for some days, so that it can be mended and taken in after all."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from telemetry.core.enums import EventSource
from telemetry.models.choices import choices_of
from tenants.models import Installation, Tenant

__all__ = ["HeldEvent"]


class HeldEvent(models.Model):
    """An event as it was sent, sealed; what stands beside it holds none of its values.

    ``event_id`` is the id in safe form, under which it would be stored. ``event_name`` is empty for a name that may be
    data. ``reason`` says what was wrong, by kinds and places. ``subjects`` are the pseudonyms, under the tenant's key,
    of whom the event is about: what is to be erased is found by them. Readers pass over what has expired.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_id = models.UUIDField()
    event_name = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=400)
    source = models.CharField(max_length=20, choices=choices_of(EventSource))
    app_version = models.CharField(max_length=64, blank=True, default="")
    subjects = ArrayField(models.CharField(max_length=40), default=list)
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["received_at", "id"]
        constraints = [
            # An event that a client sends again is held once. Also the index for "how many does this one hold".
            models.UniqueConstraint(fields=["installation", "event_id"], name="telemetry_held_once"),
        ]
        indexes = [
            # The groups of the page, and the events of one group.
            models.Index(fields=["installation", "event_name", "reason"], name="telemetry_held_by_reason"),
            # What the purge takes.
            models.Index(fields=["expires_at"], name="telemetry_held_by_expiry"),
            # What is held of one person.
            GinIndex(fields=["subjects"], name="telemetry_held_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name or 'an event'} {self.event_id}"
