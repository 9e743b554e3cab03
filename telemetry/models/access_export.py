"""What is stored about one person, put together for them to have, and gone after some days."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from telemetry.models.erasure_request import PSEUDONYM_LENGTH
from tenants.models import Tenant

__all__ = ["AccessExport", "AccessPart", "ExportState"]


class ExportState(models.TextChoices):
    """``ready``: may be downloaded until its end. ``expired``: its content is gone, by its end or by an erasure."""

    COLLECTING = "collecting", "Collecting"
    READY = "ready", "Ready"
    EXPIRED = "expired", "Expired"


class AccessExport(models.Model):
    """An access request at one tenant; those that were entered together share ``case_id``.

    ``pseudonyms`` and ``probe_epoch`` as in ``ErasureRequest``. ``position`` is how far the pass has come.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case_id = models.UUIDField(default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=20, choices=ExportState.choices, default=ExportState.COLLECTING)
    reference = models.CharField(max_length=64, blank=True, default="")
    pseudonyms = ArrayField(models.CharField(max_length=PSEUDONYM_LENGTH))
    probe_epoch = models.PositiveIntegerField()
    position = models.JSONField(default=dict)
    events = models.PositiveIntegerField(default=0)
    downloads = models.PositiveIntegerField(default=0)
    created_by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "access export"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["id", "tenant"], name="telemetry_access_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(state__in=ExportState.values), name="telemetry_access_state_known"
            ),
        ]
        indexes = [
            # A tenant's exports, the newest first.
            models.Index(fields=["tenant", "-id"], name="telemetry_access_by_tenant"),
            # What is to be collected, and what is over.
            models.Index(fields=["state", "expires_at"], name="telemetry_access_by_state"),
        ]

    def __str__(self) -> str:
        return f"access export {str(self.public_id)[:8]}"


class AccessPart(models.Model):
    """Some of an export's events, sealed: a JSON list."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    export = models.ForeignKey(AccessExport, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    events = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        ordering = ["export", "number"]
        constraints = [
            # Also the index for "the parts of this export, in order".
            models.UniqueConstraint(fields=["export", "number"], name="telemetry_access_part_once"),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.export_id}"
