"""What a method reads of a history is enough: the verdict is that of the whole history."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.core.anomaly import Point
from telemetry.core.anomaly.history import IndexedHistory
from telemetry.core.anomaly.rules import detector_of
from telemetry.core.enums import AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyRule
from tests.core.anomaly.series import points

HOURS_OF_TWO_MONTHS = 60 * 24


def rule(method: AnomalyMethod) -> AnomalyRule:
    bound = 5.0 if method is AnomalyMethod.LIMITS else None
    return AnomalyRule(name="rule", statistic=Statistic.COUNT, method=method, max=bound)


@pytest.mark.parametrize("method", [AnomalyMethod.LIMITS, AnomalyMethod.SEASONAL, AnomalyMethod.LEVEL_SHIFT])
@settings(max_examples=15)
@given(
    length=st.integers(0, HOURS_OF_TWO_MONTHS),
    gap=st.tuples(st.integers(0, HOURS_OF_TWO_MONTHS), st.integers(0, 400)),
    wild=st.sets(st.integers(0, HOURS_OF_TWO_MONTHS), max_size=20),
    value=st.floats(0, 400),
)
def test_the_part_that_is_read_gives_the_verdict_of_the_whole(
    method: AnomalyMethod, length: int, gap: tuple[int, int], wild: set[int], value: float
) -> None:
    series = points([900.0 if hour in wild else 100.0 + hour % 24 for hour in range(length)])
    history = [point for hour, point in enumerate(series) if not gap[0] <= hour < sum(gap)]
    current = points([value], begin=points([0.0] * (length + 1))[-1].start)[0]
    detector = detector_of(rule(method))

    part = IndexedHistory(history).before(method, current.start)

    assert detector.judge(part, current) == detector.judge(history, current)
    assert len(part) <= 450


@pytest.mark.parametrize("method", [AnomalyMethod.SILENCE, AnomalyMethod.SURPRISE])
def test_methods_that_read_everything_get_six_weeks(method: AnomalyMethod) -> None:
    series = points([1.0] * HOURS_OF_TWO_MONTHS)

    part = IndexedHistory(series).before(method, series[-1].start)

    assert part == series[-1 - 43 * 24 : -1]


def test_windows_after_the_one_that_is_judged_are_not_read() -> None:
    series = points([1.0] * 100)

    part = IndexedHistory(reversed(series)).before(AnomalyMethod.SEASONAL, series[50].start)

    assert part[-1] == series[49]
    assert Point(series[0].start - timedelta(hours=1), 0.0, 0) not in part
