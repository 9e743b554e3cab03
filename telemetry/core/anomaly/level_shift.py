"""A change that lasts: small in each window, plain in many."""

import math
from collections.abc import Sequence
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
    Far is more than ``sensitivity`` standard errors *and* more than ``minimum_effect`` (ratio of the level).

    Source: a two-sample comparison of means as in Page 1954 (cumulative sums), with median and MAD as the level before.
    """

    kind: MetricKind = MetricKind.VALUE
    span: int = SPAN
    sensitivity: float = 5.0
    minimum_effect: float = 0.2
    minimum_sample: int = 10

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on the span that ends with ``current``."""
        end = len(history) + 1 - self.span
        judged, before = [*history[max(0, end) :], current], history[max(0, end - _MOST_BEFORE) : max(0, end)]
        if len(judged) < self.span or len(before) < _FEWEST_BEFORE:
            return Verdict(breach=None, band=None, is_judged=False, words="too little history to know the level before")
        if sum(point.sample for point in judged) < self.minimum_sample:
            return Verdict(breach=None, band=None, is_judged=False, words="too few events to judge the level")
        return self._compare(history[:end], judged, before)

    def _compare(self, earlier: Sequence[Point], judged: list[Point], before: Sequence[Point]) -> Verdict:
        seasonal = Seasons(self.kind, earlier).expectations(judged)
        known = [normal for normal in seasonal if normal is not None and normal.compared_with != "of late"]
        if len(known) == len(judged):
            level = sum(normal.middle for normal in known) / len(known)
            deviation = median([normal.deviation for normal in known])
            offsets = [point.value - normal.middle for point, normal in zip(judged, known, strict=True)]
        else:
            values = [point.value for point in before]
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
        agreeing = sum(1 for offset in offsets if (offset > 0) == (shift > 0) and offset) / len(offsets)
        if side is None or agreeing < _AGREEMENT:
            return Verdict(breach=None, band=band, score=score, words=f"the level is still about {shown(level)}")
        verb = "rose" if side is Side.HIGH else "fell"
        words = f"the level {verb} from {shown(level)} to {shown(level + shift)} over {len(offsets)} windows"
        return Verdict(breach=side, band=band, score=score, words=words)
