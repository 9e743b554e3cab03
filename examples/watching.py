"""Anomaly rules inside an app, without a studio: a limit, and an event that stops coming.

Two simulated days of an app pass in a moment; in the evening of the second its steps become slow, and later nothing
comes at all. The detectors are those that the studio judges with.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec

from telemetry.core.anomaly import Anomaly, AnomalyMonitor
from telemetry.core.codec import decode_spec
from telemetry.core.enums import AnomalyMethod, Statistic
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.spec import AnomalyDetection, AnomalyRule, TelemetrySpec
from telemetry.sdk import TelemetryTracker

STEP = "sigil.telemetry.workflow_step"
START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)

RULES = AnomalyDetection(
    minimum_sample=5,
    rules=(
        AnomalyRule(name="quiet", statistic=Statistic.COUNT, method=AnomalyMethod.SILENCE, window_minutes=30),
        AnomalyRule(name="slow", statistic=Statistic.P95, metric="durationMs", max=1500, window_minutes=30),
    ),
)


def watched_spec() -> TelemetrySpec:
    """The example's spec, whose event is watched by the rules above."""
    spec = decode_spec((Path(__file__).parent / "sigil.telemetry.yaml").read_bytes())
    events = tuple(msgspec.structs.replace(event, anomaly_detection=RULES) for event in spec.events)
    return msgspec.structs.replace(spec, events=events)


def half_hours() -> Iterator[tuple[datetime, int, float]]:
    """When each begins, how many steps there are in it, and how long one takes in milliseconds."""
    random = Random(6)  # noqa: S311 - an example's data
    for number in range(96):
        is_slow, is_silent = 84 <= number < 88, number >= 90
        yield START + number * HALF_HOUR, 0 if is_silent else random.randrange(6, 12), 1_800.0 if is_slow else 400.0


def tell(anomaly: Anomaly) -> None:
    """One line for a person."""
    print(f"{anomaly.window_start:%a %H:%M} {anomaly.rule}: {anomaly.words}")


def main() -> None:
    """Two days pass."""
    now = START
    monitor = AnomalyMonitor(on_anomaly=tell)
    registry = TelemetryRegistry([watched_spec()])
    with TelemetryTracker(registry=registry, anomaly_monitor=monitor, clock=lambda: now) as tracker:
        for start, steps, milliseconds in half_hours():
            for number in range(steps):
                now = start + number * timedelta(minutes=2)
                properties = {"workflow": "deploy", "step": "build", "durationMs": milliseconds}
                tracker.track(STEP, properties=properties)
            now = start + HALF_HOUR + timedelta(seconds=10)
            # In an app, a timer does this each minute: without it, nobody notices that nothing comes.
            monitor.check(now)


if __name__ == "__main__":
    main()
