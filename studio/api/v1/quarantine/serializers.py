"""What groups of held events look like, and what would become or became of them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.enums import EventOutcome
from telemetry.selectors.quarantine import HeldFilter, HeldRow
from telemetry.services.quarantine.replaying import Rehearsal, Replay

__all__ = [
    "DiscardedEvents",
    "Discarding",
    "HeldGroupItem",
    "HeldGroupPage",
    "HeldGroupQuery",
    "OutcomeCount",
    "RehearsalAnswer",
    "ReplayAnswer",
    "filter_of",
    "write_group",
    "write_rehearsal",
    "write_replay",
]


class HeldGroupQuery(PageQuery, frozen=True, kw_only=True):
    """Which groups: those that fit every parameter."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of an event's name or of a reason.")] = ""
    installation: UUID | None = None


class HeldGroupItem(Shape, frozen=True, kw_only=True):
    """Events of one installation that were refused for one reason; `id` names the group while it has that event.

    `event` is empty where the name may be data. `reason` names kinds and places of violations. `expiresAt` is when the
    first of the events goes.
    """

    id: int
    tenant: str
    app: str
    environment: str
    installation: UUID
    event: str
    reason: str
    events: int
    first_at: datetime
    last_at: datetime
    expires_at: datetime


class HeldGroupPage(Page[HeldGroupItem], frozen=True, kw_only=True):
    """Some of the groups, what came last first."""


class OutcomeCount(Shape, frozen=True, kw_only=True):
    """How many events have this outcome."""

    outcome: EventOutcome
    events: int


class RefusalCount(Shape, frozen=True, kw_only=True):
    """How many events would be refused for this reason."""

    reason: str
    events: int


class MendedEvent(Shape, frozen=True, kw_only=True):
    """A mended event as it would be stored: everything that the rules protect is hidden."""

    event: str
    event_version: int
    properties: dict[str, Any]
    context: dict[str, Any]


class RehearsalAnswer(Shape, frozen=True, kw_only=True):
    """What would become of the group's first 1,000 events; `unreadable` ones cannot be opened any more.

    An event that came again by another way would be a duplicate; a rehearsal does not know.
    """

    outcomes: tuple[OutcomeCount, ...]
    refusals: tuple[RefusalCount, ...]
    unreadable: int
    preview: MendedEvent | None


class ReplayAnswer(Shape, frozen=True, kw_only=True):
    """What became of the events; `stillHeld` would be refused again and stay, `left` are held in this group now."""

    outcomes: tuple[OutcomeCount, ...]
    still_held: int
    left: int


class Discarding(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class DiscardedEvents(Shape, frozen=True, kw_only=True):
    """How many events are gone."""

    discarded: int


def filter_of(query: HeldGroupQuery) -> HeldFilter:
    """The query in the words of the selector."""
    return HeldFilter(text=query.search, installation=query.installation)


def write_group(row: HeldRow) -> HeldGroupItem:
    """A group as ``telemetry.selectors.quarantine`` finds it."""
    return HeldGroupItem(
        id=row.id,
        tenant=row.tenant,
        app=row.app,
        environment=row.environment,
        installation=row.installation,
        event=row.event_name,
        reason=row.reason,
        events=row.events,
        first_at=row.first_at,
        last_at=row.last_at,
        expires_at=row.expires_at,
    )


def write_rehearsal(rehearsal: Rehearsal) -> RehearsalAnswer:
    """What a rehearsal told."""
    preview = rehearsal.preview
    return RehearsalAnswer(
        outcomes=_counts(rehearsal.outcomes),
        refusals=tuple(RefusalCount(reason=reason, events=n) for reason, n in rehearsal.refusals.most_common()),
        unreadable=rehearsal.unreadable,
        preview=None
        if preview is None
        else MendedEvent(
            event=preview.name,
            event_version=preview.version,
            properties=preview.properties,
            context=preview.context,
        ),
    )


def write_replay(done: Replay) -> ReplayAnswer:
    """What a replay did."""
    return ReplayAnswer(outcomes=_counts(done.outcomes), still_held=done.still_held, left=done.left)


def _counts(outcomes: dict[EventOutcome, int]) -> tuple[OutcomeCount, ...]:
    return tuple(OutcomeCount(outcome=word, events=outcomes[word]) for word in EventOutcome if word in outcomes)
