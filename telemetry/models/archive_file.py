"""A file of archived events, and where it stands."""

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["READABLE_STATES", "ArchiveFile", "ArchiveState"]


class ArchiveState(models.TextChoices):
    """``writing`` and ``verified`` files hold events that are in the store as well; ``kept`` ones hold the only copy.

    A file in one of the other states is of no use any more, and is deleted: ``restored`` when its events are back in
    the store, ``replaced`` when another file has taken its place, ``expired`` when its time is over, ``discarded`` when
    its events were never removed from the store.
    """

    WRITING = "writing", "Being written"
    VERIFIED = "verified", "Verified"
    KEPT = "kept", "Kept"
    RESTORED = "restored", "Restored"
    REPLACED = "replaced", "Replaced"
    EXPIRED = "expired", "Expired"
    DISCARDED = "discarded", "Discarded"


# Whoever looks for personal data looks into these.
READABLE_STATES = (ArchiveState.VERIFIED, ArchiveState.KEPT)


class ArchiveFile(models.Model):
    """Events of one installation in one retention class, received on the days of one partition.

    ``public_id`` names the file in the storage, see ``telemetry.stores.archive.keys``. ``run`` is what wrote it, in
    words of ours. What was measured stands in ``manifest``, the document beside the file; the columns that repeat some
    of it are for lists. ``expires_at`` is when the archive lets it go. ``removed_at``: nothing of it is in the storage
    any more.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of their own: the constraints and indexes below begin with them.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    retention_class = models.PositiveIntegerField()
    starts_on = models.DateField()
    run = models.CharField(max_length=80)
    state = models.CharField(max_length=20, choices=ArchiveState.choices, default=ArchiveState.WRITING)
    rows = models.PositiveBigIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    row_digest = models.CharField(max_length=64, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    received_from = models.DateTimeField(null=True)
    received_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    manifest = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ArchiveState.values), name="telemetry_archive_state_known"
            ),
        ]
        indexes = [
            # The files of an installation, newest day first; and those of one partition.
            models.Index(fields=["installation", "-starts_on", "-id"], name="telemetry_archive_by_day"),
            # What is past its time.
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state=ArchiveState.KEPT),
                name="telemetry_archive_by_expiry",
            ),
            # What is to be deleted, and what was never finished.
            models.Index(
                fields=["state", "created_at"],
                condition=models.Q(removed_at__isnull=True) & ~models.Q(state=ArchiveState.KEPT),
                name="telemetry_archive_to_remove",
            ),
        ]

    def __str__(self) -> str:
        return f"archive {self.public_id}"
