"""Rules inside one process: the very verdicts of the studio's detectors, each window once, and never much memory."""

import tracemalloc
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from telemetry.core.anomaly import Anomaly, AnomalyMonitor, Point, Seen
from telemetry.core.anomaly.event_series import MOST_POINTS
from telemetry.core.anomaly.history import IndexedHistory
from telemetry.core.anomaly.rules import detector_of
from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyDetection, AnomalyRule, EventDefinition, Threshold
from tests.core.builders import NOON, make_event

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def rule(statistic: Statistic = Statistic.COUNT, **fields: Any) -> AnomalyRule:
    return AnomalyRule(**{"name": "quiet", "statistic": statistic, "window_minutes": 60, **fields})


def watched(*rules: AnomalyRule, name: str = "step", **fields: Any) -> EventDefinition:
    return make_event(name, anomaly_detection=AnomalyDetection(**{"minimum_sample": 1, "rules": rules, **fields}))


def play(monitor: AnomalyMonitor, event: EventDefinition, counts: list[int], **seen: Any) -> list[Anomaly]:
    """So many events in each hour from noon on, a second apart, after one in the hour before; what was told."""
    monitor.observe(event, {}, NOON - MINUTE)
    told: list[Anomaly] = []
    for hour, count in enumerate(counts):
        start = NOON + hour * HOUR
        for second in range(count):
            told += monitor.observe(event, {"durationMs": 5.0}, start + timedelta(seconds=second), seen=Seen(**seen))
        told += monitor.check(start + HOUR + timedelta(seconds=10))
    return told


@pytest.mark.parametrize("method", list(AnomalyMethod))
def test_the_verdicts_are_those_of_the_studios_detectors(method: AnomalyMethod) -> None:
    chance = Random(7)  # noqa: S311 - a series, no secret
    counts = [chance.randrange(8, 16) for _ in range(400)] + [0, 0, 0, 60, 70, 12, 1]
    counts += [chance.randrange(28, 36) for _ in range(60)]
    bounds = {"min": 2, "max": 50} if method is AnomalyMethod.LIMITS else {}
    asked = rule(Statistic.COUNT, method=method, **bounds)

    told = play(AnomalyMonitor(), watched(asked), counts)

    points = [Point(NOON + hour * HOUR, float(count), count) for hour, count in enumerate(counts)]
    detector = detector_of(asked, 1)
    expected = {}
    for place, point in enumerate(points):
        history = IndexedHistory(points[:place]).before(method, point.start)
        verdict = detector.judge([] if method is AnomalyMethod.SILENCE and point.value else history, point)
        if verdict.breach is not None:
            expected[point.start] = (verdict.breach.value, verdict.words)
    assert expected
    sides = {"min": "low", "max": "high"}
    assert {each.window_start: (sides[each.bound], each.words) for each in told} == expected


def test_a_breach_of_a_rule_is_told_with_all_that_is_known_about_it() -> None:
    heard: list[Anomaly] = []
    alerts: list[Anomaly] = []
    monitor = AnomalyMonitor(heard.append, handlers={AnomalyAction.ALERT: alerts.append})
    slow = rule(Statistic.P95, name="slow", metric="durationMs", max=4, actions=(AnomalyAction.ALERT,))

    returned = play(monitor, watched(slow), [3, 0])

    assert heard == alerts == returned
    assert heard == [
        Anomaly(
            event_name="step",
            event_version=1,
            metric="durationMs",
            value=5.0,
            bound="max",
            limit=4.0,
            sample=3,
            window_start=NOON,
            window_end=NOON + HOUR,
            actions=(AnomalyAction.ALERT,),
            rule="slow",
            words=heard[0].words,
        )
    ]
    assert "above" in heard[0].words or "max" in heard[0].words


