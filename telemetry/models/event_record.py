"""One event of a draft."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from telemetry.core.enums import AnomalyAction, PrivacyLevel, RetentionPolicy
from telemetry.models.choices import choices_of, values_of
from telemetry.models.fields import DocumentField
from telemetry.models.spec_record import SpecRecord

__all__ = ["EventRecord"]

# The longest condition that the core accepts.
CONDITION_LENGTH = 1000


class EventRecord(models.Model):
    """One event definition while its spec is edited; properties and thresholds are rows of their own.

    Groups of columns that are null together stand for a part that the document leaves out: retention, sampling,
    anomaly detection, deprecation. ``anomaly_rules`` and ``lint_opt_outs`` are the document's lists. ``property_count``
    is there when ``selectors.events.search_events`` gave the row. ``search_text`` is what
    ``telemetry.core.search_text`` makes of the event; ``finding_count`` says how many errors and warnings lint found in
    it when the draft was last saved, null if it was never linted.
    """

    property_count: int

    spec = models.ForeignKey(SpecRecord, on_delete=models.CASCADE, related_name="events")
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    position = models.PositiveIntegerField(default=0)
    semantics_what = models.CharField("what", max_length=200)
    semantics_who = models.TextField("who", blank=True, default="", max_length=4000)
    semantics_why = models.TextField("why", blank=True, default="", max_length=4000)
    privacy = models.CharField(max_length=20, choices=choices_of(PrivacyLevel))
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    retention_policy = models.CharField(max_length=20, choices=choices_of(RetentionPolicy), null=True, blank=True)
    sampling_rate = models.FloatField(null=True, blank=True)
    sampling_conditions = ArrayField(models.CharField(max_length=CONDITION_LENGTH), blank=True, default=list)
    anomaly_enabled = models.BooleanField(null=True, blank=True)
    anomaly_minimum_sample = models.PositiveIntegerField(null=True, blank=True)
    anomaly_actions = ArrayField(
        models.CharField(max_length=20, choices=choices_of(AnomalyAction)), blank=True, default=list
    )
    anomaly_rules = DocumentField(default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=64), blank=True, default=list)
    owners = ArrayField(models.CharField(max_length=100), blank=True, default=list)
    review_by = models.DateField(null=True, blank=True)
    deprecation_reason = models.TextField(null=True, blank=True, max_length=1000)
    deprecation_replaced_by = models.CharField(max_length=211, null=True, blank=True)
    lint_opt_outs = DocumentField(default=list, blank=True)
    search_text = models.TextField(blank=True, default="", editable=False)
    finding_count = models.PositiveIntegerField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "event"
        ordering = ["position", "id"]
        constraints = [
            # Also the index for "the events of this draft, by name".
            models.UniqueConstraint(fields=["spec", "name", "version"], name="telemetry_event_once_per_spec"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="telemetry_event_version_from_one"),
            models.CheckConstraint(
                condition=models.Q(privacy__in=values_of(PrivacyLevel)), name="telemetry_event_privacy_known"
            ),
            models.CheckConstraint(
                condition=models.Q(retention_days__isnull=True, retention_policy__isnull=True)
                | models.Q(
                    # Said outright: what compares with null is unknown, and a check lets the unknown pass.
                    retention_days__isnull=False,
                    retention_days__gte=1,
                    retention_policy__isnull=False,
                    retention_policy__in=values_of(RetentionPolicy),
                ),
                name="telemetry_event_retention_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(sampling_rate__isnull=True, sampling_conditions=[])
                | models.Q(sampling_rate__isnull=False, sampling_rate__gte=0, sampling_rate__lte=1),
                name="telemetry_event_sampling_is_ratio",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    anomaly_enabled__isnull=True, anomaly_minimum_sample__isnull=True, anomaly_actions=[]
                )
                | models.Q(anomaly_enabled__isnull=False),
                name="telemetry_event_anomaly_needs_switch",
            ),
            models.CheckConstraint(
                condition=models.Q(deprecation_reason__isnull=True, deprecation_replaced_by__isnull=True)
                | models.Q(deprecation_reason__isnull=False) & ~models.Q(deprecation_reason=""),
                name="telemetry_event_deprecation_has_reason",
            ),
        ]
        indexes = [
            # selectors.events.search_events: one event over all drafts.
            models.Index(fields=["name", "version"], name="telemetry_event_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
