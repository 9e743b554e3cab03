"""Events as they are kept: redacted, laid out by how long they stay."""

from django.db import models
from django.db.models.functions import Now

from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.models.choices import choices_of
from tenants.models import Installation, Tenant

__all__ = ["StoredEvent"]


class LiveEvents(models.Manager["StoredEvent"]):
    """What is not past its day, also while the purge is late."""

    def get_queryset(self) -> "models.QuerySet[StoredEvent]":
        """The rows whose end is still to come."""
        return super().get_queryset().filter(expires_at__gt=Now())


class StoredEvent(models.Model):
    """One event after redaction. ``telemetry.stores`` alone writes these rows.

    The table is partitioned by ``retention_class``, then by ranges of ``received_at``, and has no unique key: the
    ledger (``EventClaim``) sees to it that no id is stored twice. The database checks no foreign key here, which would
    cost as much as storing the row; a row names its installation's tenant because ingest writes both.
    ``properties`` and ``context`` hold what may be shown; ``context`` has subjects as pseudonyms only.
    ``size_bytes`` is what the row counts for, see ``telemetry.stores.counts``; rows from before it was kept have none.
    ``objects`` leaves out what is past ``expires_at``; ``with_expired`` is for the purge.
    """

    id = models.UUIDField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    occurred_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    retention_class = models.PositiveIntegerField()
    privacy = models.CharField(max_length=20, choices=choices_of(PrivacyLevel))
    source = models.CharField(max_length=20, choices=choices_of(EventSource))
    app_version = models.CharField(max_length=64, null=True)
    inclusion_probability = models.FloatField()
    config_revision = models.PositiveBigIntegerField()
    properties = models.JSONField()
    context = models.JSONField()
    size_bytes = models.IntegerField(null=True)

    objects = LiveEvents()
    with_expired = models.Manager["StoredEvent"]()

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            # "The events of this installation, or those of one name, in this span of time"; erasure and live view too.
            models.Index(fields=["installation", "name", "received_at"], name="telemetry_stored_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.id}"
