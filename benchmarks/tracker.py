"""What one ``track`` call costs the app: CPU microseconds of the calling thread, by what the call has to do.

Run with ``python -m benchmarks.tracker``. Rounds of all cases are interleaved and the fastest of each counts, because
other work on the machine only ever adds time. Compare cases of one run with each other, not runs.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from timeit import Timer

import msgspec

from telemetry.core.anomaly import AnomalyMonitor
from telemetry.core.codec import decode_spec
from telemetry.core.events import Context, Dispatch, PseudonymKey
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.spec import Sampling, TelemetrySpec
from telemetry.sdk import InMemoryProvider, QueuedProvider, QueueSettings, TelemetryTracker

ROUNDS, CALLS = 15, 2000
EVENT = "sigil.telemetry.workflow_step"
PROPERTIES = {"workflow": "onboarding", "step": "verify_email", "durationMs": 1100, "userId": "user-123"}
CONTEXT = Context(user_id="user-123", session_id="session-9", channel="web")
KEY = PseudonymKey(epoch=1, secret=b"a key of thirty-two bytes, or so")
SPEC = Path(__file__).parents[1] / "examples" / "sigil.telemetry.yaml"


class Discarding(QueuedProvider[bytes]):
    """Encodes and queues as ``HttpProvider`` does, and throws away what arrives."""

    def prepare(self, dispatch: Dispatch) -> bytes:
        return msgspec.json.encode(dispatch)

    def send_batch(self, items: Sequence[bytes]) -> None:
        pass


def with_sampling(spec: TelemetrySpec, rate: float) -> TelemetrySpec:
    """The spec with this rate for its event."""
    event = msgspec.structs.replace(spec.events[0], sampling=Sampling(rate=rate))
    return msgspec.structs.replace(spec, events=(event,))


def cases() -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    spec = decode_spec(SPEC.read_bytes())
    everything, nothing = TelemetryRegistry([spec]), TelemetryRegistry([with_sampling(spec, 0.0)])
    # A queue that never wakes its thread: the cost of delivery is not the caller's.
    patient = QueueSettings(capacity=10_000_000, batch_size=10_000_000, linger=86_400.0)
    trackers = {
        "sampled out": TelemetryTracker(nothing, key=KEY),
        "kept and redacted, no provider": TelemetryTracker(everything, key=KEY),
        "kept, redacted and kept in memory": TelemetryTracker(everything, [InMemoryProvider()], key=KEY),
        "kept, redacted, encoded and queued": TelemetryTracker(
            everything, [Discarding("discarding", settings=patient)], key=KEY
        ),
        "kept, redacted, watched for anomalies": TelemetryTracker(
            everything, anomaly_monitor=AnomalyMonitor(), key=KEY
        ),
    }
    return {name: partial(tracker.track, EVENT, 1, PROPERTIES, CONTEXT) for name, tracker in trackers.items()}


def main() -> None:
    """Measure and print."""
    timers = {name: Timer(call, timer=time.thread_time) for name, call in cases().items()}
    fastest = dict.fromkeys(timers, float("inf"))
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            fastest[name] = min(fastest[name], timer.timeit(CALLS) / CALLS)
    for name, seconds in fastest.items():
        print(f"{name:<40}{seconds * 1e6:>8.1f} microseconds")


if __name__ == "__main__":
    main()
