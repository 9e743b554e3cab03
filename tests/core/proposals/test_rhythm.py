"""How much of a metric is its daily rhythm."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.proposals.rhythm import strength_of_rhythm

START = datetime(2026, 11, 2, tzinfo=UTC)


def hourly(values: list[float]) -> list[tuple[datetime, float]]:
    return [(START + timedelta(hours=number), value) for number, value in enumerate(values)]


def test_what_is_the_same_each_day_is_all_rhythm() -> None:
    assert strength_of_rhythm(hourly([float(number % 24) for number in range(96)])) == pytest.approx(1.0)


def test_what_changes_from_day_to_day_alone_has_none() -> None:
    assert strength_of_rhythm(hourly([float(number // 24) for number in range(96)])) == pytest.approx(0.0)


@pytest.mark.parametrize("values", [[], [5.0] * 96, [1.0, 9.0] * 23])
def test_of_little_or_of_what_never_varies_nothing_can_be_said(values: list[float]) -> None:
    assert strength_of_rhythm(hourly(values)) == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=48, max_size=200))
def test_it_is_a_share(values: list[float]) -> None:
    assert 0.0 <= strength_of_rhythm(hourly(values)) <= 1.0 + 1e-9
