"""How rare a value is among all that came before it, at its hour and in its neighbourhood."""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from telemetry.core.anomaly.robust import median
from telemetry.core.anomaly.series import Band, Point, Side, Verdict, shown

__all__ = ["HoldDown", "Surprise", "SurpriseScore", "SurpriseScorer"]

# Values that ranks are taken among: two weeks of five-minute windows, and room for the oldest to fade.
_MEMORY: Final = 5_000
# A rank among fewer says nothing.
_FEWEST: Final = 10
# Days of which the same time of day is remembered.
_DAYS: Final = 14
# Windows over which residuals are averaged: a short one for spikes, a long one for changes of shape.
_SHORT, _LONG = 3, 20
# The share cut off at both ends to see how wide the bulk of the values is.
_TAIL_SHARE: Final = 20
# What a distance of one such width is multiplied by, before its logarithm: it then adds 1.5 to the surprise.
_REACH: Final = 30.0
_DAY_SECONDS: Final = 86_400


class SurpriseScore(NamedTuple):
    """``score`` sums three surprises, each -log10 of a two-sided rank probability; ``side`` is the value's."""

    score: float
    side: Side


class SurpriseScorer:
    """Scores each value of a series as it comes, by what came before; one series per scorer, in the order of time.

    Three views: the value among all values; its difference from the median at the same time of day (that window and its
    two neighbours, last 14 days) over 3 windows; the same over 20. Each view adds -log10 of how rare it is. Beyond all
    that was seen, the surprise grows with the logarithm of the distance, measured in widths of the bulk. Views that
    differ in kind agree by chance only rarely, which is why their sum tells more than any of them. Some 20 microseconds
    and 40 bytes of memory a value.

    Source: empirical tail probabilities summed on a log scale as in Fisher's method of combining tests (1925).
    """

    def __init__(self, width: timedelta) -> None:
        """``width`` is that of a window; ``ValueError`` unless it is positive."""
        if width <= timedelta(0):
            raise ValueError("a window has a positive width")
        self._seconds = max(1, round(width.total_seconds()))
        self._slots: dict[int, deque[float]] = {}
        self._residuals: deque[float] = deque(maxlen=_LONG)
        self._value, self._short, self._long = _Tail(), _Tail(), _Tail()

    def score(self, start: datetime, value: float) -> SurpriseScore:
        """How surprising ``value`` is in the window that begins at ``start``; it counts as seen from here on."""
        residual = self._residual(start, value)
        self._residuals.append(0.0 if residual is None else residual)
        residuals = list(self._residuals)
        surprise, side = self._value.surprise(value)
        short, _ = self._short.surprise(_mean(residuals[-_SHORT:]))
        long, _ = self._long.surprise(_mean(residuals))
        if residual is None:
            short = 0.0
        return SurpriseScore(surprise + short + long, side)

    def _residual(self, start: datetime, value: float) -> float | None:
        """The difference from the usual at this time of day; ``None`` while that is not known."""
        second = start.hour * 3600 + start.minute * 60 + start.second
        slot, slots = second // self._seconds, max(1, _DAY_SECONDS // self._seconds)
        usual = [seen for near in (slot - 1, slot, slot + 1) for seen in self._slots.get(near % slots, ())]
        self._slots.setdefault(slot % slots, deque(maxlen=_DAYS)).append(value)
        return value - median(usual) if len(usual) > 1 else None


class _Tail:
    """The values seen, in order of time and of size."""

    __slots__ = ("_by_size", "_by_time")

    def __init__(self) -> None:
        self._by_size: list[float] = []
        self._by_time: deque[float] = deque()

    def surprise(self, value: float) -> tuple[float, Side]:
        """-log10 of how rare a value at least this extreme is, and on which side of the middle it lies."""
        ordered, count = self._by_size, len(self._by_size)
        at_most, at_least = bisect_right(ordered, value), count - bisect_left(ordered, value)
        side = Side.LOW if at_most < at_least else Side.HIGH
        rarity = 0.0
        if count >= _FEWEST:
            rarity = max(0.0, -math.log10(min(1.0, 2.0 * (min(at_most, at_least) + 1) / (count + 1))))
            if not at_most or not at_least:
                rarity += self._beyond(value)
        self._remember(value)
        return rarity, side

    def _beyond(self, value: float) -> float:
        """What the distance to the nearest value ever seen adds."""
        ordered, count = self._by_size, len(self._by_size)
        cut = count // _TAIL_SHARE
        lowest, highest = ordered[0], ordered[-1]
        # A series that hardly ever moves has no bulk to measure by: then a fiftieth of its whole range.
        width = max(ordered[count - 1 - cut] - ordered[cut], 0.02 * (highest - lowest), 1e-9 * (abs(value) + 1.0))
        distance = value - highest if value > highest else lowest - value
        return math.log10(1.0 + _REACH * distance / width)

    def _remember(self, value: float) -> None:
        insort(self._by_size, value)
        self._by_time.append(value)
        if len(self._by_time) > _MEMORY:
            del self._by_size[bisect_left(self._by_size, self._by_time.popleft())]


class HoldDown:
    """One episode, one alert: a score passes only if it is above all of the last ``windows``; else it becomes 0."""

    def __init__(self, windows: int = 100) -> None:
        self._windows = windows
        self._peaks: deque[tuple[int, float]] = deque()
        self._index = 0

    def passes(self, score: float) -> float:
        """The score, or 0 within an episode."""
        while self._peaks and self._peaks[0][0] < self._index - self._windows:
            self._peaks.popleft()
        passed = score if not self._peaks or score > self._peaks[0][1] else 0.0
        while self._peaks and self._peaks[-1][1] <= score:
            self._peaks.pop()
        self._peaks.append((self._index, score))
        self._index += 1
        return passed


class Surprise(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a window whose surprise reaches ``sensitivity``: rare as a value, at its hour and for its shape.

    Needs no season and no settings: for metrics that nobody knows well. ``sensitivity`` 7 means about one chance in
    ten million if the three views were independent; they are not quite, so expect some alarms in a hundred thousand
    windows.
    """

    sensitivity: float = 7.0
    minimum_sample: int = 1

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on ``current``. Reads the whole history: where windows come one by one, keep a scorer."""
        if len(history) < _FEWEST:
            return Verdict(breach=None, band=None, is_judged=False, words="too little history to know what is rare")
        scorer = SurpriseScorer(history[-1].start - history[-2].start)
        for point in history:
            scorer.score(point.start, point.value)
        return self.verdict(scorer.score(current.start, current.value), history, current)

    def verdict(self, scored: SurpriseScore, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict for a score that a scorer gave; ``history`` is for the band alone."""
        values = sorted(point.value for point in history)
        band = Band(low=values[0], expected=median(values), high=values[-1]) if values else None
        words = f"{shown(current.value)} has a surprise of {shown(scored.score)} of {shown(self.sensitivity)}"
        judged = current.sample >= self.minimum_sample and scored.score >= self.sensitivity
        breach = scored.side if judged else None
        is_judged = current.sample >= self.minimum_sample
        return Verdict(breach=breach, band=band, score=scored.score, is_judged=is_judged, words=words)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
