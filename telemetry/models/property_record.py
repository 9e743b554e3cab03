"""One property of an event of a draft."""

from django.db import models

from telemetry.core.enums import PropertyType, RedactionStrategy, TimeUnit
from telemetry.models.choices import choices_of, values_of
from telemetry.models.event_record import EventRecord
from telemetry.models.fields import DocumentField

__all__ = ["PropertyRecord"]


class PropertyRecord(models.Model):
    """One property definition while its spec is edited. ``pii`` null means unset, which is not the same as false."""

    event = models.ForeignKey(EventRecord, on_delete=models.CASCADE, related_name="properties")
    name = models.CharField(max_length=128)
    position = models.PositiveIntegerField(default=0)
    type = models.CharField(max_length=20, choices=choices_of(PropertyType))
    required = models.BooleanField(default=False)
    pii = models.BooleanField(null=True, blank=True)
    redact = models.BooleanField(default=False)
    redaction_strategy = models.CharField(max_length=20, choices=choices_of(RedactionStrategy), null=True, blank=True)
    redaction_length = models.PositiveIntegerField(null=True, blank=True)
    redaction_unit = models.CharField(max_length=10, choices=choices_of(TimeUnit), null=True, blank=True)
    redaction_bucket = models.FloatField(null=True, blank=True)
    description = models.TextField(blank=True, default="", max_length=4000)
    allowed_values = DocumentField(default=list, blank=True)
    unit = models.CharField(max_length=30, blank=True, default="")

    class Meta:
        verbose_name = "property"
        verbose_name_plural = "properties"
        ordering = ["position", "id"]
        constraints = [
            # Also the index for "the properties of these events".
            models.UniqueConstraint(fields=["event", "name"], name="telemetry_property_once_per_event"),
            models.CheckConstraint(
                condition=models.Q(type__in=values_of(PropertyType)), name="telemetry_property_type_known"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    redaction_strategy__isnull=True,
                    redaction_length__isnull=True,
                    redaction_unit__isnull=True,
                    redaction_bucket__isnull=True,
                )
                | models.Q(redaction_strategy__isnull=False, redaction_strategy__in=values_of(RedactionStrategy)),
                name="telemetry_property_redaction_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name
