"""A place outside to which an installation's events are passed on."""

import uuid

from django.db import models

from telemetry.core.enums import PrivacyLevel
from telemetry.models.choices import choices_of, values_of
from telemetry.models.receiver import Receiver
from tenants.models import Installation, Tenant

__all__ = ["ProviderKind", "ProviderRecord"]


class ProviderKind(models.TextChoices):
    """What is at the other end: the kinds that specs know, and a plain web hook."""

    POSTHOG = "posthog", "PostHog"
    SEGMENT = "segment", "Segment"
    OPENTELEMETRY = "opentelemetry", "OpenTelemetry"
    INTERNAL = "internal", "Another studio"
    WEBHOOK = "webhook", "Web hook"


class ProviderRecord(Receiver):
    """One provider of one installation, and how it does.

    ``settings`` are the kind's own, without its credential; ``sealed`` is that, as ``tenants.sealing`` stores it, and
    no page and no answer shows it. Events above ``highest_level`` are not passed on. ``refusals`` counts single events
    in a row that it did not want, ``delivered`` events.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="providers", db_index=False)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=ProviderKind.choices)
    settings = models.JSONField(default=dict)
    sealed = models.TextField(blank=True, default="")
    sealed_at = models.DateTimeField(null=True)
    highest_level = models.CharField(max_length=20, choices=choices_of(PrivacyLevel), default=PrivacyLevel.PII.value)
    refusals = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "provider"
        ordering = ["installation", "name"]
        constraints = [
            # Also the index for "the providers of this installation".
            models.UniqueConstraint(fields=["installation", "name"], name="telemetry_provider_once"),
            # What deliveries refer to, so that none can name another tenant's provider.
            models.UniqueConstraint(fields=["id", "tenant"], name="telemetry_provider_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ProviderKind.values), name="telemetry_provider_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(highest_level__in=values_of(PrivacyLevel)), name="telemetry_provider_level_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"
