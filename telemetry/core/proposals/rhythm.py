"""How much of what varies in a metric is its daily rhythm."""

from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import fmean, pvariance

__all__ = ["strength_of_rhythm"]

_LEAST_POINTS = 48


def strength_of_rhythm(points: Iterable[tuple[datetime, float]]) -> float:
    """The share (0-1) of the variance that the hour of the day (UTC) explains; 0 for fewer than 48 points.

    Source: strength of seasonality, max(0, 1 - Var(remainder) / Var(seasonal + remainder)), Hyndman and
    Athanasopoulos, Forecasting: Principles and Practice, section 6.7; the trend is left in, which makes it lower.
    """
    known = [(at.astimezone(UTC).hour, value) for at, value in points]
    if len(known) < _LEAST_POINTS:
        return 0.0
    total = pvariance(value for _, value in known)
    if total == 0:
        return 0.0
    by_hour: dict[int, list[float]] = {}
    for hour, value in known:
        by_hour.setdefault(hour, []).append(value)
    usual = {hour: fmean(values) for hour, values in by_hour.items()}
    return max(0.0, 1.0 - pvariance(value - usual[hour] for hour, value in known) / total)
