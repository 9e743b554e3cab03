"""Series of windows for the detectors' tests."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from telemetry.core.anomaly import Point

# A Monday.
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def points(
    values: Sequence[float], *, width: timedelta = HOUR, sample: int = 100, begin: datetime = BEGIN
) -> list[Point]:
    return [Point(begin + index * width, float(value), sample) for index, value in enumerate(values)]


def counts(values: Sequence[float], *, width: timedelta = HOUR) -> list[Point]:
    """Counts, which are their own sample."""
    return [Point(point.start, point.value, int(point.value)) for point in points(values, width=width)]


def weeks(number: int, at: Callable[[int, int], float]) -> list[float]:
    """Hourly values; ``at`` says the value for a day of the week (0-6) and an hour (0-23)."""
    return [at(hour // 24 % 7, hour % 24) for hour in range(number * 168)]


def daily(_day: int, hour: int) -> float:
    """More by day than by night, with a little that differs from hour to hour."""
    return 200.0 + 150.0 * math.sin((hour - 6) / 24 * 2 * math.pi) + hour % 3
