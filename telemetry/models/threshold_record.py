"""One threshold of an event of a draft."""

from django.db import models

from telemetry.models.event_record import EventRecord

__all__ = ["ThresholdRecord"]


class ThresholdRecord(models.Model):
    """Bounds of one metric while its spec is edited; the event's anomaly switch is set when it has thresholds."""

    event = models.ForeignKey(EventRecord, on_delete=models.CASCADE, related_name="thresholds")
    position = models.PositiveIntegerField(default=0)
    metric = models.CharField(max_length=128)
    min = models.FloatField(null=True, blank=True)
    max = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = "threshold"
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(min__isnull=False) | models.Q(max__isnull=False),
                name="telemetry_threshold_has_bound",
            ),
        ]

    def __str__(self) -> str:
        return self.metric
