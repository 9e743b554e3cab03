"""A change that lasts: small in each window, plain in many."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from telemetry.core.anomaly.robust import chance, median, spread
from telemetry.core.anomaly.seasonal import Seasons
from telemetry.core.anomaly.series import Band, MetricKind, Point, Side, Verdict, shown

__all__ = ["LEVEL_WINDOWS", "SPAN", "LevelShift"]

# Before the span that is judged: as many windows as it takes to know the level and its spread.
_FEWEST_BEFORE: Final = 20
_MOST_BEFORE: Final = 96
SPAN: Final = 12
# Windows before the one that is judged: the rest of the span, and those that tell the level.
LEVEL_WINDOWS: Final = SPAN - 1 + _MOST_BEFORE
# Nearly all windows of the span must lie on one side, or it was a spike and no shift.
_AGREEMENT: Final = 0.8
# Neighbouring windows are not independent: as if every second one told nothing new.
_EFFECTIVE_SHARE: Final = 0.5


class LevelShift(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a mean of the last ``span`` windows far from the level before, with nearly all of them on one side.

    Each window is first taken relative to what is normal at its hour, where that is known, so that evening is no shift.
    Far is more than ``sensitivity`` standard errors *and* more than ``minimum_effect`` (ratio of the level). The same
    verdicts take less time when the ``width`` of windows is told.

    Source: a two-sample comparison of means as in Page 1954 (cumulative sums), with median and MAD as the level before.
    """

    kind: MetricKind = MetricKind.VALUE
    span: int = SPAN
    sensitivity: float = 5.0
    minimum_effect: float = 0.2
    minimum_sample: int = 10
    width: timedelta | None = None

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on the span that ends with ``current``."""
        end = len(history) + 1 - self.span
        if end < _FEWEST_BEFORE:
            return Verdict(breach=None, band=None, is_judged=False, words="too little history to know the level before")
        judged = [*history[end:], current]
        if sum([point.sample for point in judged]) < self.minimum_sample:
            return Verdict(breach=None, band=None, is_judged=False, words="too few events to judge the level")
        return self._compare(history, end, judged)

    def _compare(self, history: Sequence[Point], end: int, judged: list[Point]) -> Verdict:
        """The verdict on ``judged`` by the history before ``end``."""
        levels = Seasons(self.kind, history, end, self.width).levels(judged)
        if levels is not None:
            middles, deviations = levels
            level = sum(middles) / len(middles)
            deviation = median(deviations)
            offsets = [point.value - middle for point, middle in zip(judged, middles, strict=True)]
        else:
            values = [point.value for point in history[max(0, end - _MOST_BEFORE) : end]]
            level = median(values)
            deviation = max(spread(values, level), chance(self.kind, level, judged[-1].sample))
            offsets = [point.value - level for point in judged]
        return self._verdict(level, deviation, offsets)

    def _verdict(self, level: float, deviation: float, offsets: list[float]) -> Verdict:
        shift = sum(offsets) / len(offsets)
        error = deviation / math.sqrt(len(offsets) * _EFFECTIVE_SHARE)
        width = max(self.sensitivity * error, self.minimum_effect * abs(level))
        band = Band(low=level - width, expected=level, high=level + width)
        score = abs(shift) / error if error else 0.0
        side = band.side_of(level + shift)
        if side is None or _agreement(offsets, shift) < _AGREEMENT:
            return Verdict(breach=None, band=band, score=score, words=f"the level is still about {shown(level)}")
        verb = "rose" if side is Side.HIGH else "fell"
        words = f"the level {verb} from {shown(level)} to {shown(level + shift)} over {len(offsets)} windows"
        return Verdict(breach=side, band=band, score=score, words=words)


def _agreement(offsets: list[float], shift: float) -> float:
    """The share of the offsets on the side of the shift (ratio 0-1)."""
    return sum(1 for offset in offsets if (offset > 0) == (shift > 0) and offset) / len(offsets)
