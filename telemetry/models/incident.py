"""The open case of a rule that is breached, and all that happened to it."""

from datetime import datetime

from django.conf import settings
from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["Incident", "IncidentEntry", "IncidentEntryKind", "IncidentStatus", "RegenerationRequest"]


class IncidentStatus(models.TextChoices):
    """Where a case stands. Acknowledged and muted ones still grow and resolve by themselves."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    MUTED = "muted", "Muted"
    RESOLVED = "resolved", "Resolved"


class Incident(models.Model):
    """One breach that lasts: of one rule, at one event of one installation. It grows until it is resolved.

    ``first_window`` is where the first window in breach starts, ``last_breach_at`` where the last one ends.
    ``breaches`` counts windows; ``calm`` is the core's measure of how calm it has been since (see
    ``telemetry.core.anomaly.episodes``). ``peak_value`` is the value of the worst window, by ``peak_score``.
    ``alert_words`` are what may be told of it outside: no number that was computed from values of a property.
    ``group`` is the earliest incident of the same installation that was open when this one began.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    rule = models.CharField(max_length=200)
    rule_words = models.CharField(max_length=300)
    minutes = models.PositiveIntegerField()
    actions = models.JSONField(default=list)
    side = models.CharField(max_length=4)
    status = models.CharField(max_length=20, choices=IncidentStatus.choices, default=IncidentStatus.OPEN)
    first_window = models.DateTimeField()
    last_breach_at = models.DateTimeField()
    breaches = models.PositiveIntegerField(default=1)
    calm = models.PositiveSmallIntegerField(default=0)
    peak_value = models.FloatField(null=True)
    peak_score = models.FloatField(default=0.0)
    peak_words = models.CharField(max_length=300)
    alert_words = models.CharField(max_length=300, blank=True, default="")
    config_revision = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField()
    muted_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="related")

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            # One open case per installation, event and rule; also the index that finds it.
            models.UniqueConstraint(
                fields=["installation", "event_name", "event_version", "rule"],
                condition=~models.Q(status="resolved"),
                name="telemetry_incident_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=IncidentStatus.values), name="telemetry_incident_status_known"
            ),
        ]
        indexes = [
            # The page of a tenant, the newest first.
            models.Index(fields=["tenant", "-opened_at"], name="telemetry_incident_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name}: {self.rule}"

    @property
    def is_open(self) -> bool:
        """Whether it still grows."""
        return self.status != IncidentStatus.RESOLVED

    def is_muted(self, now: datetime) -> bool:
        """Whether nobody is told of it at that instant."""
        return self.status == IncidentStatus.MUTED and self.muted_until is not None and self.muted_until > now


class IncidentEntryKind(models.TextChoices):
    """What can happen to a case."""

    OPENED = "opened", "Opened"
    RESOLVED = "resolved", "Resolved"
    AMENDED = "amended", "Amended"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    ASSIGNED = "assigned", "Assigned"
    COMMENTED = "commented", "Commented"
    MUTED = "muted", "Muted"
    UNMUTED = "unmuted", "Unmuted"


class IncidentEntry(models.Model):
    """One thing that happened to a case, or was said about it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Index: "all that happened to this case".
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=20, choices=IncidentEntryKind.choices)
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=200, blank=True, default="")
    text = models.CharField(max_length=2000, blank=True, default="")

    class Meta:
        verbose_name_plural = "incident entries"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%dT%H:%M}"


class RegenerationRequest(models.Model):
    """A rule asked for its spec to be looked at: one per incident, kept until the regenerator takes it up."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="regeneration_request")
    requested_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["requested_at", "id"]
        indexes = [
            # "What waits", in the order of asking.
            models.Index(
                fields=["requested_at"], condition=models.Q(taken_at=None), name="telemetry_regeneration_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"requested {self.requested_at:%Y-%m-%dT%H:%M}"
