"""Values that came more or less often: the clear changes, the greatest first, and nothing that chance explains."""

from random import Random

import pytest

from telemetry.core.anomaly.changed_shares import ChangedShare, Shares, changed_shares


def shares(*, weight: float = 1.0, **counts: dict[str | None, int]) -> Shares:
    found = Shares()
    for name, values in counts.items():
        for value, count in values.items():
            found.add(name, value, weight=weight, events=count)
    return found


def test_the_greatest_change_comes_first_and_what_stayed_is_left_out() -> None:
    before = shares(region={"eu": 500, "us": 500}, plan={"free": 800, "pro": 200}, step={"a": 1_000})
    since = shares(region={"eu": 90, "us": 10}, plan={"free": 60, "pro": 40}, step={"a": 100})

    assert changed_shares(before, since) == [
        ChangedShare("region", "eu", 0.5, 0.9),
        ChangedShare("region", "us", 0.5, 0.1),
        ChangedShare("plan", "free", 0.8, 0.6),
        ChangedShare("plan", "pro", 0.2, 0.4),
    ]


def test_what_is_missing_now_is_told_as_such() -> None:
    [gone, missing] = changed_shares(shares(plan={"pro": 100}), shares(plan={"pro": 20, None: 80}))

    assert (missing.value, gone.value) in {(None, "pro"), ("pro", None)}
    assert {gone.change, missing.change} == {-0.8, 0.8}


def test_values_of_few_events_point_at_nobody() -> None:
    before = shares(person={"alice": 4, "bob": 100})
    since = shares(person={"carol": 4, "bob": 8})

    assert {each.value for each in changed_shares(before, since)} <= {"bob"}


def test_chance_alone_is_no_change() -> None:
    found = 0
    for seed in range(200):
        chance = Random(seed)  # noqa: S311 - a sample, no secret
        drawn = [[chance.random() < 0.4 for _ in range(60)] for _ in range(2)]
        before, since = (shares(a={"x": sum(each), "y": 60 - sum(each)}) for each in drawn)
        found += bool(changed_shares(before, since))

    assert found <= 4


def test_few_events_of_great_weight_say_no_more_than_few() -> None:
    before = shares(a={"x": 500, "y": 500})
    few = shares(weight=100.0, a={"x": 6, "y": 2})
    many = shares(a={"x": 600, "y": 200})

    assert changed_shares(before, few) == []
    assert len(changed_shares(before, many)) == 2


def test_events_stand_for_those_that_were_sampled_out() -> None:
    since = Shares()
    since.add("plan", "pro", weight=10.0, events=50)
    since.add("plan", "free", weight=1.0, events=500)

    found = changed_shares(shares(plan={"pro": 100, "free": 900}), since)

    assert {each.value: each.since for each in found} == {"pro": 0.5, "free": 0.5}


@pytest.mark.parametrize("empty", ["before", "since"])
def test_nothing_to_compare_with_is_no_change(empty: str) -> None:
    some = shares(a={"x": 100})

    assert changed_shares(*((Shares(), some) if empty == "before" else (some, Shares()))) == []


def test_no_more_than_eight_are_told() -> None:
    before = shares(a={str(number): 100 for number in range(20)})
    since = shares(a={str(number): 1_000 if number < 10 else 1 for number in range(20)})

    assert len(changed_shares(before, since)) <= 8
