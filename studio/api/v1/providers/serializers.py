"""What providers and deliveries look like; a credential goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.enums import PrivacyLevel
from telemetry.models import DeliveryRecord, ProviderRecord
from telemetry.selectors.providers import Owed
from telemetry.services.deliveries.sending import Sending

__all__ = [
    "DeliveryItem",
    "DeliveryPage",
    "DeliveryQuery",
    "NewProvider",
    "ProviderChange",
    "ProviderItem",
    "ProviderPage",
    "ProviderQuery",
    "ProviderRemoval",
    "ProviderSwitch",
    "ProviderTrial",
    "RemovedProvider",
    "Resend",
    "Resent",
    "TrialAnswer",
    "write_delivery",
    "write_provider",
    "write_trial",
]

# The words of the models' choices: Django's kind of enumeration has no JSON schema.
Kind = Literal["posthog", "segment", "opentelemetry", "internal", "webhook"]
State = Literal["waiting", "delivered", "dead"]
# An address or the name of a header; what it may say depends on the kind, and the service looks.
Settings = dict[str, Annotated[str, msgspec.Meta(max_length=2000)]]
Credential = Annotated[str, msgspec.Meta(max_length=4000)]


class NewProvider(Shape, frozen=True, kw_only=True):
    """A place to which events go. `settings` are those of the kind, see the documentation of providers.

    `credential` is written only: no answer has it.
    """

    installation: UUID
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    settings: Settings = {}
    credential: Credential = ""
    highest_level: PrivacyLevel = PrivacyLevel.PII


class ProviderChange(Shape, frozen=True, kw_only=True):
    """The provider's settings from now on, all of them. Without a credential, the one that it has stays.

    Settings that lead to another place need it again.
    """

    settings: Settings
    highest_level: PrivacyLevel
    credential: Credential = ""


class ProviderSwitch(Shape, frozen=True, kw_only=True):
    """Whether events go there."""

    is_enabled: bool


class ProviderTrial(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class ProviderRemoval(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class RemovedProvider(Shape, frozen=True, kw_only=True):
    """How many events still waited for it."""

    waiting: int


class TrialAnswer(Shape, frozen=True, kw_only=True):
    """Whether the made-up event was taken; if not, why in a word of ours, and the HTTP status if there was one."""

    is_taken: bool
    error: str
    status: int | None


class ProviderQuery(PageQuery, frozen=True, kw_only=True):
    """Which providers: all, or those of one installation."""

    installation: UUID | None = None


class ProviderItem(Shape, frozen=True, kw_only=True):
    """A provider and how it does; counts are events. `lastError` is a word of ours, nothing that it answered.

    `waitingSince` is when the oldest event that waits came.
    """

    id: UUID
    installation: UUID
    name: str
    kind: Kind
    settings: dict[str, str]
    has_credential: bool
    highest_level: PrivacyLevel
    is_enabled: bool
    delivered: int
    waiting: int
    waiting_since: datetime | None
    dead_letters: int
    last_delivered_at: datetime | None
    failures: int
    paused_until: datetime | None
    last_error: str
    last_status: int | None
    last_error_at: datetime | None


class ProviderPage(Page[ProviderItem], frozen=True, kw_only=True):
    """Some of the providers."""


class DeliveryQuery(PageQuery, frozen=True, kw_only=True):
    """Which deliveries: those in this state."""

    state: State = "dead"


class DeliveryItem(Shape, frozen=True, kw_only=True):
    """Events of one batch for the provider, by their ids and names."""

    id: int
    state: State
    events: tuple[UUID, ...]
    names: tuple[str, ...]
    attempts: int
    received_at: datetime
    settled_at: datetime | None
    error: str
    status: int | None


class DeliveryPage(Page[DeliveryItem], frozen=True, kw_only=True):
    """Some of the deliveries, the latest first."""


class Resend(Shape, frozen=True, kw_only=True):
    """Which dead letter; all of them if none is named."""

    delivery: int | None = None


class Resent(Shape, frozen=True, kw_only=True):
    """How many dead letters wait again."""

    deliveries: int


def write_provider(row: ProviderRecord, owed: Owed) -> ProviderItem:
    """A row of ``telemetry.selectors.providers``, and what it is owed."""
    return ProviderItem(
        id=row.public_id,
        installation=row.installation.public_id,
        name=row.name,
        kind=cast("Kind", row.kind),
        settings=row.settings,
        has_credential=bool(row.sealed),
        highest_level=PrivacyLevel(row.highest_level),
        is_enabled=row.is_enabled,
        delivered=row.delivered,
        waiting=owed.waiting,
        waiting_since=owed.waiting_since,
        dead_letters=owed.dead,
        last_delivered_at=row.last_delivered_at,
        failures=row.failures,
        paused_until=row.paused_until,
        last_error=row.last_error,
        last_status=row.last_status,
        last_error_at=row.last_error_at,
    )


def write_delivery(row: DeliveryRecord) -> DeliveryItem:
    """A row of ``telemetry.selectors.providers.deliveries``."""
    return DeliveryItem(
        id=row.pk,
        state=cast("State", row.state),
        events=tuple(row.event_ids),
        names=tuple(row.names),
        attempts=row.attempts,
        received_at=row.received_at,
        settled_at=row.settled_at,
        error=row.error,
        status=row.status,
    )


def write_trial(sending: Sending) -> TrialAnswer:
    """How a trial went."""
    return TrialAnswer(is_taken=sending.trouble is None, error=sending.error, status=sending.status)
