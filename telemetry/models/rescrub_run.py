"""Hiding what was stored openly, at one installation."""

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["WORKED_ON", "RescrubMark", "RescrubRun", "RescrubState"]


class RescrubState(models.TextChoices):
    """Where a run stands: counted, then, on a person's word, hidden, and looked at once more.

    ``nothing``: the count found nothing to hide.
    """

    COUNTING = "counting", "Counting"
    READY = "ready", "Waits for a decision"
    RUNNING = "running", "Running"
    CHECKING = "checking", "Checking"
    DONE = "done", "Done"
    NOTHING = "nothing", "Nothing to hide"
    CANCELLED = "cancelled", "Cancelled"


# What a worker carries on.
WORKED_ON = (RescrubState.COUNTING, RescrubState.RUNNING, RescrubState.CHECKING)
_OPEN = (*WORKED_ON, RescrubState.READY)


class RescrubRun(models.Model):
    """What the rules of today hide in events that were stored before, and how far that is done.

    ``found`` and ``changed`` are ``{"store": {"name@version": rows}, "archive": ..., "quarantine": ..., "held": ...}``:
    what the count found, and what was hidden, counted in the transactions that hid it; ``held`` ones stay as they are,
    because of a legal hold. ``left`` is what the last look found. ``position`` is where to go on. A run in hand is not
    due before ``step_due_at``: whoever took it may have been killed. ``reason`` is a word of ours: ``config`` for a
    config that hides more, or ``asked``. ``trouble`` is what stopped the last step.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of its own: those below begin with the installation.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=20, choices=RescrubState.choices, default=RescrubState.COUNTING)
    reason = models.CharField(max_length=20)
    config_revision = models.PositiveBigIntegerField()
    position = models.JSONField(default=dict)
    found = models.JSONField(default=dict)
    changed = models.JSONField(default=dict)
    left = models.JSONField(default=dict)
    trouble = models.CharField(max_length=200, blank=True, default="")
    asked_by = models.CharField(max_length=200)
    started_by = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    counted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    step_due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Two who ask at once get the same run.
            models.UniqueConstraint(
                fields=["installation"], condition=models.Q(state__in=_OPEN), name="telemetry_rescrub_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RescrubState.values), name="telemetry_rescrub_state_known"
            ),
        ]
        indexes = [
            # The runs of an installation, newest first.
            models.Index(fields=["installation", "-id"], name="telemetry_rescrub_by_place"),
            # What a worker can carry on.
            models.Index(fields=["step_due_at"], condition=models.Q(state__in=WORKED_ON), name="telemetry_rescrub_due"),
        ]

    def __str__(self) -> str:
        return f"re-scrub {self.pk}"


class RescrubMark(models.Model):
    """Up to which config an installation's stored events are known to be hidden, or to be in a run."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.OneToOneField(Installation, on_delete=models.PROTECT, related_name="+")
    config_revision = models.PositiveBigIntegerField()
    looked_at = models.DateTimeField()

    class Meta:
        ordering = ["installation"]

    def __str__(self) -> str:
        return f"re-scrub mark of {self.installation_id}"
