"""The lines that whoever watches an installation sees of its events."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import EventOutcome, EventSource, PrivacyLevel, UndeclaredPolicy, ViolationCode
from telemetry.core.events import Context, Envelope, Violation
from telemetry.core.reports import Report, ReportedOutcome
from telemetry.core.spec import Sampling, TelemetryDefaults
from telemetry.services import live
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.live import MOST_LINES, LiveLine, LiveRedaction, LiveSampling, read_line
from telemetry.stores.live import START, LiveStream, connect, live_stream
from tenants.models import Installation
from tests.core.builders import NOON, make_context, make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import make_installation, make_published

pytestmark = pytest.mark.django_db

ID = "01936d2e-0000-4000-8000-{:012}"
CANARY = "canary@example.com"


@pytest.fixture(autouse=True)
def stream(redis_url: str, settings: Settings) -> Iterator[LiveStream]:
    """The stream of this process leads to a real server."""
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    yield live_stream()
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


def make_shop(override: TenantOverride | None = None, **defaults: Any) -> Installation:
    order = {
        "orderId": make_property(required=True),
        "total": make_property("number"),
        "email": make_property(pii=True, redaction=make_redaction("hash")),
        "note": make_property(pii=True),
    }
    conditions = ("properties.total > 100.0",)
    sampled = Sampling(rate=1.0, conditions=conditions)
    spec = make_spec(
        make_event("order", properties=order, sampling=sampled),
        make_event("secret", properties={"note": make_property()}, privacy=PrivacyLevel.SENSITIVE),
        name="shop.events",
        config=TelemetryDefaults(**defaults),
    )
    make_published(spec)
    return make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")), override=override)


def incoming(number: int, name: str = "order", **properties: Any) -> Incoming:
    envelope = Envelope(
        id=ID.format(number), name=name, occurred_at=NOON, properties=properties, context=make_context(user_id=CANARY)
    )
    return Incoming(envelope=envelope, source=EventSource.BATCH, app_version="4.2.0")


def watch(installation: Installation, capture: DjangoCaptureOnCommitCallbacks, *events: Incoming) -> list[LiveLine]:
    """What is seen of the events by somebody who was there before them."""
    live_stream().read(installation.public_id, START)
    with capture(execute=True):
        ingest_batch(installation=installation, events=events, received_at=timezone.now())
    found = [read_line(line) for line in live_stream().read(installation.public_id, START).lines]
    assert None not in found
    return [line for line in found if line is not None]


def test_a_stored_event_is_shown_with_every_step(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop()
    event = incoming(1, orderId="A-7", total=150, email=CANARY, note=CANARY, stray=CANARY)

    (line,) = watch(installation, django_capture_on_commit_callbacks, event)

    assert (line.outcome, line.name, line.version) == (EventOutcome.STORED, "order", 1)
    assert (str(line.event_id), line.source, line.app_version) == (ID.format(1), EventSource.BATCH, "4.2.0")
    assert line.sampling == LiveSampling(rate=1.0, conditions=("properties.total > 100.0",), conditions_held=True)
    assert line.redactions == (
        LiveRedaction("context.sessionId", "pseudonym"),
        LiveRedaction("context.userId", "pseudonym"),
        LiveRedaction("properties.email", "hash"),
        LiveRedaction("properties.note", "mask"),
        LiveRedaction("properties.stray", "left out, as it is not declared"),
    )
    assert [violation.code for violation in line.violations] == [ViolationCode.UNDECLARED_PROPERTY]
    assert line.values is not None
    assert line.values["properties"]["orderId"] == "A-7"
    assert line.values["properties"]["note"] == "REDACTED"
    assert line.values["context"]["userId"].startswith("p1_")


def test_the_steps_of_events_that_are_not_kept(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop(default_sampling_rate=0.0)
    rejected, unknown = incoming(1, total=1), incoming(2, "canary@example.com")
    broken = Incoming(
        envelope=None, source=EventSource.OTLP, problem=Violation(ViolationCode.MALFORMED, "", "must be an object")
    )
    kept, sampled_out = incoming(3, orderId="A", total=200), incoming(4, orderId="B", total=1)

    lines = watch(installation, django_capture_on_commit_callbacks, rejected, unknown, broken, kept, sampled_out, kept)

    assert [(line.outcome, line.name) for line in lines] == [
        (EventOutcome.REJECTED, "order"),
        (EventOutcome.REJECTED, None),
        (EventOutcome.REJECTED, None),
        (EventOutcome.STORED, "order"),
        (EventOutcome.SAMPLED_OUT, "order"),
        (EventOutcome.DUPLICATE, "order"),
    ]
    assert [violation.path for violation in lines[0].violations] == ["properties.orderId"]
    assert lines[2].event_id is None
    held, failed, repeated = lines[3].sampling, lines[4].sampling, lines[5].sampling
    assert held is not None
    assert (held.rate, held.conditions_held) == (1.0, True)
    assert failed is not None
    assert (failed.rate, failed.conditions_held) == (0.0, False)
    assert repeated is None
    # Only what is stored has values to show.
    assert [line.values is not None for line in lines] == [False, False, False, True, False, False]


def test_what_a_tracker_decided_is_shown_as_such(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop()

    def reported(number: int, outcome: ReportedOutcome) -> Incoming:
        envelope = Envelope(id=ID.format(number), name="order", occurred_at=NOON, properties={"orderId": "A"})
        report = Report(
            id=envelope.id,
            name="order",
            version=1,
            occurred_at=NOON,
            outcome=outcome,
            config_revision=1,
            inclusion_probability=0.5,
            properties=envelope.properties,
        )
        return Incoming(envelope=envelope, source=EventSource.INTERNAL, report=report)

    kept, dropped = watch(
        installation,
        django_capture_on_commit_callbacks,
        reported(1, ReportedOutcome.ACCEPTED),
        reported(2, ReportedOutcome.SAMPLED_OUT),
    )

    assert (kept.outcome, kept.sampling) == (EventOutcome.STORED, LiveSampling(rate=0.5, by_tracker=True))
    assert (dropped.outcome, dropped.sampling) == (
        EventOutcome.SAMPLED_OUT,
        LiveSampling(rate=None, by_tracker=True),
    )


def test_a_disabled_event_is_shown_as_such(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop(TenantOverride(events={"order": EventOverride(enabled=False)}))

    (line,) = watch(installation, django_capture_on_commit_callbacks, incoming(1, orderId="A"))

    assert (line.outcome, line.sampling, line.values) == (EventOutcome.DISABLED, None, None)


@pytest.mark.parametrize("policy", list(UndeclaredPolicy))
def test_no_line_has_a_value_that_is_not_stored(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, stream: LiveStream, policy: UndeclaredPolicy
) -> None:
    installation = make_shop(undeclared_properties=policy)
    context = Context(
        user_id=CANARY, session_id=CANARY, device_id=CANARY, actor=CANARY, organization_id=CANARY, channel=CANARY
    )
    events = [
        Incoming(
            envelope=Envelope(
                id=ID.format(number),
                name=name,
                occurred_at=NOON,
                properties={"orderId": "A", "total": total, "note": CANARY, CANARY: CANARY},
                context=context,
            ),
            source=EventSource.BATCH,
        )
        for number, (name, total) in enumerate([("order", 200), ("order", 1), ("secret", 1), (CANARY, 1)])
    ]
    events += [incoming(9, orderId="A", email=CANARY, note={"deep": CANARY}), incoming(10, "secret", note=CANARY)]

    watch(installation, django_capture_on_commit_callbacks, *events)

    lines = stream.read(installation.public_id, START).lines
    assert len(lines) == 6
    assert not any(b"canary" in line for line in lines)


def test_nothing_is_written_while_nobody_watches(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, redis_url: str
) -> None:
    installation = make_shop()

    with django_capture_on_commit_callbacks(execute=True):
        ingest_batch(installation=installation, events=[incoming(1, orderId="A")], received_at=timezone.now())

    with Redis.from_url(redis_url) as client:
        assert client.keys("*") == []


def test_of_a_large_batch_the_last_events_are_shown(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop()
    events = [incoming(number, orderId=str(number)) for number in range(MOST_LINES + 7)]

    lines = watch(installation, django_capture_on_commit_callbacks, *events)

    assert len(lines) == MOST_LINES
    assert [line.omitted for line in lines[:2]] == [7, 0]
    assert lines[-1].values is not None
    assert lines[-1].values["properties"]["orderId"] == str(MOST_LINES + 6)


def test_an_event_that_is_too_long_is_shown_without_its_values(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    installation = make_shop()

    (line,) = watch(installation, django_capture_on_commit_callbacks, incoming(1, orderId="A" * 20_000))

    assert (line.is_cut, line.values) == (True, None)
    assert line.redactions


def test_ingest_goes_on_when_the_stream_is_away_or_a_line_cannot_be_made(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    installation = make_shop()
    live_stream().read(installation.public_id, START)

    def fail(_: object) -> list[LiveLine]:
        raise ValueError(CANARY)

    with monkeypatch.context() as patch:
        patch.setattr(live, "lines_of", fail)
        with django_capture_on_commit_callbacks(execute=True):
            ingest_batch(installation=installation, events=[incoming(1, orderId="A")], received_at=timezone.now())
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    live_stream.cache_clear()
    with django_capture_on_commit_callbacks(execute=True):
        ingest_batch(installation=installation, events=[incoming(2, orderId="A")], received_at=timezone.now())

    assert [record.message for record in caplog.records] == ["live.failed", "live.unavailable"]
    assert "canary" not in caplog.text


def test_a_line_of_another_program_is_passed_over() -> None:
    assert read_line(b"nonsense") is None
    assert read_line(json.dumps({"outcome": "lost"}).encode()) is None
