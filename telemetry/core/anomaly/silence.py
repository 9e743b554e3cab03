"""An event that should have come by now."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

import msgspec

from telemetry.core.anomaly.seasonal import Seasons
from telemetry.core.anomaly.series import Band, MetricKind, Point, Side, Verdict, shown

__all__ = ["Silence"]

# Before so many arrivals nobody knows the cadence.
_FEWEST_GAPS: Final = 10


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a stretch without events that is too long for the event's own cadence.

    Too long is one of: longer than ``patience`` times the longest stretch of the history; or a stretch in which, hour
    by hour, at least ``certainty`` events are normal, so that chance alone gives none with probability
    e to the minus ``certainty`` at most. Points are counts per window, empty windows included.

    Source: Poisson probability of no arrival; ``patience`` 1.5 finds an hourly event's silence within two cadences.
    """

    patience: float = 1.5
    certainty: float = 10.0

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on the stretch without events that ends with ``current``."""
        if current.value > 0:
            return Verdict(breach=None, band=Band(low=1.0), words="events arrive")
        arrivals = [index for index, point in enumerate(history) if point.value > 0]
        if len(arrivals) <= _FEWEST_GAPS:
            return Verdict(breach=None, band=None, is_judged=False, words="too few arrivals to know the cadence")
        silent = len(history) - arrivals[-1]
        longest = max(after - before for before, after in pairwise(arrivals))
        missed = self._missed(history, current, silent)
        stretch = _words(silent * (current.start - history[-1].start))
        if silent > self.patience * longest:
            usual = _words(longest * (current.start - history[-1].start))
            words = f"nothing for {stretch}; the longest pause before was {usual}"
        elif missed >= self.certainty:
            words = f"nothing for {stretch}, in which {shown(missed)} events are usual"
        else:
            return Verdict(breach=None, band=Band(low=0.0), score=missed, words=f"a pause of {stretch} is normal")
        return Verdict(breach=Side.LOW, band=Band(low=1.0, expected=missed), score=missed, words=words)

    def _missed(self, history: Sequence[Point], current: Point, silent: int) -> float:
        """How many events are normal in the silent stretch, up to what makes it certain."""
        seasons = Seasons(MetricKind.COUNT, history[: len(history) + 1 - silent])
        missed = 0.0
        for point in [*history[len(history) + 1 - silent :], current]:
            normal = seasons.expectation(point)
            missed += 0.0 if normal is None else normal.middle
            if missed >= self.certainty:
                break
        return missed


def _words(stretch: timedelta) -> str:
    minutes = stretch.total_seconds() / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"
