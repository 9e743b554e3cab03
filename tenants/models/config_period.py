"""From when to when a version of an override is in force."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from tenants.models.installation import Installation
from tenants.models.tenant import Tenant
from tenants.models.tenant_app_config import TenantAppConfig

__all__ = ["ConfigPeriod"]


class ConfigPeriod(models.Model):
    """A half-open span ``[starts_at, ends_at)`` in which a version is in force; without an end it is in force for good.

    Of all periods of an installation that hold an instant, the one that started last counts, so that a version with an
    end gives way to what it had covered. A period that was given up before it started is empty: it ends where it
    starts. Instants that have passed never change, so periods tell what was in force at any of them.
    """

    # No index of its own: the indexes below begin with the installation.
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="periods", db_index=False, editable=False
    )
    # No index of its own: it repeats the installation's tenant for row-level security.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False)
    # Index: "when was this version in force".
    config = models.ForeignKey(TenantAppConfig, on_delete=models.PROTECT, related_name="periods", editable=False)
    # Indexes of both: "what starts or ends next, anywhere".
    starts_at = models.DateTimeField(db_index=True, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    planned_by_label = models.CharField("planned by", max_length=200, editable=False)
    planned_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_by_label = models.CharField("ended by", max_length=200, blank=True, default="", editable=False)

    class Meta:
        verbose_name = "config period"
        ordering = ["installation", "-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")), name="tenants_period_in_order"
            ),
        ]
        indexes = [
            # What is in force at an installation, and what starts there next.
            models.Index(fields=["installation", "-starts_at", "-id"], name="tenants_period_by_start"),
            # What ends at an installation next.
            models.Index(fields=["installation", "ends_at"], name="tenants_period_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.config} from {self.starts_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_given_up(self) -> bool:
        """Whether it was given up before it started."""
        return self.ends_at == self.starts_at
