"""What is normal at this hour: the same hour of other weeks, of other days, or of late."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

import msgspec

from telemetry.core.anomaly.robust import chance, median, spread
from telemetry.core.anomaly.series import Band, MetricKind, Point, Verdict, shown

__all__ = ["RECENT_WINDOWS", "Expectation", "SeasonalBaseline", "Seasons", "same_hours", "seasons_before"]

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
# Fewer than three cannot outvote one wild value.
_FEWEST_ALIKE: Final = 3
_WEEKS: Final = 6
_DAYS: Final = 14
# Without a season in sight: as many windows as give a stable median, and no fewer than can show a spread.
RECENT_WINDOWS: Final = 48
_FEWEST_RECENT: Final = 10
_start: Final = itemgetter(0)


class Expectation(msgspec.Struct, frozen=True, gc=False):
    """What is normal for one window: the middle, the standard deviation around it, and what it was compared with."""

    middle: float
    deviation: float
    compared_with: str


class SeasonalBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a value far from what is normal at its hour, by chance and by effect.

    Compared with the median of the same hour of the week in the last six weeks; while there are not three such weeks,
    with the same hour of the last 14 days; before that, with the last 48 windows. Far is more than ``sensitivity``
    standard deviations (from median absolute deviations, and never less than chance alone gives) *and* more than
    ``minimum_effect`` (ratio of the middle). Windows with fewer than ``minimum_sample`` events are not judged, unless
    the metric is a count, whose absence is news.

    Source: Rousseeuw & Croux 1993 for the scale; Rosner 1983 for judging against a robust middle.
    """

    kind: MetricKind = MetricKind.VALUE
    # One false alarm in some ten thousand windows, were residuals normal; real tails are heavier.
    sensitivity: float = 4.0
    minimum_effect: float = 0.25
    minimum_sample: int = 10

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on ``current``, by the windows before it."""
        normal = Seasons(self.kind, history).expectation(current)
        if normal is None:
            return Verdict(breach=None, band=None, is_judged=False, words="too little history to know what is normal")
        band = self._band(normal)
        if self.kind is not MetricKind.COUNT and current.sample < self.minimum_sample:
            words = f"{current.sample} of the {self.minimum_sample} events that it takes to judge"
            return Verdict(breach=None, band=band, is_judged=False, words=words)
        side = band.side_of(current.value)
        score = abs(current.value - normal.middle) / normal.deviation if normal.deviation else 0.0
        usual = f"{shown(normal.middle)} is usual {normal.compared_with}"
        if side is None:
            return Verdict(breach=None, band=band, score=score, words=f"{shown(current.value)} is normal: {usual}")
        words = f"{shown(current.value)} is too {side.value}: {usual}, {shown(score)} deviations away"
        return Verdict(breach=side, band=band, score=score, words=words)

    def _band(self, normal: Expectation) -> Band:
        width = max(self.sensitivity * normal.deviation, self.minimum_effect * abs(normal.middle))
        low, high = normal.middle - width, normal.middle + width
        if self.kind is not MetricKind.VALUE:
            low = max(low, 0.0)
        if self.kind is MetricKind.RATIO:
            high = min(high, 1.0)
        return Band(low=low, expected=normal.middle, high=high)


def same_hours(start: datetime) -> list[datetime]:
    """The starts of the windows at the same hour of earlier weeks and days."""
    weeks = [start - count * _WEEK for count in range(1, _WEEKS + 1)]
    return weeks + [start - count * _DAY for count in range(1, _DAYS + 1)]


def seasons_before(recent: Sequence[datetime]) -> list[datetime]:
    """The starts of the windows a week and a day before the recent ones."""
    return [start - period for start in recent for period in (_WEEK, _DAY)]


class Seasons:
    """A history in which windows are found by their start; made once for all windows that are compared with it."""

    def __init__(self, kind: MetricKind, history: Sequence[Point]) -> None:
        self._kind = kind
        self._history = history
        self._recent = history[-RECENT_WINDOWS:]
        self._wobbles: dict[timedelta, float] = {}

    def expectation(self, current: Point) -> Expectation | None:
        """What is normal for ``current``; ``None`` with too little history."""
        (found,) = self.expectations([current])
        return found

    def expectations(self, points: Sequence[Point]) -> list[Expectation | None]:
        """What is normal for each of the points, which are in the order of time."""
        weekly = self._alike(points, _WEEK, _WEEKS)
        daily = self._alike(points, _DAY, _DAYS) if any(len(each) < _FEWEST_ALIKE for each in weekly) else weekly
        return list(map(self._expect, points, weekly, daily))

    def _expect(self, current: Point, weekly: list[float], daily: list[float]) -> Expectation | None:
        if len(weekly) >= _FEWEST_ALIKE:
            return self._around(weekly, current, self._wobble(_WEEK), "at this hour of the week")
        if len(daily) >= _FEWEST_ALIKE:
            return self._around(daily, current, self._wobble(_DAY), "at this hour of the day")
        if len(self._recent) < _FEWEST_RECENT:
            return None
        return self._around([point.value for point in self._recent], current, 0.0, "of late")

    def _alike(self, points: Sequence[Point], period: timedelta, periods: int) -> list[list[float]]:
        """Of each point, the values so many periods before it, the latest first, as far as they are known."""
        found: list[list[float]] = [[] for _ in points]
        for count in range(1, periods + 1):
            earlier = self._earlier(points, count * period)
            for known, value in zip(found, earlier, strict=True):
                if value is not None:
                    known.append(value)
        return found

    def _earlier(self, points: Sequence[Point], distance: timedelta) -> list[float | None]:
        """Of each point, the value of the window that starts so much before it; ``None`` where there is none."""
        if not points:
            return []
        wanted = [start - distance for start, _, _ in points]
        place = bisect_left(self._history, wanted[0], key=_start)
        found = self._history[place : place + len(wanted)]
        # Mostly there are no gaps, and neighbours were neighbours then.
        if [start for start, _, _ in found] == wanted:
            return [value for _, value, _ in found]
        return list(map(self._value_at, wanted))

    def _value_at(self, start: datetime) -> float | None:
        # Hashing an instant, as a mapping would, takes longer than this.
        place = bisect_left(self._history, start, key=_start)
        is_there = place < len(self._history) and self._history[place].start == start
        return self._history[place].value if is_there else None

    def _wobble(self, period: timedelta) -> float:
        """The standard deviation of a value around its season, from how recent windows differ from those before.

        Of the three to six values of one hour alone, the deviation is itself uncertain.
        """
        known = self._wobbles.get(period)
        if known is None:
            pairs = zip(self._recent, self._earlier(self._recent, period), strict=True)
            changes = [point.value - before for point, before in pairs if before is not None]
            # The difference of two independent values deviates by the root of two more than either.
            known = self._wobbles[period] = spread(changes, 0.0) / math.sqrt(2.0)
        return known

    def _around(self, values: list[float], current: Point, wobble: float, words: str) -> Expectation:
        middle = median(values)
        deviation = max(spread(values, middle), wobble, chance(self._kind, middle, current.sample))
        return Expectation(middle, deviation, words)
