"""One way in which events of an installation are not as planned, counted over all of them."""

from django.db import models

from telemetry.core.paths import key_of
from tenants.models import Installation, Tenant

__all__ = ["ViolationDay", "ViolationRecord", "ViolationState"]


class ViolationState(models.TextChoices):
    """What people have decided about it. Open again are resolved ones that come back; muted ones stay muted."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"
    MUTED = "muted", "Muted"


class ViolationRecord(models.Model):
    """A group of violations: of one event, at one place in it, of one kind, from one version of the app.

    ``path`` is the violation's (``properties.step``); ``event_name`` is empty for names that are no event's and may be
    data, ``app_version`` when the client does not say. Where an installation has more groups than are kept, all of them
    are empty and the row counts the rest. ``count`` is exact, and counts events that are no duplicates. ``sample`` is
    the outline of the first such event: names, types and sizes, never a value. ``resolved_in`` is the version of the
    app in which it is mended; while older ones send it still, it ``stays_resolved``.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200, blank=True)
    event_version = models.PositiveIntegerField(null=True)
    path = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40, blank=True)
    app_version = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=300, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    sample = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=ViolationState.choices, default=ViolationState.OPEN)
    resolved_in = models.CharField(max_length=64, blank=True, default="")
    stays_resolved = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by_label = models.CharField(max_length=200, blank=True, default="")
    reopened_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "violation"
        ordering = ["-last_seen_at", "-id"]
        constraints = [
            # Also the index for "all groups of this installation" and "of this event".
            models.UniqueConstraint(
                fields=["installation", "event_name", "path", "code", "app_version"], name="telemetry_violation_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=ViolationState.values), name="telemetry_violation_state_known"
            ),
        ]
        indexes = [
            # The page of a tenant, or of all of them, what came last first.
            models.Index(fields=["tenant", "-last_seen_at"], name="telemetry_violation_by_time"),
        ]

    def __str__(self) -> str:
        return " ".join(word for word in (self.event_name, self.path) if word) or "other violations"

    @property
    def property_name(self) -> str:
        """The name of the property, or of the context's key, that it is about; empty if it is about none."""
        return key_of("properties", self.path) or key_of("context.metadata", self.path) or ""


class ViolationDay(models.Model):
    """How many events of a group came on one day, by our clock in UTC."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Index: the unique constraint below begins with it.
    violation = models.ForeignKey(ViolationRecord, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["violation", "day"], name="telemetry_violation_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"
