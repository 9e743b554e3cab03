"""What one ``track`` call costs the app, beside the posthog, segment and OpenTelemetry clients.

Run with ``python benchmarks/tracker.py``. Measured is the CPU time of the calling thread, in microseconds per call:
with everything that a call does before it returns (for ours: look-up, validation, metrics, sampling, redaction,
pseudonyms, counting, enqueueing; for the others: building the message and enqueueing), and without what is the business
of background threads: delivery everywhere, and in ours the writing of what was enqueued. All clients are told the same
about the event: name, properties, user, session and channel, in a call as an app would write it. Rounds of all cases
are interleaved, and the median round of each counts.

The last line is JSON: ``microseconds`` is our call with sampling, redaction and enqueueing, ``vs_fastest_client`` is
that divided by the fastest of the other clients in the same run.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from timeit import Timer
from typing import Any

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
import posthog
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from segment.analytics.client import Client as SegmentClient

from telemetry.core.anomaly import AnomalyMonitor
from telemetry.core.codec import decode_spec
from telemetry.core.config import EffectiveConfig
from telemetry.core.events import Context, Dispatch, PseudonymKey
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Sampling
from telemetry.sdk import QueuedProvider, QueueSettings, TelemetryTracker
from telemetry.sdk.rules import LOCAL_INSTALLATION

ROUNDS, CALLS = 15, 2000
EVENT = "sigil.telemetry.workflow_step"
PROPERTIES: dict[str, Any] = {
    "workflow": "onboarding",
    "step": "verify_email",
    "durationMs": 1100,
    "userId": "user-42",
}
CONTEXT = Context(user_id="user-42", session_id="session-9", channel="web")
KEY = PseudonymKey(epoch=1, secret=b"a key of thirty-two bytes, or so")
SPEC = Path(__file__).resolve().parents[1] / "examples" / "sigil.telemetry.yaml"
# No client is to deliver while the calls are measured: queues of this size are never due, nor full.
BOUNDLESS, NEVER_SECONDS = 10_000_000, 86_400.0
OURS = "ours: validated, sampled, redacted, queued"


class Discarding(QueuedProvider[Dispatch]):
    """Queues as ``HttpProvider`` does, and throws away what arrives."""

    def send_batch(self, items: Sequence[Dispatch]) -> None:
        pass


class Looking:
    """Looks at each event while the app waits, and throws it away."""

    id = "looking"

    def send(self, dispatch: Dispatch, /) -> None:
        pass


class DiscardingExporter(LogRecordExporter):
    """Throws log records away."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002  the library's
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002  the library's
        return True

    def shutdown(self) -> None:
        pass


def config_with(rate: float) -> EffectiveConfig:
    """The example's effective config with this sampling rate for its event."""
    spec = decode_spec(SPEC.read_bytes())
    event = msgspec.structs.replace(spec.events[0], sampling=Sampling(rate=rate))
    spec = msgspec.structs.replace(spec, events=(event,))
    return resolve_config(spec, installation=LOCAL_INSTALLATION)


def our_cases() -> dict[str, Callable[[], object]]:
    """Calls of our tracker, by name."""
    # This user is below this rate, so that sampling is decided, and every event is kept.
    kept, dropped = config_with(0.9), config_with(0.0)
    patient = QueueSettings(capacity=BOUNDLESS, batch_size=BOUNDLESS, linger=NEVER_SECONDS)
    queued = Discarding("discarding", settings=patient)
    tracker = TelemetryTracker(config=kept, providers=[queued], key=KEY)
    plain = TelemetryTracker(config=kept, providers=[Looking()], key=KEY)
    alone = TelemetryTracker(config=kept, key=KEY)
    dropping = TelemetryTracker(config=dropped, key=KEY)
    watched = TelemetryTracker(config=kept, anomaly_monitor=AnomalyMonitor(), key=KEY)
    assert tracker.track(EVENT, 1, PROPERTIES, CONTEXT), "the event must be kept"
    as_mapping = {"userId": "user-42", "sessionId": "session-9", "channel": "web"}
    unusual = {**PROPERTIES, "undeclared": True}
    return {
        OURS: lambda: tracker.track(EVENT, 1, PROPERTIES, CONTEXT),
        "ours: a context of its own for each call": lambda: tracker.track(
            EVENT, 1, PROPERTIES, Context(user_id="user-42", session_id="session-9", channel="web")
        ),
        "ours: context as a mapping": lambda: tracker.track(EVENT, 1, PROPERTIES, as_mapping),
        "ours: with an undeclared property": lambda: tracker.track(EVENT, 1, unusual, CONTEXT),
        "ours: a provider that looks at once": lambda: plain.track(EVENT, 1, PROPERTIES, CONTEXT),
        "ours: no provider": lambda: alone.track(EVENT, 1, PROPERTIES, CONTEXT),
        "ours: sampled out": lambda: dropping.track(EVENT, 1, PROPERTIES, CONTEXT),
        "ours: watched for anomalies, no provider": lambda: watched.track(EVENT, 1, PROPERTIES, CONTEXT),
    }


def other_cases() -> dict[str, Callable[[], object]]:
    """Calls of the other clients, by name, as their documentation shows them."""
    # Nothing listens on port 9, and nothing is due to be sent there.
    posthog_client = posthog.Posthog(
        "phc_benchmark",
        host="http://127.0.0.1:9",
        max_queue_size=BOUNDLESS,
        flush_at=BOUNDLESS,
        flush_interval=NEVER_SECONDS,
    )
    segment_client = SegmentClient(
        "benchmark",
        host="http://127.0.0.1:9",
        max_queue_size=BOUNDLESS,
        upload_size=BOUNDLESS,
        upload_interval=NEVER_SECONDS,
    )
    provider = LoggerProvider()
    processor = BatchLogRecordProcessor(
        DiscardingExporter(),
        schedule_delay_millis=NEVER_SECONDS * 1000,
        max_queue_size=BOUNDLESS,
        max_export_batch_size=BOUNDLESS,
    )
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("benchmark")
    around = {"session.id": "session-9", "channel": "web"}
    return {
        "posthog": lambda: posthog_client.capture(
            EVENT, distinct_id="user-42", properties={**PROPERTIES, "$session_id": "session-9", "channel": "web"}
        ),
        "segment": lambda: segment_client.track(
            user_id="user-42",
            event=EVENT,
            properties=PROPERTIES,
            context={"sessionId": "session-9", "channel": "web"},
        ),
        "OpenTelemetry": lambda: logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                event_name=EVENT,
                attributes={**PROPERTIES, **around, "user.id": "user-42"},
            )
        ),
    }


def measure(cases: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median round of each case, in microseconds per call."""
    timers = {name: Timer(call, timer=time.thread_time) for name, call in cases.items()}
    rounds: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            rounds[name].append(timer.timeit(CALLS) / CALLS * 1e6)
    return {name: median(each) for name, each in rounds.items()}


def main() -> None:
    """Measure and print."""
    ours, others = our_cases(), other_cases()
    found = measure({**ours, **others})
    for name, microseconds in found.items():
        print(f"{name:<44}{microseconds:>8.2f} microseconds")
    fastest_client = min(others, key=lambda name: found[name])
    print(f"the fastest other client is {fastest_client}")
    figures = {
        "microseconds": round(found[OURS], 2),
        "vs_fastest_client": round(found[OURS] / found[fastest_client], 3),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
    # The other clients' threads wait for a day; what is queued there is of no use to anybody.
    os._exit(0)
