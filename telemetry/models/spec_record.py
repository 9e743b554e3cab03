"""The draft of a telemetry spec: meta and defaults as columns, events as rows of their own."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from telemetry.core.enums import Stability, UndeclaredPolicy
from telemetry.models.choices import choices_of, values_of
from telemetry.models.fields import DocumentField

__all__ = ["SpecRecord"]

# The core's types hold the exact rules; columns only bound them.
NAME_LENGTH = 128


class SpecRecord(models.Model):
    """A spec while it is edited, and the stem to which its frozen versions belong.

    ``draft_version`` is the version number that the draft gets when it is published. ``draft_revision`` grows by one
    with every saved change and every publish: what a person reviewed is named by it; ``published_revision`` is the one
    at which the draft last said what is published, ``editors`` are the people who changed it since, id to label.
    ``config_revision`` is the number that the last publish took from the workspace's counter; 0 before the first.
    ``event_count``, ``published_version`` and ``published_at`` are there when ``selectors.specs`` gave the row; the
    last two are ``None`` without a published version.
    """

    event_count: int
    published_version: int | None
    published_at: datetime | None

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="", max_length=4000)
    domain = models.CharField(max_length=100, blank=True, default="")
    owners = ArrayField(models.CharField(max_length=100), blank=True, default=list)
    tags = ArrayField(models.CharField(max_length=64), blank=True, default=list)
    stability = models.CharField(max_length=20, choices=choices_of(Stability), default=Stability.EXPERIMENTAL.value)

    declares_defaults = models.BooleanField(
        default=False, help_text="The document has a config section, even when nothing is set in it."
    )
    default_retention_days = models.PositiveIntegerField(null=True, blank=True)
    default_sampling_rate = models.FloatField(null=True, blank=True)
    undeclared_properties = models.CharField(max_length=20, choices=choices_of(UndeclaredPolicy), null=True, blank=True)
    context_properties = DocumentField(default=dict, blank=True)
    providers = DocumentField(default=list, blank=True)
    anomaly_enabled = models.BooleanField(null=True, blank=True)
    anomaly_check_interval_ms = models.PositiveIntegerField(null=True, blank=True)
    quarantine_enabled = models.BooleanField(null=True, blank=True)
    quarantine_days = models.PositiveIntegerField(null=True, blank=True)
    mask_detected = models.BooleanField(null=True, blank=True)

    draft_version = models.PositiveIntegerField(default=1)
    draft_revision = models.PositiveIntegerField(default=1, editable=False)
    published_revision = models.PositiveIntegerField(default=0, editable=False)
    editors = DocumentField(default=dict, blank=True, editable=False)
    config_revision = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "spec"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(draft_version__gte=1), name="telemetry_spec_version_from_one"),
            models.CheckConstraint(
                condition=models.Q(stability__in=values_of(Stability)), name="telemetry_spec_stability_known"
            ),
            models.CheckConstraint(
                condition=models.Q(undeclared_properties__isnull=True)
                | models.Q(undeclared_properties__in=values_of(UndeclaredPolicy)),
                name="telemetry_spec_undeclared_known",
            ),
            models.CheckConstraint(
                condition=models.Q(default_sampling_rate__isnull=True)
                | models.Q(default_sampling_rate__gte=0, default_sampling_rate__lte=1),
                name="telemetry_spec_sampling_is_ratio",
            ),
            models.CheckConstraint(
                condition=models.Q(default_retention_days__isnull=True) | models.Q(default_retention_days__gte=1),
                name="telemetry_spec_retention_positive",
            ),
            # An interval without the switch would come back as "no anomaly settings" and be lost.
            models.CheckConstraint(
                condition=models.Q(anomaly_check_interval_ms__isnull=True) | models.Q(anomaly_enabled__isnull=False),
                name="telemetry_spec_interval_needs_switch",
            ),
            models.CheckConstraint(
                condition=models.Q(quarantine_days__isnull=True) | models.Q(quarantine_enabled__isnull=False),
                name="telemetry_spec_quarantine_days_need_switch",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_changes(self) -> bool:
        """Whether the draft was changed since a version was published, or none ever was."""
        return self.draft_revision != self.published_revision
