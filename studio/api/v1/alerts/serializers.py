"""What alert channels and notifications look like; where a channel leads goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.models import AlertChannel, Notification
from telemetry.selectors.alerts import Pending
from telemetry.services.alerts.channels import ChannelSettings
from telemetry.services.alerts.destinations import Destination
from telemetry.services.deliveries.sending import Sending

__all__ = [
    "AlertChannelChange",
    "AlertChannelItem",
    "AlertChannelPage",
    "AlertChannelRemoval",
    "AlertChannelSwitch",
    "AlertMute",
    "AlertPreview",
    "AlertResend",
    "AlertResent",
    "AlertTemplates",
    "AlertTrial",
    "AlertTrialAnswer",
    "NewAlertChannel",
    "NotificationItem",
    "NotificationPage",
    "NotificationQuery",
    "RemovedAlertChannel",
    "destination_of",
    "write_channel",
    "write_notification",
    "write_trial",
]

# The words of the models' choices: Django's kind of enumeration has no JSON schema.
Kind = Literal["email", "webhook", "slack"]
PaceWord = Literal["at_once", "hourly", "daily"]
Told = Literal["opened", "reopened", "acknowledged", "resolved", "digest", "test", "late", "on_time"]
State = Literal["waiting", "delivered", "dead", "gathered", "summed_up", "withheld"]


class AlertTemplates(Shape, frozen=True, kw_only=True):
    """What messages say, with places in braces; empty for the standard ones. See the documentation of alerts."""

    subject: Annotated[str, msgspec.Meta(max_length=200)] = ""
    body: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class AlertDestination(Shape, frozen=True, kw_only=True):
    """Where a channel leads: `addresses` of mail, or the `url` of a hook and the `secret` that signs messages.

    It is written only: no answer has it.
    """

    addresses: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=254)], ...], msgspec.Meta(max_length=20)] = ()
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    secret: Annotated[str, msgspec.Meta(max_length=200)] = ""


class AlertChannelSettings(AlertTemplates, frozen=True, kw_only=True):
    """How a channel is told. A rule that opens again within `quietMinutes` is told if it lasts until then.

    What comes beyond `mostPerHour` goes into one summary, as everything does where `pace` is hourly or daily; a daily
    one leaves at `digestHour`, UTC.
    """

    tells_end: bool = True
    tells_acknowledgement: bool = False
    quiet_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 60
    most_per_hour: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    pace: PaceWord = "at_once"
    digest_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 7

    @property
    def settings(self) -> ChannelSettings:
        """In the words of the service."""
        return ChannelSettings(
            subject=self.subject,
            body=self.body,
            tells_end=self.tells_end,
            tells_acknowledgement=self.tells_acknowledgement,
            quiet_minutes=self.quiet_minutes,
            most_per_hour=self.most_per_hour,
            pace=self.pace,
            digest_hour=self.digest_hour,
        )


class NewAlertChannel(AlertChannelSettings, frozen=True, kw_only=True):
    """A place to which incidents are told."""

    tenant: Annotated[str, msgspec.Meta(max_length=128)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    destination: AlertDestination


class AlertChannelChange(AlertChannelSettings, frozen=True, kw_only=True):
    """The channel's settings from now on, all of them. Without a destination, the one that it has stays."""

    destination: AlertDestination | None = None


class AlertChannelItem(AlertChannelSettings, frozen=True, kw_only=True):
    """A channel and how it does; counts are messages. `place` is as much of where it leads as may be shown."""

    id: UUID
    tenant: str
    name: str
    kind: Kind
    place: str
    is_enabled: bool
    muted_until: datetime | None
    delivered: int
    last_delivered_at: datetime | None
    waiting: int
    gathered: int
    dead: int
    failures: int
    paused_until: datetime | None
    last_error: str
    last_status: int | None
    last_error_at: datetime | None


class AlertChannelPage(Page[AlertChannelItem], frozen=True, kw_only=True):
    """Some of the channels."""


class AlertPreview(Shape, frozen=True, kw_only=True):
    """What the templates make of an example."""

    subject: str
    text: str


class AlertChannelSwitch(Shape, frozen=True, kw_only=True):
    """Whether the channel is told anything."""

    is_enabled: bool


class AlertMute(Shape, frozen=True, kw_only=True):
    """Until when nothing is sent, 30 days ahead at most; null ends the mute."""

    until: Annotated[datetime, msgspec.Meta(tz=True)] | None


class AlertTrial(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class AlertTrialAnswer(Shape, frozen=True, kw_only=True):
    """How a test went: `outcome` is `taken` or a word of ours for what was wrong."""

    outcome: str
    status: int | None


class AlertChannelRemoval(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class RemovedAlertChannel(Shape, frozen=True, kw_only=True):
    """How many notifications still waited for the channel."""

    waiting: int


class AlertResend(Shape, frozen=True, kw_only=True):
    """Which notification that was given up; all of them if none is named."""

    notification: UUID | None = None


class AlertResent(Shape, frozen=True, kw_only=True):
    """How many notifications wait again."""

    notifications: int


class NotificationQuery(PageQuery, frozen=True, kw_only=True):
    """Which notifications: those in this state, or all."""

    state: State | None = None


class NotificationItem(Shape, frozen=True, kw_only=True):
    """What the channel was told, or not, and why. `id` goes out with each attempt, as `Telemetry-Delivery`."""

    id: UUID
    kind: Told
    state: State
    reason: str
    incident: int | None
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    error: str
    status: int | None


class NotificationPage(Page[NotificationItem], frozen=True, kw_only=True):
    """Some of the notifications, the latest first."""


def destination_of(given: AlertDestination) -> Destination:
    """In the words of the service."""
    return Destination(addresses=given.addresses, url=given.url, secret=given.secret)


def write_channel(row: AlertChannel, counts: Pending) -> AlertChannelItem:
    """A row of ``telemetry.selectors.alerts`` with its counts."""
    return AlertChannelItem(
        id=row.public_id,
        tenant=row.tenant.slug,
        name=row.name,
        kind=cast("Kind", row.kind),
        place=row.place,
        subject=row.subject,
        body=row.body,
        tells_end=row.tells_end,
        tells_acknowledgement=row.tells_acknowledgement,
        quiet_minutes=row.quiet_minutes,
        most_per_hour=row.most_per_hour,
        pace=cast("PaceWord", row.pace),
        digest_hour=row.digest_hour,
        is_enabled=row.is_enabled,
        muted_until=row.muted_until,
        delivered=row.delivered,
        last_delivered_at=row.last_delivered_at,
        waiting=counts.waiting,
        gathered=counts.gathered,
        dead=counts.dead,
        failures=row.failures,
        paused_until=row.paused_until,
        last_error=row.last_error,
        last_status=row.last_status,
        last_error_at=row.last_error_at,
    )


def write_notification(row: Notification) -> NotificationItem:
    """A row of ``telemetry.selectors.alerts.notifications``."""
    return NotificationItem(
        id=row.public_id,
        kind=cast("Told", row.kind),
        state=cast("State", row.state),
        reason=row.reason,
        incident=row.incident_id,
        attempts=row.attempts,
        created_at=row.created_at,
        settled_at=row.settled_at,
        error=row.error,
        status=row.status,
    )


def write_trial(sending: Sending) -> AlertTrialAnswer:
    """How the test went."""
    return AlertTrialAnswer(outcome=sending.error or "taken", status=sending.status)