@pytest.mark.parametrize(
    ("statistic", "fields", "value"),
    [
        (Statistic.COUNT, {}, 8.0),
        (Statistic.RATE_PER_MINUTE, {}, 8 / 60),
        (Statistic.ERROR_RATIO, {}, 0.25),
        (Statistic.VIOLATION_RATE, {}, 0.375),
        (Statistic.UNIQUE_SUBJECTS, {}, 3.0),
        (Statistic.SHARE, {"metric": "plan", "value": "pro"}, 0.8),
        (Statistic.SHARE, {"metric": "beta", "value": True}, 1.0),
        (Statistic.MISSING_SHARE, {"metric": "plan"}, 1 / 6),
        (Statistic.MEAN, {"metric": "durationMs"}, 3.5),
        (Statistic.P50, {"metric": "durationMs"}, 3.0),
        (Statistic.P99, {"metric": "durationMs"}, 6.0),
        (Statistic.MIN, {"metric": "durationMs"}, 1.0),
        (Statistic.MAX, {"metric": "durationMs"}, 6.0),
    ],
)
def test_each_statistic_is_read_as_in_the_studio(statistic: Statistic, fields: dict[str, Any], value: float) -> None:
    monitor = AnomalyMonitor()
    # Whatever is read is beyond both bounds, so that it is told.
    event = watched(rule(statistic, max=-1.0, **fields))
    monitor.observe(event, {}, NOON - MINUTE)
    for number in range(1, 7):
        properties = {"beta": True} if number == 6 else {"beta": True, "plan": "pro" if number < 5 else "free"}
        seen = Seen(properties, subject=f"user {number % 3}", is_violating=number == 1)
        monitor.observe(event, {"durationMs": float(number)}, NOON, seen=seen)
    for _ in range(2):
        monitor.observe(event, {}, NOON, seen=Seen(is_rejected=True, is_violating=True))

    [told] = monitor.check(NOON + HOUR + timedelta(seconds=10))

    assert told.value == pytest.approx(value)


def test_a_window_is_judged_once_however_often_one_asks() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(max=2))
    play(monitor, event, [])
    for second in range(5):
        monitor.observe(event, {}, NOON + timedelta(seconds=second))

    told = [anomaly for _ in range(3) for anomaly in monitor.check(NOON + HOUR + 10 * MINUTE)]
    told += monitor.observe(event, {}, NOON + HOUR + 20 * MINUTE)

    assert [(each.value, each.window_start) for each in told] == [(5.0, NOON)]


def test_the_hour_in_which_the_process_began_is_not_judged() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(min=100))

    monitor.observe(event, {}, NOON + 59 * MINUTE)

    assert monitor.check(NOON + HOUR + MINUTE) == ()
    assert len(monitor.check(NOON + 2 * HOUR + MINUTE)) == 1
    assert monitor.ignored == 0


def test_silence_is_noticed_without_an_event() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(method=AnomalyMethod.SILENCE))

    told = play(monitor, event, [1] * 24 + [0, 0])

    # An event that comes each hour is missed within two.
    assert [each.window_start for each in told] == [NOON + 25 * HOUR]
    assert told[0].bound == "min"


def test_events_that_come_late_or_by_a_clock_that_runs_ahead_disturb_nothing() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(min=1, max=9))
    now = NOON + HOUR + MINUTE
    play(monitor, event, [5])

    told = [monitor.observe(event, {}, NOON + timedelta(days=days), now=now) for days in (400, 3_650)]
    told.append(monitor.observe(event, {}, NOON, now=now))

    assert told == [(), (), ()]
    assert monitor.ignored == 1
    # They count in the hour in which they came, which has its events.
    assert monitor.check(NOON + 2 * HOUR + MINUTE) == ()


def test_a_clock_that_was_ahead_and_is_put_right_is_followed_again() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(max=9))
    play(monitor, event, [1])
    monitor.observe(event, {}, NOON + timedelta(days=3))

    for minute in range(40):
        monitor.observe(event, {}, NOON + HOUR + minute * MINUTE)
    told = play(monitor, event, [1, 1, 1, 20])

    assert [each.window_start for each in told] == [NOON + 3 * HOUR]


