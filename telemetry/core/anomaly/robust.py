"""Statistics that a few wild values do not move."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from telemetry.core.anomaly.series import MetricKind

__all__ = ["chance", "median", "spread"]

# Makes the median absolute deviation of a normal distribution equal to its standard deviation.
# Source: Rousseeuw & Croux, Alternatives to the Median Absolute Deviation, 1993.
_MAD_TO_SIGMA: Final = 1.4826
# What statistics of measured values wobble from window to window even where history says that they never did.
_STEADY_SHARE: Final = 0.02


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two middle ones; ``IndexError`` for none."""
    ordered = sorted(values)
    half, is_odd = divmod(len(ordered), 2)
    return ordered[half] if is_odd else (ordered[half - 1] + ordered[half]) / 2


def spread(values: Sequence[float], center: float) -> float:
    """The median absolute deviation from ``center``, scaled to a standard deviation; 0 for no values."""
    if not values:
        return 0.0
    return _MAD_TO_SIGMA * median([abs(value - center) for value in values])


def chance(kind: MetricKind, expected: float, sample: float) -> float:
    """The standard deviation that chance alone gives a metric with this expectation: the least that is normal.

    Poisson for counts, binomial for shares of ``sample`` events, and a fiftieth of the value for measured values. A
    count of nothing is still expected to vary by one, a share of nothing by one event.
    """
    if kind is MetricKind.COUNT:
        return math.sqrt(max(expected, 1.0))
    if kind is MetricKind.RATIO:
        share = min(max(expected, 0.0), 1.0)
        size = max(sample, 1.0)
        return max(math.sqrt(share * (1.0 - share) / size), 1.0 / size)
    return abs(expected) * _STEADY_SHARE
