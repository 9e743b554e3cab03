"""The monitor judges values within windows, survives its callbacks, and stays small."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, Never, TypedDict, Unpack

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.anomaly import Anomaly, AnomalyMonitor, Observed
from telemetry.core.enums import AnomalyAction
from telemetry.core.spec import AnomalyDetection, EventDefinition, Threshold
from tests.core.builders import NOON, make_event

MINUTE = timedelta(minutes=1)


class Bounds(TypedDict, total=False):
    """The limits of a threshold."""

    min: float
    max: float


def watched(
    *,
    minimum_sample: int | None = 1,
    enabled: bool = True,
    actions: tuple[AnomalyAction, ...] = (),
    name: str = "step",
    version: int = 1,
    **bounds: Unpack[Bounds],
) -> EventDefinition:
    """An event whose ``durationMs`` has these bounds, at most 1500 unless they say otherwise."""
    threshold = Threshold(metric="durationMs", **(bounds or {"max": 1500}))
    rules = AnomalyDetection(
        enabled=enabled, minimum_sample=minimum_sample, thresholds=(threshold,), actions=tuple(actions)
    )
    return make_event(name, version, anomaly_detection=rules)


def observe(
    monitor: AnomalyMonitor, event: Observed, *values: float, at: datetime = NOON, window: timedelta | None = None
) -> list[Anomaly]:
    """The anomalies that these values of ``durationMs`` made, one after the other."""
    return [anomaly for value in values for anomaly in monitor.observe(event, {"durationMs": value}, at, window=window)]


def test_a_breach_is_told_with_all_that_is_known_about_it() -> None:
    heard: list[Anomaly] = []
    monitor = AnomalyMonitor(heard.append)
    event = watched(minimum_sample=2, actions=(AnomalyAction.ALERT, AnomalyAction.LOG))

    returned = observe(monitor, event, 7, 2100, at=NOON + timedelta(minutes=7, seconds=1))

    assert heard == returned
    assert heard == [
        Anomaly(
            event_name="step",
            event_version=1,
            metric="durationMs",
            value=2100,
            bound="max",
            limit=1500,
            sample=2,
            window_start=NOON + timedelta(minutes=5),
            window_end=NOON + timedelta(minutes=10),
            actions=(AnomalyAction.ALERT, AnomalyAction.LOG),
        )
    ]


@pytest.mark.parametrize(
    ("bounds", "value", "bound"),
    [
        ({"max": 10}, 10.000001, "max"),
        ({"max": 10}, 10, None),
        ({"min": 10}, 9.999999, "min"),
        ({"min": 10}, 10, None),
        ({"min": 5, "max": 10}, 7, None),
        ({"min": 0}, -0.0, None),
        ({"max": 0}, 1e308, "max"),
    ],
)
def test_only_values_strictly_beyond_a_limit_are_breaches(
    bounds: Bounds, value: float, bound: Literal["min", "max"] | None
) -> None:
    anomalies = observe(AnomalyMonitor(), watched(**bounds), value)

    assert [anomaly.bound for anomaly in anomalies] == ([] if bound is None else [bound])


def test_nothing_is_judged_before_the_minimum_sample() -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=3)

    assert observe(monitor, event, 2100, 2100) == []
    assert [anomaly.sample for anomaly in observe(monitor, event, 2100, 2100)] == [3, 4]


def test_the_minimum_sample_is_ten_unless_the_rules_say_otherwise() -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=None)

    assert observe(monitor, event, *[2100] * 9) == []
    assert len(observe(monitor, event, 2100)) == 1


def test_each_window_starts_counting_anew() -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=2)

    first = observe(monitor, event, 2100, 2100, at=NOON)
    second = observe(monitor, event, 2100, at=NOON + timedelta(minutes=5))

    assert [anomaly.sample for anomaly in first] == [2]
    assert second == []


@pytest.mark.parametrize(
    ("at", "start"),
    [
        (NOON, NOON),
        (NOON + 5 * MINUTE - timedelta(microseconds=1), NOON),
        (NOON + 5 * MINUTE, NOON + 5 * MINUTE),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=45))), NOON),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1969, 12, 31, 23, 55, tzinfo=UTC)),
    ],
)
def test_windows_are_half_open_and_aligned_to_the_epoch(at: datetime, start: datetime) -> None:
    (anomaly,) = observe(AnomalyMonitor(), watched(), 2100, at=at)

    assert (anomaly.window_start, anomaly.window_end) == (start, start + 5 * MINUTE)


@pytest.mark.parametrize("options", [{}, {"window": MINUTE}])
def test_the_width_of_a_window_is_the_monitors_or_that_of_the_call(options: dict[str, timedelta]) -> None:
    monitor = AnomalyMonitor(window=MINUTE if not options else timedelta(hours=1))

    (anomaly,) = observe(monitor, watched(), 2100, at=NOON + 7 * MINUTE, **options)

    assert (anomaly.window_start, anomaly.window_end) == (NOON + 7 * MINUTE, NOON + 8 * MINUTE)


def test_events_and_versions_are_counted_apart() -> None:
    monitor = AnomalyMonitor()

    for name, version in (("step", 1), ("step", 2), ("other", 1)):
        assert observe(monitor, watched(minimum_sample=2, name=name, version=version), 2100) == []


def test_metrics_are_counted_apart_and_absent_ones_not_at_all() -> None:
    rules = AnomalyDetection(
        minimum_sample=2, thresholds=(Threshold(metric="durationMs", max=1), Threshold(metric="size", min=5))
    )
    monitor, event = AnomalyMonitor(), make_event(anomaly_detection=rules)

    monitor.observe(event, {"durationMs": 2, "other": 9}, NOON)
    monitor.observe(event, {"size": 1}, NOON)
    anomalies = monitor.observe(event, {"durationMs": 2, "size": 1}, NOON)

    assert [(anomaly.metric, anomaly.bound, anomaly.sample) for anomaly in anomalies] == [
        ("durationMs", "max", 2),
        ("size", "min", 2),
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_do_not_count(value: float) -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=2)

    assert observe(monitor, event, value, value, value, 2100) == []


@pytest.mark.parametrize(
    "event", [watched(enabled=False), make_event(), make_event(anomaly_detection=AnomalyDetection())]
)
def test_an_event_without_rules_is_not_watched(event: EventDefinition) -> None:
    assert observe(AnomalyMonitor(), event, 2100, 2100) == []


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="must carry a zone"):
        observe(AnomalyMonitor(), watched(), 2100, at=datetime(2026, 11, 22))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_instants_like_others(year: int) -> None:
    at = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 0, tzinfo=UTC)

    (anomaly,) = observe(AnomalyMonitor(window=timedelta(days=3)), watched(), 2100, at=at)

    assert anomaly.window_start <= at < anomaly.window_end


@pytest.mark.parametrize("window", [timedelta(0), timedelta(seconds=-1), timedelta(microseconds=1)])
def test_a_window_of_no_width_is_refused(window: timedelta) -> None:
    with pytest.raises(ValueError, match="at least a millisecond"):
        AnomalyMonitor(window=window)


# Late events


def test_a_late_event_is_judged_in_its_own_window_while_that_is_kept() -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=2)

    observe(monitor, event, 7, at=NOON)
    observe(monitor, event, 7, at=NOON + 5 * MINUTE)
    (late,) = observe(monitor, event, 2100, at=NOON + MINUTE)

    assert (late.sample, late.window_start) == (2, NOON)
    assert monitor.ignored == 0


def test_an_event_of_a_window_that_is_gone_is_ignored_and_counted() -> None:
    monitor, event = AnomalyMonitor(), watched()

    observe(monitor, event, 7, at=NOON + 10 * MINUTE)

    assert observe(monitor, event, 2100, at=NOON + MINUTE) == []
    assert monitor.ignored == 1


def test_one_clock_that_runs_ahead_does_not_blind_the_monitor() -> None:
    monitor, event = AnomalyMonitor(), watched()
    observe(monitor, event, 7, at=NOON + timedelta(days=3650))

    anomalies = observe(monitor, event, *[2100] * 25, at=NOON)

    assert monitor.ignored == 19
    assert [anomaly.sample for anomaly in anomalies] == [1, 2, 3, 4, 5, 6]


@given(st.lists(st.tuples(st.integers(-40, 40), st.floats(allow_nan=False, allow_infinity=False)), max_size=60))
def test_every_value_is_judged_once_in_its_window_or_ignored(arrivals: list[tuple[int, float]]) -> None:
    monitor, event = AnomalyMonitor(window=MINUTE), watched(min=-1e300, max=-1e308)

    judged = 0
    for minute, value in arrivals:
        at = NOON + minute * MINUTE
        anomalies = observe(monitor, event, value, at=at)
        assert all(anomaly.window_start == at for anomaly in anomalies)
        # Every finite value is beyond at least one of these two limits.
        judged += len({anomaly.value for anomaly in anomalies})

    assert judged + monitor.ignored == len(arrivals)


# Callbacks, memory and threads


def test_handlers_hear_of_the_actions_that_the_rules_name() -> None:
    heard: list[tuple[str, float]] = []
    monitor = AnomalyMonitor(
        handlers={
            AnomalyAction.ALERT: lambda anomaly: heard.append(("alert", anomaly.value)),
            AnomalyAction.TRIGGER_REGEN: lambda anomaly: heard.append(("regenerate", anomaly.value)),
        }
    )

    observe(monitor, watched(actions=(AnomalyAction.TRIGGER_REGEN, AnomalyAction.LOG)), 2100)

    assert heard == [("regenerate", 2100)]


def test_a_callback_that_fails_is_counted_and_keeps_nobody_from_hearing() -> None:
    heard: list[Anomaly] = []

    def fail(anomaly: Anomaly) -> Never:
        raise OSError("no network")

    monitor = AnomalyMonitor(fail, handlers={AnomalyAction.ALERT: fail, AnomalyAction.LOG: heard.append})

    anomalies = observe(monitor, watched(actions=(AnomalyAction.ALERT, AnomalyAction.LOG)), 2100)

    assert heard == anomalies
    assert len(anomalies) == 1
    assert monitor.callback_errors == 2


def test_a_callback_may_observe_in_turn() -> None:
    depth: list[float] = []
    event = watched()

    def again(anomaly: Anomaly) -> None:
        depth.append(anomaly.value)
        if anomaly.value < 1505:
            observe(monitor, event, anomaly.value + 1)

    monitor = AnomalyMonitor(again)

    observe(monitor, event, 1501)

    assert depth == [1501, 1502, 1503, 1504, 1505]


def test_a_monitor_forgets_the_events_that_it_has_not_seen_for_longest() -> None:
    monitor = AnomalyMonitor()
    for number in range(2_001):
        observe(monitor, watched(minimum_sample=2, name=f"event{number}"), 2100)

    recent = observe(monitor, watched(minimum_sample=2, name="event2000"), 2100)
    forgotten = observe(monitor, watched(minimum_sample=2, name="event0"), 2100)

    assert len(recent) == 1
    assert forgotten == []


def test_threads_lose_no_value() -> None:
    monitor, event = AnomalyMonitor(), watched(minimum_sample=4_000)
    samples: list[int] = []

    def work() -> None:
        samples.extend(anomaly.sample for anomaly in observe(monitor, event, *[2100] * 1_000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert samples == [4_000]


def test_an_anomaly_is_frozen_and_speaks_camel_case() -> None:
    (anomaly,) = observe(AnomalyMonitor(), watched(), 2100)

    with pytest.raises(AttributeError):
        anomaly.value = 1  # type: ignore[misc]  # what is refused
    assert msgspec.to_builtins(anomaly)["windowStart"] == "2026-11-22T12:00:00Z"
