"""What proves a purge, an archive, an erasure or a hold."""

from django.db import models

from tenants.models import Tenant

__all__ = ["Receipt", "ReceiptKind"]


class ReceiptKind(models.TextChoices):
    """What a receipt is about."""

    PURGE = "purge", "Purge"
    ARCHIVE = "archive", "Archive"
    ARCHIVE_EXPIRED = "archive_expired", "Archive expired"
    ERASURE = "erasure", "Erasure"
    RESCRUB = "rescrub", "Redacted after the fact"
    HOLD_PLACED = "hold_placed", "Hold placed"
    HOLD_LIFTED = "hold_lifted", "Hold lifted"


class Receipt(models.Model):
    """One link of a tenant's chain of receipts; ``telemetry.services.receipts`` alone adds them.

    The database refuses every update and removal. ``digest`` is the hash of a ``telemetry.core.receipts.ReceiptBody``,
    ``previous`` that of the receipt before it. ``signature`` is Ed25519 over the digest's bytes, ``public_key`` what it
    verifies under, both base64; the key stands in each row so that a new one does not orphan what is signed. ``facts``
    never hold personal data.
    """

    # No index of its own: the constraint below begins with the tenant.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=20, choices=ReceiptKind.choices)
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    facts = models.JSONField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    public_key = models.CharField(max_length=44)
    signature = models.CharField(max_length=88)

    class Meta:
        ordering = ["-sequence"]
        constraints = [
            # Also the index for "the receipts of this tenant, newest first".
            models.UniqueConstraint(fields=["tenant", "sequence"], name="telemetry_receipt_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ReceiptKind.values), name="telemetry_receipt_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence}"
