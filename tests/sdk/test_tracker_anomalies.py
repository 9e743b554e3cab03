"""The anomaly monitor behind a tracker: it sees every valid event's metrics, from before sampling and redaction."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from telemetry.core.anomaly import Anomaly, AnomalyMonitor
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import Statistic
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import AnomalyDefaults, AnomalyDetection, AnomalyRule, Sampling, TelemetryDefaults, Threshold
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.core.builders import NOON, make_event, make_installation, make_property, make_sigil_spec, make_spec
from tests.sdk.servers import Reply, ScriptedServer
from tests.sdk.studios import API_KEY, FakeStudio

WORKFLOW_STEP = "sigil.telemetry.workflow_step"


def properties(duration: float) -> dict[str, object]:
    return {"workflow": "onboarding", "step": "verify_email", "durationMs": duration, "userId": "user-123"}


def test_the_seeds_threshold_speaks_once_ten_values_were_seen() -> None:
    heard: list[Anomaly] = []
    tracker = TelemetryTracker(
        registry=TelemetryRegistry([make_sigil_spec()]),
        anomaly_monitor=AnomalyMonitor(on_anomaly=heard.append),
        clock=lambda: NOON,
    )

    for _ in range(9):
        tracker.track(WORKFLOW_STEP, 1, properties(2100))
    before = len(heard)
    tracker.track(WORKFLOW_STEP, 1, properties(2100))

    assert before == 0
    assert [(anomaly.event_name, anomaly.metric, anomaly.value, anomaly.limit) for anomaly in heard] == [
        (WORKFLOW_STEP, "durationMs", 2100.0, 1500.0)
    ]


def test_events_that_are_sampled_out_or_switched_off_are_watched_all_the_same() -> None:
    heard: list[Anomaly] = []
    monitor = AnomalyMonitor(on_anomaly=heard.append)
    memory = InMemoryProvider()

    for override in (EventOverride(sampling_rate=0.0), EventOverride(enabled=False)):
        config = resolve_config(
            make_sigil_spec(),
            override=TenantOverride(events={WORKFLOW_STEP: override}),
            installation=make_installation(),
        )
        tracker = TelemetryTracker(config=config, providers=[memory], anomaly_monitor=monitor, clock=lambda: NOON)
        for _ in range(5):
            tracker.track(WORKFLOW_STEP, 1, properties(2100))

    assert memory.dispatches == ()
    assert [anomaly.sample for anomaly in heard] == [10]


def test_a_redacted_number_is_watched_as_it_was() -> None:
    heard: list[Anomaly] = []
    memory = InMemoryProvider()
    event = make_event(
        properties={"income": make_property("number", pii=True)},
        anomaly_detection=AnomalyDetection(minimum_sample=1, thresholds=(Threshold(metric="income", min=1, max=9),)),
    )
    tracker = TelemetryTracker(
        TelemetryRegistry([make_spec(event)]), [memory], AnomalyMonitor(on_anomaly=heard.append), clock=lambda: NOON
    )

    tracker.track("step", 1, {"income": 5})
    tracker.track("step", 1, {"income": 10})

    assert [dispatch.properties for dispatch in memory.dispatches] == [{"income": 0}, {"income": 0}]
    assert [(anomaly.value, anomaly.bound) for anomaly in heard] == [(10.0, "max")]


def test_rejected_events_are_not_watched() -> None:
    heard: list[Anomaly] = []
    event = make_event(
        anomaly_detection=AnomalyDetection(minimum_sample=1, thresholds=(Threshold(metric="durationMs", max=9),))
    )
    tracker = TelemetryTracker(
        TelemetryRegistry([make_spec(event)]), anomaly_monitor=AnomalyMonitor(on_anomaly=heard.append)
    )

    outcome = tracker.track("step", 1, {"durationMs": 10})

    assert not outcome
    assert heard == []


def test_the_window_is_the_configs() -> None:
    heard: list[Anomaly] = []
    event = make_event(
        anomaly_detection=AnomalyDetection(minimum_sample=1, thresholds=(Threshold(metric="durationMs", max=9),))
    )
    spec = make_spec(event, config=TelemetryDefaults(anomaly_detection=AnomalyDefaults(check_interval_ms=90_000)))
    tracker = TelemetryTracker(
        TelemetryRegistry([spec]), anomaly_monitor=AnomalyMonitor(on_anomaly=heard.append), clock=lambda: NOON
    )

    tracker.track("step", 1, {"step": "verify_email", "durationMs": 10})

    assert [anomaly.window_end - anomaly.window_start for anomaly in heard] == [timedelta(seconds=90)]


def test_held_events_are_watched_in_the_window_in_which_they_happened(server: ScriptedServer) -> None:
    studio = FakeStudio(server)
    studio.publish(1)
    studio.instead = Reply(503)
    heard: list[Anomaly] = []
    with TelemetryTracker.from_studio(
        server.url,
        API_KEY,
        poll_interval=1_000_000.0,
        anomaly_monitor=AnomalyMonitor(on_anomaly=heard.append),
        clock=lambda: NOON,
    ) as tracker:
        for _ in range(10):
            tracker.track(WORKFLOW_STEP, 1, properties(2100))
        before = len(heard)
        studio.instead = None
        assert tracker.refresh()

    assert before == 0
    assert [anomaly.sample for anomaly in heard] == [10]
    assert heard[0].window_start <= NOON < heard[0].window_end


def test_sampling_by_subject_does_not_thin_what_is_watched() -> None:
    heard: list[Anomaly] = []
    event = make_event(
        sampling=Sampling(rate=0.5),
        anomaly_detection=AnomalyDetection(minimum_sample=100, thresholds=(Threshold(metric="durationMs", max=9),)),
    )
    tracker = TelemetryTracker(
        TelemetryRegistry([make_spec(event)]),
        anomaly_monitor=AnomalyMonitor(on_anomaly=heard.append),
        clock=lambda: NOON,
    )

    for number in range(100):
        tracker.track("step", 1, {"step": "one", "durationMs": 10}, {"userId": f"user-{number}"})

    assert tracker.stats().sampled_out > 0
    assert [anomaly.sample for anomaly in heard] == [100]


def test_rules_of_windows_are_judged_by_what_the_tracker_saw_of_each_event() -> None:
    heard: list[Anomaly] = []
    now = NOON
    rules = (
        AnomalyRule(name="busy", statistic=Statistic.COUNT, max=4),
        AnomalyRule(name="wrong", statistic=Statistic.ERROR_RATIO, max=0.1),
        AnomalyRule(name="people", statistic=Statistic.UNIQUE_SUBJECTS, max=1),
        AnomalyRule(name="first", statistic=Statistic.SHARE, metric="isFirst", value=True, max=0.5),
    )
    event = make_event(
        properties={"isFirst": make_property("boolean"), "step": make_property(required=True)},
        sampling=Sampling(rate=0.0),
        anomaly_detection=AnomalyDetection(minimum_sample=1, rules=rules),
    )
    monitor = AnomalyMonitor(on_anomaly=heard.append, window=timedelta(minutes=5))
    tracker = TelemetryTracker(TelemetryRegistry([make_spec(event)]), anomaly_monitor=monitor, clock=lambda: now)
    tracker.track("step", 1, {"step": "one"})
    now = NOON + timedelta(minutes=5)

    for number in range(4):
        tracker.track("step", 1, {"step": "one", "isFirst": number < 3}, {"userId": f"user-{number % 2}"})
    # Incomplete: rejected, and counted as such.
    tracker.track("step", 1, {"isFirst": True})
    now += timedelta(minutes=6)
    monitor.check(now)

    assert {(each.rule, each.value) for each in heard} == {
        ("busy", 5.0),
        ("wrong", 0.2),
        ("people", 2.0),
        ("first", 0.75),
    }


def test_an_event_by_a_clock_that_runs_ahead_closes_no_window() -> None:
    heard: list[Anomaly] = []
    event = make_event(
        anomaly_detection=AnomalyDetection(rules=(AnomalyRule(name="busy", statistic=Statistic.COUNT, min=5),))
    )
    monitor = AnomalyMonitor(on_anomaly=heard.append)
    tracker = TelemetryTracker(TelemetryRegistry([make_spec(event)]), anomaly_monitor=monitor, clock=lambda: NOON)

    for days in (0, 1, 400):
        tracker.track("step", 1, {"step": "one", "durationMs": 1}, occurred_at=NOON + timedelta(days=days))

    assert heard == []
    assert tracker.stats().callback_errors == 0


def test_the_example_tells_of_slow_steps_and_of_silence() -> None:
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "examples/watching.py"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        check=True,
        text=True,
    )

    told = [line.split(":")[1].split()[-1] for line in done.stdout.splitlines()]
    assert told.count("slow") == 4
    assert told[-1] == "quiet"
