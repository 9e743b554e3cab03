"""When to ask again, and which answers to believe."""

import pytest

from telemetry.sdk.pacing import PollPace, RevisionGuard


def lowest(least: float, most: float) -> float:
    return least


def highest(least: float, most: float) -> float:
    return most


def test_polls_spread_over_a_fifth_of_the_interval_to_either_side() -> None:
    assert PollPace(60.0, uniform=lowest).after_success() == 48.0
    assert PollPace(60.0, uniform=highest).after_success() == 72.0


def test_without_a_config_failures_are_followed_by_growing_pauses_up_to_five_minutes() -> None:
    pace = PollPace(60.0, uniform=highest)

    pauses = [pace.after_failure(has_config=False, retry_after=None) for _ in range(11)]

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_with_a_config_the_first_pause_is_an_interval_less_up_to_half() -> None:
    assert PollPace(60.0, uniform=highest).after_failure(has_config=True, retry_after=None) == 60.0
    assert PollPace(60.0, uniform=lowest).after_failure(has_config=True, retry_after=None) == 30.0


def test_an_interval_above_five_minutes_is_never_shortened_by_failures() -> None:
    pace = PollPace(900.0, uniform=highest)

    pauses = [pace.after_failure(has_config=True, retry_after=None) for _ in range(3)]

    assert pauses == [900.0, 900.0, 900.0]


def test_a_success_resets_the_growth() -> None:
    pace = PollPace(60.0, uniform=highest)
    pace.after_failure(has_config=False, retry_after=None)
    pace.after_failure(has_config=False, retry_after=None)

    pace.after_success()

    assert pace.after_failure(has_config=False, retry_after=None) == 1.0


@pytest.mark.parametrize(("retry_after", "expected"), [(0.2, 1.0), (20.0, 20.0), (86_400.0, 3600.0)])
def test_the_servers_wish_is_the_least_pause_up_to_an_hour(retry_after: float, expected: float) -> None:
    assert PollPace(60.0, uniform=highest).after_failure(has_config=False, retry_after=retry_after) == expected


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan")])
def test_an_interval_of_nothing_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        PollPace(interval)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_equal_and_newer_revisions_are_admitted_and_older_ones_are_not() -> None:
    guard = RevisionGuard(monotonic=Clock())

    assert guard.admits(5, known=None)
    assert guard.admits(5, known=5)
    assert guard.admits(6, known=5)
    assert not guard.admits(4, known=5)


def test_older_answers_alone_for_a_quarter_of_an_hour_mean_that_the_studio_was_restored() -> None:
    clock = Clock()
    guard = RevisionGuard(monotonic=clock)

    admitted = []
    for now in (1000.0, 1450.0, 1899.9, 1900.0):
        clock.now = now
        admitted.append(guard.admits(4, known=5))

    assert admitted == [False, False, False, True]


def test_two_older_answers_are_never_enough_however_far_apart() -> None:
    clock = Clock()
    guard = RevisionGuard(monotonic=clock)
    guard.admits(4, known=5)
    clock.now += 100_000.0

    assert not guard.admits(4, known=5)
    assert guard.admits(4, known=5)


@pytest.mark.parametrize("answer", ["the same revision", "not modified"])
def test_one_answer_that_knows_the_present_revision_starts_the_count_again(answer: str) -> None:
    clock = Clock()
    guard = RevisionGuard(monotonic=clock)
    guard.admits(4, known=5)
    guard.admits(4, known=5)
    clock.now += 1000.0

    if answer == "not modified":
        guard.confirm()
    else:
        guard.admits(5, known=5)

    assert [guard.admits(4, known=5) for _ in range(5)] == [False] * 5
