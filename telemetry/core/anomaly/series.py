"""What detectors read and say: a metric as a series of windows, and a verdict on the last of them."""

import math
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

__all__ = ["Band", "Detector", "MetricKind", "Point", "Side", "Verdict", "shown"]


class MetricKind(StrEnum):
    """What a metric counts, which says how much of its movement is chance alone."""

    COUNT = "count"
    """Events or subjects in a window: chance moves it by its square root (Poisson)."""

    RATIO = "ratio"
    """A share, 0-1, of the window's sample: chance moves it as it does a binomial share."""

    VALUE = "value"
    """A statistic of measured values, such as a mean or a percentile."""


class Side(StrEnum):
    """On which side of what was expected a value lies."""

    LOW = "low"
    HIGH = "high"


class Point(NamedTuple):
    """A metric in one window: where the window starts (aware UTC), the value, and how many events it rests on."""

    start: datetime
    value: float
    sample: int


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value is taken for normal, both ends included; ``None`` is an open end. Drawn behind the metric."""

    low: float | None = None
    expected: float | None = None
    high: float | None = None

    def side_of(self, value: float) -> Side | None:
        """On which side of the band the value lies; ``None`` within it."""
        if self.low is not None and value < self.low:
            return Side.LOW
        if self.high is not None and value > self.high:
            return Side.HIGH
        return None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector says of one window.

    ``breach`` is the side of a breach, ``None`` without one; ``is_judged`` says whether there was enough to tell.
    ``band`` is what was expected, ``None`` while there is too little to tell. ``score`` grows with the distance;
    detectors without one give 0. ``words`` explains it to a person, in one sentence without a full stop.
    """

    breach: Side | None
    band: Band | None
    score: float = 0.0
    is_judged: bool = True
    words: str


class Detector(Protocol):
    """Judges the windows of one metric, one at a time."""

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:
        """The verdict on ``current``; ``history`` are the windows before it, oldest first, all of one width."""


def shown(number: float) -> str:
    """The number for a sentence: three significant digits, whole where it is large."""
    if not math.isfinite(number):
        return "no number"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
