"""The part of a metric's history that a method reads, so that nobody has to load or scan all of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.anomaly.level_shift import LEVEL_WINDOWS, SPAN
from telemetry.core.anomaly.seasonal import PERIODS, RECENT_WINDOWS, SEASONS
from telemetry.core.anomaly.series import Point
from telemetry.core.enums import AnomalyMethod

__all__ = ["HISTORY", "IndexedHistory", "earlier_starts", "reads_everything", "recent_windows"]

# As far back as any method looks: the same hour of six weeks ago, and the days before it.
HISTORY: Final = timedelta(days=43)
_RECENT: Final = {AnomalyMethod.SEASONAL: RECENT_WINDOWS, AnomalyMethod.LEVEL_SHIFT: LEVEL_WINDOWS}


def recent_windows(method: AnomalyMethod) -> int:
    """How many of the last windows before the one that is judged the method reads."""
    return _RECENT.get(method, 0)


def reads_everything(method: AnomalyMethod) -> bool:
    """Whether the method reads every window of the history."""
    return method in (AnomalyMethod.SILENCE, AnomalyMethod.SURPRISE)


def earlier_starts(method: AnomalyMethod, recent: Sequence[datetime], current: datetime) -> set[datetime]:
    """The starts of the windows, beyond the recent ones, that the method reads for the window at ``current``."""
    compared = _compared(method, recent, current)
    return {start - distance for starts, distances in compared for start in starts for distance in distances}


def _compared(
    method: AnomalyMethod, recent: Sequence[datetime], current: datetime
) -> list[tuple[Sequence[datetime], Sequence[timedelta]]]:
    """The starts, in their order, of windows that the method compares with others, and how long before those are."""
    if method is AnomalyMethod.SEASONAL:
        return [([current], SEASONS), (recent[-RECENT_WINDOWS:], PERIODS)]
    if method is AnomalyMethod.LEVEL_SHIFT:
        return [([*recent[1 - SPAN :], current], SEASONS), (recent, PERIODS)]
    return []


class IndexedHistory:
    """A metric's windows, oldest first, of which each method gets what it reads; equal verdicts at less cost."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points = sorted(points)
        self._starts = [point.start for point in self._points]

    def before(self, method: AnomalyMethod, current: datetime) -> list[Point]:
        """What the method reads for the window that starts at ``current``, oldest first."""
        end = bisect_left(self._starts, current)
        if reads_everything(method):
            return self._points[bisect_left(self._starts, current - HISTORY) : end]
        begin = max(0, end - recent_windows(method))
        found: list[Point] = []
        place = 0
        for first, last in sorted(self._earlier(method, self._starts[begin:end], current)):
            found += self._points[max(first, place) : min(last, begin)]
            place = max(last, place)
        return found + self._points[begin:end]

    def _earlier(
        self, method: AnomalyMethod, recent: Sequence[datetime], current: datetime
    ) -> Iterator[tuple[int, int]]:
        """The places, half-open, of the windows that the method reads beyond the recent ones, in no order."""
        for starts, distances in _compared(method, recent, current):
            for distance in distances if starts else ():
                yield from self._places(starts, distance)

    def _places(self, starts: Sequence[datetime], distance: timedelta) -> Iterator[tuple[int, int]]:
        """Where the windows are that start so much before: in one piece, unless there are others in between."""
        first = bisect_left(self._starts, starts[0] - distance)
        last = bisect_right(self._starts, starts[-1] - distance)
        if last - first <= len(starts):
            yield first, last
            return
        for start in starts:
            yield bisect_left(self._starts, start - distance), bisect_right(self._starts, start - distance)
