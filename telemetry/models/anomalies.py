"""What anomaly rules judged, and how far they have come at each installation."""

from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["EvaluationState", "JudgedWindow"]


class EvaluationState(models.Model):
    """When an installation's rules are next to be judged. Its row is locked while somebody judges them.

    ``late_told_at`` is when its tenant was told that this does not happen, until it happens again.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.OneToOneField(Installation, on_delete=models.CASCADE, related_name="+")
    # Index: "who is due".
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    checked_at = models.DateTimeField(null=True)
    late_told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"due {self.due_at:%Y-%m-%dT%H:%M}"


class JudgedWindow(models.Model):
    """What one rule read in one window, and what it said; each window of a rule is there once.

    ``rule`` is the rule's name, or ``threshold:`` and the metric. ``value`` is null when there was nothing to read.
    ``breach`` is ``low`` or ``high``, empty for none; ``is_judged`` says whether there was enough to tell. A window of
    the time before the rule was first judged ``is_history``: it was measured for comparison, and raises nothing.
    ``judgements`` counts how often it was judged: again, when events came late.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    rule = models.CharField(max_length=200)
    minutes = models.PositiveIntegerField()
    start = models.DateTimeField()
    value = models.FloatField(null=True)
    sample = models.PositiveIntegerField(default=0)
    breach = models.CharField(max_length=4, blank=True, default="")
    is_judged = models.BooleanField(default=False)
    low = models.FloatField(null=True)
    expected = models.FloatField(null=True)
    high = models.FloatField(null=True)
    score = models.FloatField(default=0.0)
    words = models.CharField(max_length=300, blank=True, default="")
    is_history = models.BooleanField(default=False)
    judgements = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["start"]
        constraints = [
            # Also the index for "the windows of this rule in a span".
            models.UniqueConstraint(
                fields=["installation", "event_name", "event_version", "rule", "minutes", "start"],
                name="telemetry_window_once",
            ),
        ]
        indexes = [
            # "What is old enough to go".
            models.Index(fields=["start"], name="telemetry_window_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name}@{self.event_version} {self.rule} {self.start:%Y-%m-%dT%H:%M}"