def test_thresholds_and_rules_of_one_event_are_both_watched() -> None:
    monitor = AnomalyMonitor(window=HOUR)
    event = watched(rule(max=2), thresholds=(Threshold(metric="durationMs", max=1),))

    told = play(monitor, event, [3])

    assert [(each.rule, each.metric) for each in told] == [("", "durationMs")] * 3 + [("quiet", "count")]


def test_a_rule_that_stays_keeps_what_it_has_learnt_when_another_is_added() -> None:
    monitor, silence = AnomalyMonitor(), rule(method=AnomalyMethod.SILENCE)
    play(monitor, watched(silence), [1] * 24)

    changed = watched(silence, rule(name="busy", max=100))
    later = NOON + 24 * HOUR
    monitor.observe(changed, {}, later)
    told = monitor.check(later + 4 * HOUR)

    assert {each.rule for each in told} == {"quiet"}


@pytest.mark.parametrize(
    "after",
    [
        make_event("step"),
        watched(rule(method=AnomalyMethod.SILENCE), enabled=False),
        watched(rule(method=AnomalyMethod.SILENCE, window_minutes=30, name="other")),
    ],
    ids=["none", "switched off", "of another width"],
)
def test_rules_that_are_gone_say_nothing_any_more(after: EventDefinition) -> None:
    monitor = AnomalyMonitor()
    play(monitor, watched(rule(method=AnomalyMethod.SILENCE)), [1] * 24)

    monitor.observe(after, {}, NOON + 24 * HOUR)

    assert monitor.check(NOON + 30 * HOUR) == ()


def test_of_many_events_the_ones_that_were_seen_lately_are_watched() -> None:
    monitor = AnomalyMonitor()
    for number in range(300):
        monitor.observe(watched(rule(min=5), name=f"event{number}"), {}, NOON - MINUTE)

    told = monitor.check(NOON + HOUR + MINUTE)

    assert {each.event_name for each in told} == {f"event{number}" for number in range(44, 300)}


def test_a_callback_may_observe_and_check_in_turn() -> None:
    heard: list[Anomaly] = []
    event = watched(rule(max=2))

    def again(anomaly: Anomaly) -> None:
        heard.append(anomaly)
        monitor.observe(event, {}, anomaly.window_end)
        monitor.check(anomaly.window_end)

    monitor = AnomalyMonitor(again)
    play(monitor, event, [3])

    assert len(heard) == 1
    assert monitor.callback_errors == 0


def test_memory_stays_small_whatever_comes() -> None:
    chance = Random(3)  # noqa: S311 - values, no secrets
    rules = (
        rule(Statistic.P95, name="slow", metric="durationMs", max=1e9, window_minutes=1),
        rule(Statistic.UNIQUE_SUBJECTS, name="people", max=1e9, window_minutes=1),
    )
    monitor, event = AnomalyMonitor(), watched(*rules)

    def pour(minutes: int, count: int, start: int) -> int:
        for minute in range(start, start + minutes):
            for number in range(count):
                seen = Seen(subject=f"{minute} {number}")
                monitor.observe(event, {"durationMs": chance.random()}, NOON + minute * MINUTE, seen=seen)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        pour(MOST_POINTS + 10, 1, 0)
        first = pour(1, 3_000, 2_000)
        later = pour(200, 2, 2_100)
        last = pour(1, 12_000, 2_400)
    finally:
        tracemalloc.stop()

    assert later <= first + 200_000
    assert last <= first + 200_000


def test_subjects_are_estimated_to_a_few_percent() -> None:
    monitor, event = AnomalyMonitor(), watched(rule(Statistic.UNIQUE_SUBJECTS, max=0))
    monitor.observe(event, {}, NOON - MINUTE)
    for number in range(20_000):
        monitor.observe(event, {}, NOON, seen=Seen(subject=f"user {number % 10_000}"))

    [told] = monitor.check(NOON + HOUR + MINUTE)

    assert told.value == pytest.approx(10_000, rel=0.1)
