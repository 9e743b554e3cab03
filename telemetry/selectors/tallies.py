"""Reading tallies: what was in the events of a window, by the time at which they happened."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings

from telemetry.core.occurrence import FUTURE_TOLERANCE
from telemetry.models import EventTally
from telemetry.models.event_tally import COUNTS
from telemetry.tallies.detail import NumberTally, TallyDetail, decode_detail
from telemetry.tallies.merging import merge_details
from telemetry.tallies.sketches import count_subjects, quantiles_of

__all__ = ["Counts", "NumberInWindow", "WindowTally", "window_series", "window_tally"]

# An event's minute of receipt lies this far around its own at most; a bound for the partitions that are looked into.
EARLY: Final = FUTURE_TOLERANCE + timedelta(minutes=1)


class Counts(NamedTuple):
    """How many events had which outcome; ``received`` is the sum of the five after it, always and exactly."""

    received: int = 0
    stored: int = 0
    sampled_out: int = 0
    disabled: int = 0
    rejected: int = 0
    duplicate: int = 0
    violating: int = 0
    skewed: int = 0

    def plus(self, other: Iterable[int]) -> "Counts":
        """Both together."""
        return Counts(*map(sum, zip(self, other, strict=True)))

    @property
    def is_balanced(self) -> bool:
        """Whether each received event has exactly one outcome."""
        return self.received == self.stored + self.sampled_out + self.disabled + self.rejected + self.duplicate


class NumberInWindow:
    """The values of one numeric property in a window; at level sensitive there are only counts."""

    def __init__(self, tally: NumberTally) -> None:
        self._tally = tally

    @property
    def count(self) -> int:
        """How many values there were."""
        return self._tally.count

    @property
    def total(self) -> float:
        """Their sum."""
        return self._tally.total

    @property
    def minimum(self) -> float:
        """The least."""
        return self._tally.minimum

    @property
    def maximum(self) -> float:
        """The greatest."""
        return self._tally.maximum

    @property
    def is_withheld(self) -> bool:
        """Whether the values are not kept, as at level sensitive."""
        return not self._tally.digest

    def quantile(self, rank: float) -> float | None:
        """About the value at this rank (0-1); ``None`` where values are not kept."""
        return next(iter(quantiles_of(self._tally.digest, [rank])), None)

    def beyond(self, *, minimum: float | None = None, maximum: float | None = None) -> int:
        """Exactly how many values were below ``minimum`` or above ``maximum``.

        Counted for the limits of the thresholds that were in force; 0 for any other limit.
        """
        counts = self._tally.beyond
        below = 0 if minimum is None else counts.get(f"<{float(minimum)!r}", 0)
        above = 0 if maximum is None else counts.get(f">{float(maximum)!r}", 0)
        return below + above


class WindowTally:
    """All events of one name that happened in [start, end), as far as they have come, before sampling and redaction.

    It is a ``WindowSummary`` of ``telemetry.core.anomaly.rules``. ``last_received_at`` is when the last of them came;
    ``None`` for an empty window. A window that was judged before that instant is worth another look.
    """

    def __init__(self, start: datetime, end: datetime, rows: Iterable[EventTally]) -> None:
        self.start = start
        self.end = end
        self.counts = Counts()
        self.last_received_at: datetime | None = None
        details: list[TallyDetail] = []
        for row in rows:
            self.counts = self.counts.plus(getattr(row, count) for count in COUNTS)
            self.last_received_at = max(self.last_received_at or row.last_received_at, row.last_received_at)
            if row.detail is not None:
                details.append(decode_detail(bytes(row.detail)))
        self._detail = merge_details(details)

    @property
    def received(self) -> int:
        """How many events came, each once."""
        return self.counts.received - self.counts.duplicate

    @property
    def rejected(self) -> int:
        """How many broke their contract."""
        return self.counts.rejected

    @property
    def violating(self) -> int:
        """How many broke any rule, also those that were kept."""
        return self.counts.violating

    @property
    def valid(self) -> int:
        """How many kept their contract."""
        return self._detail.valid

    @property
    def values(self) -> Mapping[str, Mapping[str, int]]:
        """By property and value, how many valid events had it; only of booleans and short lists of allowed values."""
        return self._detail.values

    @property
    def missing(self) -> Mapping[str, int]:
        """By property, how many valid events did not have it."""
        return self._detail.missing

    def unique_subjects(self) -> int:
        """About how many subjects there were; 0 at level sensitive, where nobody is counted."""
        return count_subjects(self._detail.subjects)

    def number(self, metric: str) -> NumberInWindow | None:
        """The values of a numeric property; ``None`` if there were none."""
        found = self._detail.numbers.get(metric)
        return None if found is None else NumberInWindow(found)


def window_tally(
    installation_id: int, name: str, start: datetime, end: datetime, *, version: int | None = None
) -> WindowTally:
    """The event, in one version or in all, in the window [start, end), whose ends are whole minutes; one query."""
    return WindowTally(start, end, _rows(installation_id, name, start, end, version))


def window_series(
    installation_id: int,
    name: str,
    start: datetime,
    end: datetime,
    step: timedelta,
    *,
    version: int | None = None,
) -> list[WindowTally]:
    """The windows of length ``step`` from ``start`` on, the last of which begins before ``end``, also empty ones.

    ``start`` and ``step`` are whole minutes. One query.
    """
    count = -((start - end) // step)
    rows: list[list[EventTally]] = [[] for _ in range(count)]
    for row in _rows(installation_id, name, start, start + count * step, version):
        rows[(row.minute - start) // step].append(row)
    return [WindowTally(start + place * step, start + (place + 1) * step, part) for place, part in enumerate(rows)]


def _rows(installation_id: int, name: str, start: datetime, end: datetime, version: int | None) -> Iterable[EventTally]:
    maximum_age = timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS)
    rows = EventTally.objects.filter(
        installation_id=installation_id,
        name=name,
        minute__gte=start,
        minute__lt=end,
        received_minute__gte=start - EARLY,
        received_minute__lt=end + maximum_age + timedelta(days=1),
    )
    if version is not None:
        rows = rows.filter(version=version)
    # In one order, so that the same rows give the same digest.
    ordered = rows.order_by("minute", "received_minute", "id")
    return ordered.only("minute", "last_received_at", "detail", *COUNTS).iterator(chunk_size=5_000)
