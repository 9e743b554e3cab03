"""How rare a value is, and one alert per episode."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.anomaly import HoldDown, Side, SurpriseScorer
from tests.core.anomaly.series import HOUR, daily, points, weeks


def scores(values: list[float]) -> list[float]:
    scorer = SurpriseScorer(HOUR)
    return [scorer.score(point.start, point.value).score for point in points(values)]


def test_a_value_at_the_wrong_hour_is_more_surprising_than_at_the_right_one() -> None:
    usual = weeks(2, daily)

    at_night = scores([*usual, daily(0, 12)])[-1]
    at_noon = scores([*usual[:-12], daily(0, 12)])[-1]

    assert at_night > at_noon + 2


def test_surprise_grows_with_the_distance_beyond_all_that_was_seen() -> None:
    usual = weeks(2, daily)

    assert scores([*usual, 500.0])[-1] < scores([*usual, 5_000.0])[-1] < scores([*usual, 50_000.0])[-1]


def test_the_side_is_that_of_the_value() -> None:
    scorer = SurpriseScorer(HOUR)
    for point in points(weeks(1, daily)):
        scorer.score(point.start, point.value)

    assert scorer.score(points([0.0])[0].start, -1000.0).side is Side.LOW
    assert scorer.score(points([0.0])[0].start, 9000.0).side is Side.HIGH


@given(values=st.lists(st.integers(-100, 100).map(float), max_size=60), factor=st.sampled_from([2.0, 0.5, 1024.0]))
def test_the_unit_of_a_metric_does_not_matter(values: list[float], factor: float) -> None:
    # Powers of two scale doubles exactly; spread-out values keep away from the guard against a zero width.
    spread = [value * 1000.0 for value in [*range(-20, 20), *values]]

    assert scores([value * factor for value in spread]) == pytest.approx(scores(spread), abs=1e-3)


def test_a_window_has_a_positive_width() -> None:
    with pytest.raises(ValueError, match="positive width"):
        SurpriseScorer(timedelta(0))


def test_one_episode_is_one_alert_until_it_gets_worse_or_is_long_over() -> None:
    hold_down = HoldDown(windows=3)

    assert [hold_down.passes(score) for score in [1, 5, 4, 5, 6, 1, 1, 1, 2]] == [1, 5, 0, 0, 6, 0, 0, 0, 2]


@given(scores=st.lists(st.floats(0, 100), max_size=50), windows=st.integers(1, 10))
def test_what_passes_is_above_all_of_the_last_windows(scores: list[float], windows: int) -> None:
    hold_down = HoldDown(windows)

    passed = [hold_down.passes(score) for score in scores]

    assert passed == [
        score if all(score > before for before in scores[max(0, index - windows) : index]) else 0.0
        for index, score in enumerate(scores)
    ]
