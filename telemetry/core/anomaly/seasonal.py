"""What is normal at this hour: the same hour of other weeks, of other days, or of late."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import repeat
from operator import itemgetter, sub
from typing import Final

import msgspec

from telemetry.core.anomaly.robust import chance, chances, median, medians_and_spreads_of_six, spread
from telemetry.core.anomaly.series import Band, MetricKind, Point, Verdict, shown

__all__ = ["PERIODS", "RECENT_WINDOWS", "SEASONS", "Expectation", "SeasonalBaseline", "Seasons"]

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
# Fewer than three cannot outvote one wild value.
_FEWEST_ALIKE: Final = 3
# How far back the same hour is looked for. Six weeks are what ``medians_and_spreads_of_six`` is made for.
_WEEKS: Final = tuple(count * _WEEK for count in range(1, 7))
_DAYS: Final = tuple(count * _DAY for count in range(1, 15))
# How long before a window lie those that it is compared with, and before the recent ones those that tell the wobble.
SEASONS: Final = (*_WEEKS, *_DAYS)
PERIODS: Final = (_WEEK, _DAY)
# Without a season in sight: as many windows as give a stable median, and no fewer than can show a spread.
RECENT_WINDOWS: Final = 48
_FEWEST_RECENT: Final = 10
_OF_LATE: Final = "of late"
_start: Final = itemgetter(0)
_value: Final = itemgetter(1)


class Expectation(msgspec.Struct, frozen=True, gc=False):
    """What is normal for one window: the middle, the standard deviation around it, and what it was compared with."""

    middle: float
    deviation: float
    compared_with: str

    @property
    def has_season(self) -> bool:
        """Whether it was compared with the same hour, and not just with what was of late."""
        return self.compared_with != _OF_LATE


class SeasonalBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a value far from what is normal at its hour, by chance and by effect.

    Compared with the median of the same hour of the week in the last six weeks; while there are not three such weeks,
    with the same hour of the last 14 days; before that, with the last 48 windows. Far is more than ``sensitivity``
    standard deviations (from median absolute deviations, and never less than chance alone gives) *and* more than
    ``minimum_effect`` (ratio of the middle). Windows with fewer than ``minimum_sample`` events are not judged, unless
    the metric is a count, whose absence is news. The same verdicts take less time when the windows' ``width`` is told.

    Source: Rousseeuw & Croux 1993 for the scale; Rosner 1983 for judging against a robust middle.
    """

    kind: MetricKind = MetricKind.VALUE
    # One false alarm in some ten thousand windows, were residuals normal; real tails are heavier.
    sensitivity: float = 4.0
    minimum_effect: float = 0.25
    minimum_sample: int = 10
    width: timedelta | None = None

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on ``current``, by the windows before it."""
        normal = Seasons(self.kind, history, width=self.width).expectation(current)
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


class Seasons:
    """A history in which windows are found by their start; made once for all windows that are compared with it.

    Of the history only what lies before ``end`` (an index) counts. The ``width`` of a window, where it is known, tells
    at once that none is missing between two.
    """

    def __init__(
        self, kind: MetricKind, history: Sequence[Point], end: int | None = None, width: timedelta | None = None
    ) -> None:
        self._kind = kind
        self._history = history
        self._end = len(history) if end is None else end
        self._width = width
        self._recent = history[max(0, self._end - RECENT_WINDOWS) : self._end]
        self._wobbles: dict[timedelta, float] = {}

    def expectation(self, current: Point) -> Expectation | None:
        """What is normal for ``current``; ``None`` with too little history."""
        (found,) = self.expectations([current])
        return found

    def expectations(self, points: Sequence[Point]) -> list[Expectation | None]:
        """What is normal for each of the points, which are in the order of time."""
        weekly = self._alike(points, _WEEKS)
        daily = self._alike(points, _DAYS) if any(len(each) < _FEWEST_ALIKE for each in weekly) else weekly
        return list(map(self._expect, points, weekly, daily))

    def levels(self, points: Sequence[Point]) -> tuple[list[float], list[float]] | None:
        """The middles and the deviations of what is normal for each of the points, which are in the order of time.

        ``None`` unless there are points and each has a season: of the week, or of the day.
        """
        weeks = self._unbroken(points, _WEEKS) if points else [None]
        if None not in weeks:
            middles, spreads = medians_and_spreads_of_six(zip(*weeks, strict=True))
            by_chance = chances(self._kind, middles, points)
            return middles, list(map(max, spreads, repeat(self._wobble(_WEEK)), by_chance))
        normal = [each for each in self.expectations(points) if each is not None and each.has_season]
        if not points or len(normal) < len(points):
            return None
        return [each.middle for each in normal], [each.deviation for each in normal]

    def _expect(self, current: Point, weekly: list[float], daily: list[float]) -> Expectation | None:
        if len(weekly) >= _FEWEST_ALIKE:
            return self._around(weekly, current, self._wobble(_WEEK), "at this hour of the week")
        if len(daily) >= _FEWEST_ALIKE:
            return self._around(daily, current, self._wobble(_DAY), "at this hour of the day")
        if len(self._recent) < _FEWEST_RECENT:
            return None
        return self._around([point.value for point in self._recent], current, 0.0, _OF_LATE)

    def _alike(self, points: Sequence[Point], distances: Sequence[timedelta]) -> list[list[float]]:
        """Of each point, the values of the windows so much before it, as far as they are known."""
        rows = self._earlier(points, distances)
        return [[value for value in values if value is not None] for values in zip(*rows, strict=True)]

    def _earlier(self, points: Sequence[Point], distances: Sequence[timedelta]) -> list[Sequence[float | None]]:
        """Of each distance, the values of the windows so much before the points; ``None`` where there is none."""
        return [
            [self._value_at(point.start - distance) for point in points] if values is None else values
            for distance, values in zip(distances, self._unbroken(points, distances), strict=True)
        ]

    def _unbroken(self, points: Sequence[Point], distances: Sequence[timedelta]) -> list[list[float] | None]:
        """As ``_earlier``, but ``None`` for a distance where a window is missing, or one is in between.

        Mostly, neighbours were neighbours then.
        """
        if not points:
            return [[] for _ in distances]
        history, count = self._history, len(points)
        first, last = points[0].start, points[-1].start
        # As many as there is room for are all that there can be: to know the ends is enough.
        is_full = self._width is not None and last - first == (count - 1) * self._width
        rows: list[list[float] | None] = []
        for distance in distances:
            begin = first - distance
            place = bisect_left(history, begin, hi=self._end, key=_start)
            found = history[place : place + count]
            is_there = place + count <= self._end and found[0].start == begin and found[-1].start == last - distance
            is_alike = is_there and (is_full or _are_apart(found, points, distance))
            rows.append(list(map(_value, found)) if is_alike else None)
        return rows

    def _value_at(self, start: datetime) -> float | None:
        # Hashing an instant, as a mapping would, takes longer than this.
        place = bisect_left(self._history, start, hi=self._end, key=_start)
        is_there = place < self._end and self._history[place].start == start
        return self._history[place].value if is_there else None

    def _wobble(self, period: timedelta) -> float:
        """The standard deviation of a value around its season, from how recent windows differ from those before.

        Of the three to six values of one hour alone, the deviation is itself uncertain.
        """
        known = self._wobbles.get(period)
        if known is None:
            # The difference of two independent values deviates by the root of two more than either.
            known = self._wobbles[period] = spread(self._changes(period), 0.0) / math.sqrt(2.0)
        return known

    def _changes(self, period: timedelta) -> list[float]:
        values = list(map(_value, self._recent))
        (before,) = self._unbroken(self._recent, [period])
        if before is not None:
            return list(map(sub, values, before))
        (earlier,) = self._earlier(self._recent, [period])
        return [value - each for value, each in zip(values, earlier, strict=True) if each is not None]

    def _around(self, values: list[float], current: Point, wobble: float, words: str) -> Expectation:
        middle = median(values)
        deviation = max(spread(values, middle), wobble, chance(self._kind, middle, current.sample))
        return Expectation(middle, deviation, words)


def _are_apart(earlier: Sequence[Point], points: Sequence[Point], distance: timedelta) -> bool:
    """Whether each of the points starts so much after the one before; there are equally many of both."""
    return all(before.start + distance == point.start for before, point in zip(earlier, points, strict=True))
