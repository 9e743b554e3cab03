"""What a batch looks like, and what the answer tells of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from studio.api.shapes import Shape
from telemetry.core.enums import EventOutcome, ViolationCode
from telemetry.core.events import Envelope
from telemetry.core.reports import Report

__all__ = ["BatchAnswer", "EventBatch", "ItemAnswer", "ItemViolation"]


SentAt = Annotated[
    datetime,
    msgspec.Meta(tz=True, description="What the sender's clock shows now: it tells how far that clock is off."),
]
AppVersion = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}(?!\n)$",
        description="The version of the app that tracked the events.",
    ),
]


Reports = Annotated[
    list[Report],
    msgspec.Meta(
        description="Events that a tracker judged by the installation's config and redacted before it sent them."
    ),
]


class EventBatch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Up to 1,000 events, reports included. Keys that are not named here are passed over."""

    events: list[Envelope]
    reports: Reports = []
    sent_at: SentAt | None = None
    app_version: AppVersion | None = None


class ItemViolation(Shape, frozen=True, kw_only=True):
    """One broken rule of an event."""

    code: ViolationCode
    path: str
    message: str


class ItemAnswer(Shape, frozen=True, kw_only=True):
    """An event that was not stored, or that was stored though it broke a rule.

    ``index`` counts from 0, through ``events`` first and on through ``reports``.

    ``id`` is a UUID, also where the event's own id is another text; null when it had none that can be read.
    """

    index: int
    outcome: EventOutcome
    id: UUID | None
    violations: tuple[ItemViolation, ...]


class BatchAnswer(Shape, frozen=True, kw_only=True):
    """What became of a batch, once it is committed: how many events per outcome, and those that need a word."""

    received: int
    stored: int
    sampled_out: int
    disabled: int
    rejected: int
    duplicate: int
    items: tuple[ItemAnswer, ...]
