"""What was received of each event, by the day: the sum of its merged tallies."""

from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["EventDay"]


class EventDay(models.Model):
    """The counts of one event on one day (UTC, by when it came), as far as its tallies are merged.

    A count of the whole day adds the tallies that are not merged yet, see ``telemetry.selectors.balance``. Kept when
    the tallies are long gone. ``name`` and ``version`` as in ``EventTally``.
    """

    # No index of its own: rows are found by installation or by name.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    name = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField()
    received = models.PositiveBigIntegerField()
    stored = models.PositiveBigIntegerField()
    sampled_out = models.PositiveBigIntegerField()
    disabled = models.PositiveBigIntegerField()
    rejected = models.PositiveBigIntegerField()
    duplicate = models.PositiveBigIntegerField()
    violating = models.PositiveBigIntegerField()
    skewed = models.PositiveBigIntegerField()
    last_received_at = models.DateTimeField()

    class Meta:
        ordering = ["-day"]
        indexes = [
            # "How many of these events came in the last weeks, at all installations": catalog and editor.
            models.Index(fields=["name", "day"], name="telemetry_day_by_name"),
        ]
        constraints = [
            # Also the index for "all events of this installation in these days".
            models.UniqueConstraint(fields=["installation", "day", "name", "version"], name="telemetry_day_once"),
            models.CheckConstraint(
                condition=models.Q(
                    received=models.F("stored")
                    + models.F("sampled_out")
                    + models.F("disabled")
                    + models.F("rejected")
                    + models.F("duplicate")
                ),
                name="telemetry_day_balances",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.day}"
