"""One message about an accepted proposal to the web hook: the row that is written with the acceptance."""

import uuid

from django.db import models
from django.utils import timezone

from telemetry.models.proposal import Proposal
from tenants.models import Tenant

__all__ = ["NoticeState", "ProposalNotice"]


class NoticeState(models.TextChoices):
    """What became of it."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Given up"


class ProposalNotice(models.Model):
    """What the web hook is told, or was told.

    ``public_id`` goes out with each attempt, so that the other end can tell what it had before. ``body`` is the message
    as it was at the acceptance: words and documents of ours, never an event. A row in hand is not due again before
    ``due_at``. ``error`` is a word of ours, ``status`` the HTTP status.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # Index: "what was told of this proposal".
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="notices")
    body = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=NoticeState.choices, default=NoticeState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=40, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=NoticeState.values), name="telemetry_notice_state_known"
            ),
        ]
        indexes = [
            # What is to be sent next.
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="telemetry_notice_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.created_at:%Y-%m-%dT%H:%M}"
