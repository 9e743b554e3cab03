"""The detectors: what each finds, what it leaves alone, and what it says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.anomaly import (
    Detector,
    LevelShift,
    Limits,
    MetricKind,
    Point,
    SeasonalBaseline,
    Side,
    Silence,
    Surprise,
    Verdict,
)
from tests.core.anomaly.series import HOUR, counts, daily, points, weeks

MINUTES = timedelta(minutes=5)
EVERY = [
    Limits(min=0.0, max=1.0),
    *(SeasonalBaseline(kind=kind) for kind in MetricKind),
    *(LevelShift(kind=kind) for kind in MetricKind),
    Silence(),
    Surprise(),
]


def judge_last(detector: Detector, series: list[Point]) -> Verdict:
    return detector.judge(series[:-1], series[-1])


def alerts(detector: Detector, series: list[Point], *, begin: int) -> list[int]:
    """The windows from ``begin`` on in which the detector sees a breach."""
    return [index for index in range(begin, len(series)) if detector.judge(series[:index], series[index]).breach]


@pytest.mark.parametrize(
    ("value", "side", "words"),
    [
        (2.0, None, "2 is within the limits"),
        (5.0, None, "5 is within the limits"),
        (5.1, Side.HIGH, "5.1 is above the maximum of 5"),
        (0.9, Side.LOW, "0.9 is below the minimum of 1"),
    ],
)
def test_limits_are_broken_strictly_beyond_them(value: float, side: Side | None, words: str) -> None:
    verdict = judge_last(Limits(min=1.0, max=5.0, minimum_sample=10), points([value], sample=10))

    assert (verdict.breach, verdict.words) == (side, words)


def test_limits_do_not_judge_a_window_with_too_few_events() -> None:
    verdict = judge_last(Limits(max=5.0, minimum_sample=10), points([99.0], sample=9))

    assert verdict.breach is None
    assert verdict.words == "9 of the 10 events that it takes to judge"


def test_a_season_is_no_anomaly() -> None:
    series = counts(weeks(5, daily))

    assert alerts(SeasonalBaseline(kind=MetricKind.COUNT), series, begin=4 * 168) == []


def test_an_outage_at_a_busy_hour_is_one_that_the_same_hour_of_other_weeks_tells() -> None:
    series = counts([*weeks(4, daily)[: 3 * 168 + 12], 20.0])

    verdict = judge_last(SeasonalBaseline(kind=MetricKind.COUNT), series)

    assert verdict.breach is Side.LOW
    assert "is usual at this hour of the week" in verdict.words
    assert verdict.band is not None
    assert verdict.band.expected == daily(0, 12)


def test_a_night_that_is_as_busy_as_the_day_is_too_high_although_the_day_is_busier() -> None:
    midnight = 3 * 168 + 24
    series = counts([*weeks(4, daily)[:midnight], 340.0])

    assert judge_last(SeasonalBaseline(kind=MetricKind.COUNT), series).breach is Side.HIGH
    assert max(point.value for point in series[:-1]) > 340.0


def test_before_three_weeks_the_same_hour_of_the_day_is_what_counts() -> None:
    series = counts([*weeks(1, daily)[: 5 * 24 + 12], 20.0])

    verdict = judge_last(SeasonalBaseline(kind=MetricKind.COUNT), series)

    assert verdict.breach is Side.LOW
    assert "at this hour of the day" in verdict.words


def test_a_deviation_without_effect_is_none() -> None:
    steady = [1000.0] * (3 * 168)

    assert judge_last(SeasonalBaseline(minimum_effect=0.25), points([*steady, 1240.0])).breach is None
    assert judge_last(SeasonalBaseline(minimum_effect=0.25), points([*steady, 1260.0])).breach is Side.HIGH


def test_small_counts_may_vary_as_chance_has_it() -> None:
    steady = [4.0] * (3 * 168)

    assert judge_last(SeasonalBaseline(kind=MetricKind.COUNT), counts([*steady, 10.0])).breach is None
    assert judge_last(SeasonalBaseline(kind=MetricKind.COUNT), counts([*steady, 13.0])).breach is Side.HIGH


def test_a_share_of_few_events_may_vary_as_chance_has_it() -> None:
    steady = [0.1] * (3 * 168)
    detector = SeasonalBaseline(kind=MetricKind.RATIO)

    assert judge_last(detector, points([*steady, 0.3], sample=10)).breach is None
    assert judge_last(detector, points([*steady, 0.3], sample=1000)).breach is Side.HIGH


def test_a_young_metric_is_not_judged() -> None:
    verdict = judge_last(SeasonalBaseline(), points([1.0] * 5))

    assert (verdict.breach, verdict.band) == (None, None)
    assert verdict.words == "too little history to know what is normal"


def test_a_fifth_less_for_half_a_day_is_a_shift_though_no_hour_of_it_is_an_anomaly() -> None:
    usual = weeks(5, daily)
    lowered = [value * 0.7 for value in usual[4 * 168 : 4 * 168 + 12]]
    series = counts([*usual[: 4 * 168], *lowered])

    assert judge_last(LevelShift(kind=MetricKind.COUNT), series).breach is Side.LOW
    assert alerts(LevelShift(kind=MetricKind.COUNT), counts(usual), begin=4 * 168) == []


def test_a_spike_is_no_shift() -> None:
    steady = [100.0 + index % 5 for index in range(100)]

    assert judge_last(LevelShift(), points([*steady, 100.0, 5000.0, 101.0])).breach is None


def test_a_shift_says_from_where_to_where() -> None:
    verdict = judge_last(LevelShift(span=6), points([*([100.0, 102.0] * 30), *([200.0] * 6)]))

    assert verdict.breach is Side.HIGH
    assert verdict.words == "the level rose from 101 to 200 over 6 windows"


def test_the_silence_of_an_hourly_event_is_found_within_two_cadences() -> None:
    hourly = [1.0 if minute % 60 == 0 else 0.0 for minute in range(0, 7 * 1440, 5)]
    series = counts([*hourly, *[0.0] * 24], width=MINUTES)

    found = alerts(Silence(), series, begin=len(hourly))

    # The last event came in the window that begins 55 minutes before the silence does.
    since_last_event = (found[0] - (len(hourly) - 12)) * MINUTES
    assert HOUR < since_last_event <= 2 * HOUR
    assert alerts(Silence(), counts(hourly, width=MINUTES), begin=1500) == []


def test_a_busy_event_is_missed_long_before_its_longest_pause() -> None:
    # Busy by day, nothing for ten hours of the night: the longest pause says nothing about the day.
    series = counts(weeks(4, lambda _day, hour: 0.0 if hour < 10 else 30.0)[: 3 * 168 + 14])

    verdict = judge_last(Silence(), [*series, Point(series[-1].start + HOUR, 0.0, 0)])

    assert verdict.breach is Side.LOW
    assert verdict.words == "nothing for 60 minutes, in which 30 events are usual"
    assert alerts(Silence(), series, begin=2 * 168) == []


def test_an_event_that_hardly_ever_comes_has_no_cadence() -> None:
    assert judge_last(Silence(), counts([1.0, *[0.0] * 500])).words == "too few arrivals to know the cadence"


def test_surprise_finds_a_spike_in_noise() -> None:
    noisy = [10.0 + (index * 7919 % 13) for index in range(500)]

    assert judge_last(Surprise(), points([*noisy, 500.0])).breach is Side.HIGH
    assert judge_last(Surprise(), points([*noisy, 22.0])).breach is None


@given(
    values=st.lists(st.floats(min_value=-1e300, max_value=1e300), min_size=1, max_size=60),
    sample=st.integers(0, 1_000_000),
)
@pytest.mark.parametrize("detector", EVERY, ids=lambda each: type(each).__name__ + getattr(each, "kind", ""))
def test_every_series_has_the_same_verdict_twice(detector: Detector, values: list[float], sample: int) -> None:
    series = points(values, sample=sample)

    assert judge_last(detector, series) == judge_last(detector, series)


@given(value=st.floats(min_value=0, max_value=1e12), length=st.integers(1, 600))
@pytest.mark.parametrize("detector", EVERY[1:], ids=lambda each: type(each).__name__ + getattr(each, "kind", ""))
def test_what_never_changes_is_never_an_anomaly(detector: Detector, value: float, length: int) -> None:
    constant = value / 1e12 if getattr(detector, "kind", None) is MetricKind.RATIO else value

    assert judge_last(detector, points([constant] * length)).breach is None
