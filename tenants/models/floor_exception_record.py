"""What is freed from a privacy floor for a while."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from tenants.models.app import App
from tenants.models.installation import Installation
from tenants.models.tenant import Tenant

__all__ = ["FloorExceptionRecord"]


class FloorExceptionRecord(models.Model):
    """One limit of the floor that does not hold in ``[starts_at, ends_at)`` for an app at a tenant.

    ``installation`` narrows it to one environment. ``document`` is the canonical document of the core's
    ``FloorException``. Nothing has to happen for it to end. Revoked before it started, it ends where it starts.
    """

    # No index of its own: the index below begins with the tenant.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="floor_exceptions", db_index=False, editable=False
    )
    # No index of its own: exceptions are found by tenant first.
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False)
    # No index of its own, see above.
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    document = models.TextField(help_text="Canonical JSON.", editable=False)
    reason = models.TextField(max_length=4000, editable=False)
    # Indexes of both: "what starts or ends next, anywhere".
    starts_at = models.DateTimeField(db_index=True, editable=False)
    ends_at = models.DateTimeField(db_index=True, editable=False)
    granted_by_label = models.CharField("granted by", max_length=200, editable=False)
    granted_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_by_label = models.CharField("revoked by", max_length=200, blank=True, default="", editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "floor exception"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="tenants_exception_in_order"),
        ]
        indexes = [
            # What is free at an installation now, and what ends there next.
            models.Index(fields=["tenant", "app", "ends_at"], name="tenants_exception_by_end"),
        ]

    def __str__(self) -> str:
        return f"Exception {self.pk} for {self.app} at {self.tenant}"

    def state_at(self, instant: datetime) -> str:
        """``planned``, ``live``, ``ended`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        if instant < self.starts_at:
            return "planned"
        return "live" if instant < self.ends_at else "ended"
