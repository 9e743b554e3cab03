"""What was received of each event, by the minute: exact counts, and sketches of what was in it."""

from typing import NamedTuple

from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["EventTally", "TallyCounts"]


class TallyCounts(NamedTuple):
    """The columns that are summed up; ``received`` is what the five after it come to."""

    received: int
    stored: int
    sampled_out: int
    disabled: int
    rejected: int
    duplicate: int
    violating: int
    skewed: int


class EventTally(models.Model):
    """Part of the count of one event in one minute: rows are appended per batch, summed by readers, merged later.

    ``minute`` is when the events happened, by our clock: what anomaly rules judge. ``received_minute`` is when they
    came: what the balance is drawn up by, because nothing is added to such a minute once it is over. ``name`` is empty,
    and ``version`` 0, for what no event of the config could be found for; this keeps made-up names from growing the
    table. ``violating`` counts events with any violation, ``skewed`` those whose sender's clock was corrected.
    ``detail`` is a ``telemetry.tallies.detail.TallyDetail`` in MessagePack.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    name = models.CharField(max_length=200, blank=True, default="")
    version = models.PositiveIntegerField()
    minute = models.DateTimeField()
    received_minute = models.DateTimeField()
    last_received_at = models.DateTimeField(default=timezone.now)
    received = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    sampled_out = models.PositiveIntegerField()
    disabled = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    duplicate = models.PositiveIntegerField()
    violating = models.PositiveIntegerField()
    skewed = models.PositiveIntegerField()
    is_merged = models.BooleanField(default=False)
    detail = models.BinaryField(null=True)

    class Meta:
        verbose_name_plural = "event tallies"
        ordering = ["-received_minute"]
        indexes = [
            # "This event at this installation in this window", and all of its events in a span.
            models.Index(fields=["installation", "name", "minute"], name="telemetry_tally_by_name"),
            # "What came to this installation in this span": the balance.
            models.Index(fields=["installation", "received_minute"], name="telemetry_tally_by_receipt"),
            # "What is still to be merged".
            models.Index(
                fields=["received_minute"], condition=models.Q(is_merged=False), name="telemetry_tally_unmerged"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    received=models.F("stored")
                    + models.F("sampled_out")
                    + models.F("disabled")
                    + models.F("rejected")
                    + models.F("duplicate")
                ),
                name="telemetry_tally_balances",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.minute:%Y-%m-%dT%H:%M}"
