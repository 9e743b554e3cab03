"""What detectors have recognised in a property of an event of an installation; never a value."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from telemetry.core.enums import PropertyType
from telemetry.core.paths import key_of
from telemetry.detection.detector import Detector
from telemetry.models.choices import choices_of, values_of
from tenants.models import Installation, Tenant

__all__ = ["FindingState", "PrivacyFinding"]


class FindingState(models.TextChoices):
    """What a person has decided; see ``telemetry.services.privacy_findings`` for what opens it again."""

    OPEN = "open", "Open"
    SNOOZED = "snoozed", "Snoozed"
    ACCEPTED = "accepted", "Accepted"
    DISMISSED = "dismissed", "Dismissed"


class PrivacyFinding(models.Model):
    """Evidence of one detector for one property of one event, at one installation.

    ``path`` is ``properties.NAME`` or ``context.metadata.NAME``, with ``[?]`` for names that may be data themselves.
    ``found`` of ``checked`` values that were looked at, which are some of all. ``app_versions`` are the twenty last in
    the order of their text. ``found_at_decision`` is what ``found`` was when somebody decided; an accepted one names
    the spec and the version of it that will hide the value.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    path = models.CharField(max_length=200)
    detector = models.CharField(max_length=20, choices=choices_of(Detector))
    is_declared = models.BooleanField()
    value_type = models.CharField(max_length=20, choices=choices_of(PropertyType))
    found = models.PositiveBigIntegerField(default=0)
    checked = models.PositiveBigIntegerField(default=0)
    app_versions = ArrayField(models.CharField(max_length=64), default=list)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=FindingState.choices, default=FindingState.OPEN)
    reason = models.CharField(max_length=1000, blank=True, default="")
    snoozed_until = models.DateTimeField(null=True)
    found_at_decision = models.PositiveBigIntegerField(default=0)
    accepted_spec = models.CharField(max_length=128, blank=True, default="")
    accepted_version = models.PositiveIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_label = models.CharField(max_length=200, blank=True, default="")
    reopened_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "privacy finding"
        ordering = ["-last_seen_at", "-id"]
        constraints = [
            # Also the index for "all findings of this installation".
            models.UniqueConstraint(
                fields=["installation", "event_name", "event_version", "path", "detector"],
                name="telemetry_finding_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=FindingState.values), name="telemetry_finding_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(detector__in=values_of(Detector)), name="telemetry_finding_detector_known"
            ),
            models.CheckConstraint(
                condition=models.Q(found__lte=models.F("checked")), name="telemetry_finding_found_of_checked"
            ),
        ]
        indexes = [
            # The inbox: what waits, and how much.
            models.Index(fields=["tenant", "state", "-last_seen_at"], name="telemetry_finding_inbox"),
        ]

    def __str__(self) -> str:
        return f"{Detector(self.detector).words} in {self.event_name} {self.path}"

    @property
    def property_name(self) -> str:
        """The name of the property, or of the context's key; empty where it is not shown."""
        return key_of("properties", self.path) or key_of("context.metadata", self.path) or ""

    @property
    def share(self) -> float:
        """The share of the checked values in which it was found (ratio 0-1)."""
        return self.found / self.checked if self.checked else 0.0
