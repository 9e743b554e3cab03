"""What a balance looks like, and how one is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from studio.api.errors import InvalidQuery
from studio.api.shapes import Shape
from telemetry.core.errors import FieldError
from telemetry.selectors.balance import Counts
from telemetry.services.balance import Balance, EventBalance

__all__ = ["BalanceAnswer", "BalanceQuery", "BalanceRow", "span_of", "write_balance"]

MINUTE = timedelta(minutes=1)
# Tallies are kept longer; what is asked for at once stays readable, and quick to add up.
LONGEST = timedelta(days=92)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
EventName = Annotated[str, msgspec.Meta(max_length=200, description="One event; without it, all.")]


class BalanceQuery(Shape, frozen=True, kw_only=True):
    """Of what time, by when events came: [start, end), cut to whole minutes; the last 24 hours unless said."""

    start: Instant | None = None
    end: Instant | None = None
    event: EventName | None = None


class BalanceRow(Shape, frozen=True, kw_only=True):
    """Counts that add up: received is the sum of the five outcomes, stored that of live and gone.

    ``gone`` are stored events that left since; how, ``purged``, ``archived`` and ``erased`` tell of the days (UTC) that
    lie whole in the span. ``violating`` broke a rule, whatever became of them; of ``skewed`` ones the clock was off.
    """

    received: int
    stored: int
    sampled_out: int
    disabled: int
    rejected: int
    duplicate: int
    violating: int
    skewed: int
    live: int
    gone: int
    purged: int
    archived: int
    erased: int
    is_balanced: bool
    last_received_at: datetime | None


class EventBalanceRow(BalanceRow, frozen=True, kw_only=True):
    """One event; ``name`` is empty and ``version`` 0 for all that the spec does not know."""

    name: str
    version: int


class BalanceAnswer(Shape, frozen=True, kw_only=True):
    """What became of all events that came in [start, end), most received first."""

    start: datetime
    end: datetime
    total: BalanceRow
    events: tuple[EventBalanceRow, ...]


def span_of(query: BalanceQuery, now: datetime) -> tuple[datetime, datetime]:
    """The whole minutes that are asked for; raises ``InvalidQuery`` for a span that is empty or too long."""
    end = _minute(query.end or now + MINUTE)
    start = _minute(query.start or end - timedelta(days=1))
    if start >= end:
        raise InvalidQuery([FieldError("out_of_range", "start", "must be at least a minute before end")], what="query")
    if end - start > LONGEST:
        raise InvalidQuery(
            [FieldError("out_of_range", "start", f"must be at most {LONGEST.days} days before end")], what="query"
        )
    return start, end


def write_balance(balance: Balance) -> BalanceAnswer:
    """The balance as an answer."""
    events = tuple(EventBalanceRow(name=each.name, version=each.version, **_row(each)) for each in balance.events)
    total = BalanceRow(**{**_row(balance.total), "is_balanced": balance.is_balanced})
    return BalanceAnswer(start=balance.start, end=balance.end, total=total, events=events)


def _row(event: EventBalance) -> dict[str, Any]:
    counts: Counts = event.counts
    return {
        **counts._asdict(),
        "live": event.live,
        "gone": event.gone,
        **event.removals._asdict(),
        "is_balanced": event.is_balanced,
        "last_received_at": event.last_received_at,
    }


def _minute(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
