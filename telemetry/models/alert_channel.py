"""Who is told of incidents, where, and of which of them."""

import uuid

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from telemetry.core.enums import AnomalyAction, Environment
from telemetry.models.choices import choices_of
from telemetry.models.receiver import Receiver
from tenants.models import App, Installation, Tenant

__all__ = ["AlertChannel", "AlertRoute", "ChannelKind", "Pace"]


class ChannelKind(models.TextChoices):
    """What is at the other end."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Web hook"
    SLACK = "slack", "Slack"


class Pace(models.TextChoices):
    """When it is told: of each transition by itself, or of all of them together."""

    AT_ONCE = "at_once", "At once"
    HOURLY = "hourly", "Once an hour"
    DAILY = "daily", "Once a day"


class AlertChannel(Receiver):
    """One place of a tenant to which incidents are told, and how that goes.

    ``sealed`` holds where that is, with its secret, as ``tenants.sealing`` stores it; ``place`` is as much of it as may
    be shown. It is told that an incident opened or is open again; of the end and of acknowledgements as it wants.
    Within ``quiet_minutes`` the same rule is told once, and after ``most_per_hour`` messages the rest of the hour goes
    into one summary. A daily summary leaves at ``digest_hour``, UTC. While ``muted_until`` lies ahead everything is
    written down and nothing sent. ``delivered`` counts messages.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=ChannelKind.choices)
    sealed = models.TextField()
    sealed_at = models.DateTimeField()
    place = models.CharField(max_length=300)
    subject = models.CharField(max_length=200, blank=True, default="")
    body = models.CharField(max_length=4000, blank=True, default="")
    tells_end = models.BooleanField(default=True)
    tells_acknowledgement = models.BooleanField(default=False)
    quiet_minutes = models.PositiveIntegerField(default=60)
    most_per_hour = models.PositiveIntegerField(default=20)
    pace = models.CharField(max_length=20, choices=Pace.choices, default=Pace.AT_ONCE)
    digest_hour = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(23)])
    muted_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "alert channel"
        ordering = ["tenant", "name"]
        constraints = [
            # Also the index for "the channels of this tenant".
            models.UniqueConstraint(fields=["tenant", "name"], name="telemetry_alertchannel_once"),
            # What routes and notifications refer to, so that none can name another tenant's channel.
            models.UniqueConstraint(fields=["id", "tenant"], name="telemetry_alertchannel_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(kind__in=ChannelKind.values), name="telemetry_alertchannel_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(pace__in=Pace.values), name="telemetry_alertchannel_pace_known"),
            models.CheckConstraint(condition=models.Q(digest_hour__lte=23), name="telemetry_alertchannel_hour_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def is_muted(self) -> bool:
        """Whether it is told nothing for the time being."""
        return self.muted_until is not None and self.muted_until > timezone.now()


class AlertRoute(models.Model):
    """Which incidents of a tenant go to one of its channels: those that fit everything that is filled in.

    ``event`` is an event's name, or the beginning of one and ``*``. A route that ``is_fallback`` has no conditions: it
    takes what no other route of the tenant took.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The database ties it to the tenant as well. Index: "the routes to this channel".
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="routes")
    is_fallback = models.BooleanField(default=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    app = models.ForeignKey(App, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    environment = models.CharField(max_length=20, blank=True, default="", choices=choices_of(Environment))
    event = models.CharField(max_length=201, blank=True, default="")
    rule = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=20, blank=True, default="", choices=choices_of(AnomalyAction))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "alert route"
        ordering = ["tenant", "is_fallback", "id"]
        indexes = [
            # "The routes of this tenant", asked for each transition.
            models.Index(fields=["tenant", "id"], name="telemetry_alertroute_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"route {self.pk} to {self.channel_id}"
