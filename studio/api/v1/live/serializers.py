"""What looking at arriving events is like: the question, the lines, and the steps that each event went."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from studio.api.shapes import Shape
from studio.live_lines import ShownDelivery, ShownLine, Step, shown_delivery
from telemetry.core.enums import EventOutcome, EventSource, PrivacyLevel
from telemetry.core.events import Violation
from telemetry.selectors.live_deliveries import LiveDelivery
from telemetry.services.live import LiveRedaction
from telemetry.services.live_looks import MOST_LINES, LiveLook, Wanted

__all__ = ["LiveAnswer", "LiveQuery", "wanted_of", "write_look"]

# Longer than the cursors of the stream.
_LONGEST_CURSOR = 64


class LiveQuery(Shape, frozen=True, kw_only=True):
    """Which lines: of one event or all, with one outcome or all.

    `after` is the `cursor` of the look before; without it, the newest lines come. `since` is the `receivedAt` of the
    last line: while the stream of lines is away, what was stored after it comes instead. `pending` names events whose
    delivery was not settled: how far they got comes along.
    """

    event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    outcome: EventOutcome | None = None
    after: Annotated[str, msgspec.Meta(max_length=_LONGEST_CURSOR)] = ""
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    pending: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=MOST_LINES)] = ()


class LiveStep(Shape, frozen=True, kw_only=True):
    """One step of an event: `noted` is done with something to say, after `ended` it goes no further."""

    word: str
    state: Literal["done", "noted", "ended"]
    note: str


class LiveLineItem(Shape, frozen=True, kw_only=True):
    """One event, as it is stored or was judged: what was hidden is not in it.

    `values` are the stored properties and context of a stored event; `isCut` says that they were too long to show.
    `omitted` counts events of the same batch that came before this one and are not shown. `isSettled` says that its
    steps will not change any more.
    """

    event_id: UUID | None
    name: str | None
    version: int | None
    outcome: EventOutcome
    received_at: datetime
    occurred_at: datetime | None
    is_skewed: bool
    source: EventSource
    app_version: str | None
    privacy: PrivacyLevel | None
    config_revision: int | None
    steps: tuple[LiveStep, ...]
    violations: tuple[Violation, ...]
    redactions: tuple[LiveRedaction, ...]
    values: Mapping[str, Any] | None
    is_cut: bool
    omitted: int
    is_settled: bool


class LiveDeliveryItem(Shape, frozen=True, kw_only=True):
    """How far an event got that was on its way."""

    event_id: UUID
    step: LiveStep
    is_settled: bool


class LiveAnswer(Shape, frozen=True, kw_only=True):
    """What is new, in the order in which it came.

    `isLive` is false while the stream of lines is away: then only stored events show. `skipped` counts lines that are
    left out, since too many came at once.
    """

    lines: tuple[LiveLineItem, ...]
    cursor: str
    is_live: bool
    skipped: int
    deliveries: tuple[LiveDeliveryItem, ...]


def wanted_of(query: LiveQuery) -> Wanted:
    """The query in the words of the service."""
    return Wanted(query.event, query.outcome)


def write_look(
    look: LiveLook, lines: Sequence[ShownLine], deliveries: Mapping[UUID, Sequence[LiveDelivery]]
) -> LiveAnswer:
    """The look, with its lines as they are drawn, and what became of events of earlier looks."""
    shown = ((event_id, shown_delivery(found)) for event_id, found in deliveries.items())
    return LiveAnswer(
        lines=tuple(map(_write_line, reversed(lines))),
        cursor=look.cursor,
        is_live=look.is_live,
        skipped=look.skipped,
        deliveries=tuple(
            LiveDeliveryItem(event_id=event_id, step=_write_step(each.step), is_settled=each.is_settled)
            for event_id, each in shown
            if each is not None
        ),
    )


def _write_line(shown: ShownLine) -> LiveLineItem:
    line, delivery = shown.line, shown.delivery
    steps = (*shown.steps, delivery.step) if delivery else shown.steps
    return LiveLineItem(
        event_id=line.event_id,
        name=line.name,
        version=line.version,
        outcome=line.outcome,
        received_at=line.received_at,
        occurred_at=line.occurred_at,
        is_skewed=line.is_skewed,
        source=line.source,
        app_version=line.app_version,
        privacy=line.privacy,
        config_revision=line.config_revision,
        steps=tuple(map(_write_step, steps)),
        violations=line.violations,
        redactions=line.redactions,
        values=line.values,
        is_cut=line.is_cut,
        omitted=line.omitted,
        is_settled=_is_settled(delivery),
    )


def _is_settled(delivery: ShownDelivery | None) -> bool:
    return delivery is None or delivery.is_settled


def _write_step(step: Step) -> LiveStep:
    return LiveStep(word=step.word, state=step.state, note=step.note)
