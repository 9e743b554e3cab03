"""What is normal at an hour: quick for many windows at once, and the same as when each value is looked up by itself."""

import math
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.anomaly import LevelShift, MetricKind, Point
from telemetry.core.anomaly.robust import chance, chances, median, medians_and_spreads_of_six, spread
from telemetry.core.anomaly.seasonal import Seasons
from tests.core.anomaly.series import HOUR, counts, daily, points, weeks

DAY = timedelta(days=1)
VALUES = st.floats(-1e12, 1e12)


def levels_one_by_one(kind: MetricKind, history: list[Point], judged: list[Point]) -> tuple[list[float], ...] | None:
    """What ``Seasons.levels`` says, by a mapping of the history and without any short cut."""
    known = {point.start: point.value for point in history}
    found = []
    for point in judged:
        for period, periods in ((7 * DAY, 6), (DAY, 14)):
            starts = [point.start - count * period for count in range(1, periods + 1)]
            values = [known[start] for start in starts if start in known]
            if len(values) >= 3:
                changes = [
                    recent.value - known[recent.start - period]
                    for recent in history[-48:]
                    if recent.start - period in known
                ]
                wobble = spread(changes, 0.0) / math.sqrt(2.0)
                middle = median(values)
                found.append((middle, max(spread(values, middle), wobble, chance(kind, middle, point.sample))))
                break
        else:
            return None
    return [middle for middle, _ in found], [deviation for _, deviation in found]


@given(
    kind=st.sampled_from(MetricKind),
    hours=st.integers(300, 1400),
    missing=st.sets(st.integers(0, 1400), max_size=8),
    every=st.sampled_from([1, 1, 1, 2]),
    is_width_known=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_many_windows_at_once_have_the_levels_of_each_by_itself(
    kind: MetricKind, hours: int, missing: set[int], every: int, is_width_known: bool, random: Random
) -> None:
    values = [random.uniform(0.0, 2.0) + hour % 24 for hour in range(hours)]
    series = [point for hour, point in enumerate(points(values)) if hour not in missing and hour % every == 0]
    history, judged = series[:-12], series[-12:]

    seasons = Seasons(kind, series, len(history), HOUR if is_width_known else None)

    assert seasons.levels(judged) == levels_one_by_one(kind, history, judged)


@pytest.mark.parametrize("is_shift", [False, True])
def test_a_level_shift_is_the_same_whether_the_width_of_windows_is_told_or_not(is_shift: bool) -> None:
    usual = weeks(7, daily)
    series = counts([*usual[:-12], *[value * (0.6 if is_shift else 1.0) for value in usual[-12:]]])

    verdicts = [LevelShift(kind=MetricKind.COUNT, width=width).judge(series[:-1], series[-1]) for width in (None, HOUR)]

    assert verdicts[0] == verdicts[1]
    assert bool(verdicts[0].breach) is is_shift


def test_windows_that_are_not_neighbours_are_not_taken_for_them() -> None:
    # Every second hour is there, of the week before one at an odd hour instead of its neighbour: as many as there are.
    series = [point for hour, point in enumerate(points(weeks(7, daily))) if hour % 2 == 0]
    odd = series[-84 - 6]
    history = sorted([*series[:-12], odd._replace(start=odd.start + HOUR, value=9e9)])
    history.remove(odd)

    levels = Seasons(MetricKind.VALUE, history, width=HOUR).levels(series[-12:])

    assert levels == levels_one_by_one(MetricKind.VALUE, history, series[-12:])
    assert levels is not None
    assert max(levels[0]) < 9e9


def test_no_windows_have_no_level() -> None:
    assert Seasons(MetricKind.VALUE, points([1.0] * 1200)).levels([]) is None


@given(st.lists(st.lists(VALUES, min_size=6, max_size=6), min_size=1, max_size=5))
def test_six_values_at_once_have_their_median_and_spread(samples: list[list[float]]) -> None:
    medians, spreads = medians_and_spreads_of_six(samples)

    assert medians == [median(values) for values in samples]
    assert spreads == [spread(values, middle) for values, middle in zip(samples, medians, strict=True)]


@pytest.mark.parametrize("kind", MetricKind)
@given(expected=st.lists(st.floats(0, 1e12), max_size=5), sample=st.integers(0, 1000))
def test_many_chances_are_those_of_each(kind: MetricKind, expected: list[float], sample: int) -> None:
    around = points(expected, sample=sample)

    assert chances(kind, expected, around) == [chance(kind, each, sample) for each in expected]
