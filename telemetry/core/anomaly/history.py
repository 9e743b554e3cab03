"""The part of a metric's history that a method reads, so that nobody has to load or scan all of it."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.anomaly.level_shift import LEVEL_WINDOWS, SPAN
from telemetry.core.anomaly.seasonal import RECENT_WINDOWS, same_hours, seasons_before
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
    if method is AnomalyMethod.SEASONAL:
        return {*same_hours(current), *seasons_before(recent[-RECENT_WINDOWS:])}
    if method is AnomalyMethod.LEVEL_SHIFT:
        judged = [*recent[1 - SPAN :], current]
        return {start for each in judged for start in same_hours(each)} | set(seasons_before(recent))
    return set()


class IndexedHistory:
    """A metric's windows, oldest first, of which each method gets what it reads; equal verdicts at less cost."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points = sorted(points)
        self._starts = [point.start for point in self._points]
        self._by_start: Mapping[datetime, Point] = {point.start: point for point in self._points}

    def before(self, method: AnomalyMethod, current: datetime) -> list[Point]:
        """What the method reads for the window that starts at ``current``, oldest first."""
        end = bisect_left(self._starts, current)
        if reads_everything(method):
            return self._points[bisect_left(self._starts, current - HISTORY) : end]
        recent = self._points[max(0, end - recent_windows(method)) : end]
        wanted = earlier_starts(method, [point.start for point in recent], current)
        oldest = recent[0].start if recent else current
        known = (self._by_start[start] for start in wanted if start < oldest and start in self._by_start)
        return [*sorted(known), *recent]
