"""The pace after an outage: five times what is normal, give or take a fifth."""

import pytest

from telemetry.sdk.draining import DrainPace


class Clock:
    """A clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make_pace(clock: Clock, *, jitter: float = 1.0) -> DrainPace:
    return DrainPace(monotonic=clock, uniform=lambda _low, _high: jitter)


@pytest.mark.parametrize("normal", [100, 2000])
@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_the_rate_is_five_times_the_normal_one_however_long_it_was_watched(normal: int, minutes: int) -> None:
    clock = Clock()
    pace = make_pace(clock)

    for _ in range(minutes * 60):
        clock.now += 1
        pace.came(normal)

    assert pace.rate() == pytest.approx(5 * normal, rel=0.02)
    assert pace.pause_after(1000) == pytest.approx(1000 / (5 * normal), rel=0.02)


def test_a_process_that_tracks_little_or_has_only_just_begun_sends_a_hundred_per_second() -> None:
    clock = Clock()
    pace = make_pace(clock)

    assert pace.rate() == 100
    assert pace.pause_after(50) == 0.5


def test_the_pause_is_spread_by_a_fifth() -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    pace = DrainPace(monotonic=Clock(), uniform=uniform)

    assert pace.pause_after(100) == pytest.approx(0.8)
    assert bounds == [(0.8, 1.2)]
