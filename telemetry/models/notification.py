"""One message to one alert channel: the row that is written with what it tells of, and that it is not lost without."""

import uuid
from typing import Final

from django.db import models
from django.utils import timezone

from telemetry.models.alert_channel import AlertChannel
from telemetry.models.incident import Incident, IncidentEntry
from tenants.models import Tenant

__all__ = ["INCIDENT_KINDS", "Notification", "NotificationKind", "NotificationState"]


class NotificationKind(models.TextChoices):
    """What is told: a transition of an incident, or one of the studio's own matters."""

    OPENED = "opened", "Opened"
    REOPENED = "reopened", "Open again"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"
    DIGEST = "digest", "Summary"
    TEST = "test", "Test"
    LATE = "late", "Anomalies are not judged"
    ON_TIME = "on_time", "Anomalies are judged again"


# Those that tell of a transition of an incident.
INCIDENT_KINDS: Final = (
    NotificationKind.OPENED,
    NotificationKind.REOPENED,
    NotificationKind.ACKNOWLEDGED,
    NotificationKind.RESOLVED,
)


class NotificationState(models.TextChoices):
    """``gathered`` waits for a summary, ``summed_up`` is in one; ``withheld`` is never sent, for a ``reason``."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Given up"
    GATHERED = "gathered", "For the summary"
    SUMMED_UP = "summed_up", "In a summary"
    WITHHELD = "withheld", "Withheld"


class Notification(models.Model):
    """What a channel is told, was told, or would have been told.

    ``public_id`` goes out with each attempt, so that the other end can tell what it had before. ``facts`` are the words
    of the moment, of specs and counts and never of an event. A row in hand is not due again before ``due_at``; one that
    is gathered goes into the first summary after it. ``error`` is a word of ours, ``status`` the HTTP status.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The database ties it to the tenant as well. Index: those below begin with it.
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    # Index: "who was told of this incident".
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="notifications")
    entry = models.ForeignKey(IncidentEntry, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    # Index: "what is in this summary".
    digest = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="summed_up")
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    state = models.CharField(max_length=20, choices=NotificationState.choices, default=NotificationState.WAITING)
    reason = models.CharField(max_length=20, blank=True, default="")
    facts = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=40, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = "notification"
        ordering = ["-id"]
        constraints = [
            # One per transition and channel, whoever runs twice.
            models.UniqueConstraint(fields=["entry", "channel"], name="telemetry_notification_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=NotificationState.values), name="telemetry_notification_state_known"
            ),
        ]
        indexes = [
            # What is next for a channel, oldest first; and which channels have something to do.
            models.Index(
                fields=["channel", "id"], condition=models.Q(state="waiting"), name="telemetry_notification_waiting"
            ),
            # Which summaries are due.
            models.Index(fields=["due_at"], condition=models.Q(state="gathered"), name="telemetry_notification_gather"),
            # The page of a channel, the newest first.
            models.Index(fields=["channel", "-id"], name="telemetry_notification_recent"),
            # What is past its days.
            models.Index(fields=["created_at"], name="telemetry_notification_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.channel_id}"
