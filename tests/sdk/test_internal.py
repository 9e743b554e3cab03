"""The way to the studio: every event is told of, redacted; batches, compression, retries, outages, disk."""

import gzip
import json
import logging
import stat
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Context, PseudonymKey
from telemetry.core.resolution import resolve_config
from telemetry.sdk.draining import DrainPace
from telemetry.sdk.provider import DeliveryStats
from telemetry.sdk.providers import InternalProvider
from telemetry.sdk.queue import QueueSettings
from telemetry.sdk.tracker import TelemetryTracker
from tests.core.builders import make_installation, make_sigil_spec
from tests.sdk.builders import make_accepted
from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer
from tests.sdk.studios import API_KEY, WORKFLOW_STEP

KEY = PseudonymKey(epoch=1, secret=b"0123456789abcdef0123456789abcdef")
QUICK = QueueSettings(batch_size=500, linger=0.01, first_retry=0.001, longest_retry=0.01)
EMAIL = "alice@example.com"

Make = Callable[..., InternalProvider]


@pytest.fixture
def make(server: ScriptedServer) -> Iterator[Make]:
    """Makes providers of the server, which end with the test."""
    made: list[InternalProvider] = []

    def make(**options: Any) -> InternalProvider:
        provider = InternalProvider(server.url, API_KEY, **{"settings": QUICK, **options})
        made.append(provider)
        return provider

    yield make
    for provider in made:
        provider.shutdown(0.0)


def body_of(asked: Asked) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(gzip.decompress(asked.body))
    return body


def reports_at(server: ScriptedServer) -> list[dict[str, Any]]:
    return [report for asked in server.asked for report in body_of(asked)["reports"]]


def ids_at(server: ScriptedServer) -> Counter[str]:
    return Counter(report["id"] for report in reports_at(server))


def fill(provider: InternalProvider, count: int, *, prefix: str = "event") -> list[str]:
    ids = [f"{prefix}-{number}" for number in range(count)]
    for each in ids:
        assert provider.take(make_accepted(each))
    return ids


def wait_until_spooled(provider: InternalProvider, count: int) -> None:
    """Until so many events have left the queue."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        provider._queue.flush(PATIENCE)
        spooled = provider._spool.stats()
        if spooled.waiting + spooled.dropped == count:
            return
    raise AssertionError(provider.transport())


def make_tracker(*providers: InternalProvider, **override: Any) -> TelemetryTracker:
    config = resolve_config(
        make_sigil_spec(),
        override=TenantOverride(events={WORKFLOW_STEP: EventOverride(**override)}),
        installation=make_installation(),
        revision=7,
    )
    return TelemetryTracker(config=config, providers=providers, key=KEY)


# What is sent


def test_a_batch_is_one_compressed_request_with_the_key_and_the_senders_clock(
    make: Make, server: ScriptedServer
) -> None:
    provider = make(app_version="4.2.0")

    provider.take(make_accepted("event-1"))

    assert provider.flush(PATIENCE)
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/events/batch")
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"
    assert asked.headers["content-encoding"] == "gzip"
    body = body_of(asked)
    assert body.pop("sentAt").endswith("Z")
    assert body == {
        "appVersion": "4.2.0",
        "events": [],
        "reports": [
            {
                "id": "event-1",
                "name": "step",
                "version": 1,
                "occurredAt": "2026-11-22T12:00:00Z",
                "outcome": "accepted",
                "configRevision": 7,
                "inclusionProbability": 0.25,
                "properties": {"step": "verify_email", "durationMs": 2100, "userId": "REDACTED"},
                "context": {"userId": "p1_user", "sessionId": "p1_session", "tenantId": "acme"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("override", "properties", "outcome"),
    [
        ({}, {"workflow": "a", "step": "b", "userId": EMAIL}, "accepted"),
        ({"sampling_rate": 0.0}, {"workflow": "a", "step": "b", "userId": EMAIL}, "sampled_out"),
        ({"sampling_rate": 0.0}, {"workflow": "a", "step": "b", "userId": EMAIL, "stray": EMAIL}, "sampled_out"),
        ({"enabled": False}, {"workflow": "a", "step": "b", "userId": EMAIL}, "disabled"),
        ({}, {"workflow": EMAIL}, "rejected"),
        ({}, {"workflow": "a", "step": "b", EMAIL: EMAIL}, "accepted"),
    ],
)
def test_every_event_is_told_of_and_nothing_personal_leaves(
    make: Make, server: ScriptedServer, override: dict[str, Any], properties: dict[str, Any], outcome: str
) -> None:
    provider = make()
    tracker = make_tracker(provider, **override)

    tracker.track(WORKFLOW_STEP, 1, properties, {"userId": EMAIL, "channel": EMAIL})

    assert provider.flush(PATIENCE)
    [report] = reports_at(server)
    assert (report["outcome"], report["name"]) == (outcome, WORKFLOW_STEP)
    assert EMAIL not in json.dumps(report)


@pytest.mark.parametrize(
    "arguments",
    [
        ("unknown", 1, {}, None),
        (f"opened:{EMAIL}", 1, {}, None),
        (7, 1, {}, None),
        (WORKFLOW_STEP, "one", {}, None),
        (WORKFLOW_STEP, 1, EMAIL, None),
        (WORKFLOW_STEP, 1, {}, Context(user_id=EMAIL)),
    ],
)
def test_what_was_no_valid_event_is_told_of_as_rejected(
    make: Make, server: ScriptedServer, arguments: tuple[Any, ...]
) -> None:
    provider = make()
    tracker = make_tracker(provider)

    tracker.track(*arguments)

    assert provider.flush(PATIENCE)
    [report] = reports_at(server)
    assert report["outcome"] == "rejected"
    assert report["violations"]
    assert EMAIL not in json.dumps(report)
    assert tracker.stats().received == provider.delivery().sent == 1


def test_other_providers_are_told_of_kept_events_only(make: Make, server: ScriptedServer) -> None:
    class Plain:
        id = "plain"

        def __init__(self) -> None:
            self.sent: list[str] = []

        def send(self, dispatch: Any, /) -> None:
            self.sent.append(dispatch.id)

    plain, provider = Plain(), make()
    tracker = make_tracker(provider)
    tracker.add_provider(plain)

    tracker.track(WORKFLOW_STEP, 1, {"workflow": "a", "step": "b"}, event_id="kept")
    tracker.track(WORKFLOW_STEP, 1, {}, event_id="rejected")

    assert plain.sent == ["kept"]
    assert provider.flush(PATIENCE)
    assert ids_at(server) == {"kept": 1, "rejected": 1}


# Answers of the studio


def test_what_the_studio_rejected_or_knew_is_counted(make: Make, server: ScriptedServer) -> None:
    server.always(Reply(200, b'{"received":3,"stored":1,"rejected":1,"duplicate":1,"items":[]}'))
    provider = make()

    fill(provider, 3)

    assert provider.flush(PATIENCE)
    found = provider.transport()
    assert (found.rejected, found.duplicate) == (1, 1)
    assert found.delivery == DeliveryStats(sent=3)


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503, 302])
def test_a_batch_is_tried_again_until_the_studio_takes_it(make: Make, server: ScriptedServer, status: int) -> None:
    replies = [Reply(status), Reply(status), Reply(status)]
    server.answer = lambda _asked: replies.pop() if replies else Reply(200, b"{}")
    provider = make()

    ids = fill(provider, 3)

    assert provider.flush(PATIENCE)
    assert ids_at(server) == dict.fromkeys(ids, 4)
    assert provider.delivery() == DeliveryStats(sent=3)


def test_a_studio_that_asks_for_a_pause_gets_it(make: Make, server: ScriptedServer) -> None:
    replies = [Reply(429, headers={"Retry-After": "1"})]
    times: list[float] = []

    def answer(_asked: Asked) -> Reply:
        times.append(time.monotonic())
        return replies.pop() if replies else Reply(200, b"{}")

    server.answer = answer
    provider = make()

    fill(provider, 1)

    assert provider.flush(PATIENCE)
    assert times[1] - times[0] >= 1.0


def test_a_batch_that_is_too_large_is_sent_in_halves(make: Make, server: ScriptedServer) -> None:
    server.answer = lambda asked: Reply(413) if len(body_of(asked)["reports"]) > 2 else Reply(200, b"{}")
    provider = make(settings=QueueSettings(batch_size=5, linger=PATIENCE))

    fill(provider, 5)

    assert provider.flush(PATIENCE)
    assert [len(body_of(asked)["reports"]) for asked in server.asked] == [5, 2, 3, 1, 2]
    assert provider.delivery() == DeliveryStats(sent=5)


def test_one_event_that_the_studio_cannot_read_takes_no_other_with_it(
    make: Make, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda asked: Reply(400) if b"event-3" in gzip.decompress(asked.body) else Reply(200, b"{}")
    provider = make(settings=QueueSettings(batch_size=8, linger=PATIENCE))

    fill(provider, 8)

    assert provider.flush(PATIENCE)
    assert provider.delivery() == DeliveryStats(sent=7, failed=1)
    assert caplog.messages == ["provider.event_refused provider=internal status=400"]


# Outages


def test_nothing_is_lost_in_an_outage_and_the_app_does_not_wait(
    make: Make, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "telemetry.sdk")
    server.always(Reply(503))
    provider = make()

    ids = fill(provider, 2000)
    assert not provider.flush(0.1)
    assert provider.delivery() == DeliveryStats(waiting=2000)
    server.always(Reply(200, b"{}"))

    assert provider.flush(PATIENCE)
    assert set(ids_at(server)) == set(ids)
    assert provider.delivery() == DeliveryStats(sent=2000)
    assert caplog.messages == ["provider.failing provider=internal", "provider.recovered provider=internal"]


def test_after_an_outage_sending_keeps_to_the_pace(make: Make, server: ScriptedServer) -> None:
    pauses: list[int] = []

    class Pace(DrainPace):
        def pause_after(self, count: int) -> float:
            pauses.append(count)
            return 0.0

    server.always(Reply(503))
    provider = make(pace=Pace(), settings=QueueSettings(batch_size=1000, linger=PATIENCE, first_retry=0.0))
    fill(provider, 5000)
    wait_until_spooled(provider, 5000)

    server.always(Reply(200, b"{}"))

    assert provider.flush(PATIENCE)
    # A pause after each batch, however they were cut while nothing got through, but the last one: there is no backlog.
    *before, last = [len(body_of(asked)["reports"]) for asked in server.asked[-len(pauses) - 1 :]]
    assert pauses == before
    assert sum(before) + last == 5000


def test_a_full_buffer_drops_the_oldest_events_and_counts_them(make: Make, server: ScriptedServer) -> None:
    server.always(Reply(503))
    provider = make(buffer_bytes=4000, settings=QueueSettings(batch_size=50, linger=PATIENCE, first_retry=PATIENCE))

    fill(provider, 2000)
    wait_until_spooled(provider, 2000)

    found = provider.delivery()
    assert found.dropped > 0
    assert found.dropped + found.waiting == 2000
    # What is being sent is never dropped, so that the newest batch may stand beyond the limit until it is settled.
    assert provider.transport().spooled_bytes <= 4000 + 1000


# The end of the process, and the next one


def test_a_clean_shutdown_sends_everything(make: Make, server: ScriptedServer) -> None:
    provider = make(settings=QueueSettings(linger=PATIENCE))
    ids = fill(provider, 1000)

    assert provider.shutdown(PATIENCE)

    assert ids_at(server) == dict.fromkeys(ids, 1)
    assert not provider.take(make_accepted("late"))
    assert provider.delivery() == DeliveryStats(sent=1000, dropped=1)
    assert provider.shutdown(0.0)


def test_without_a_disk_buffer_a_shutdown_in_an_outage_says_what_is_lost(make: Make, server: ScriptedServer) -> None:
    server.always(Reply(503))
    provider = make()
    fill(provider, 10)

    assert not provider.shutdown(1.0)

    assert provider.delivery() == DeliveryStats(dropped=10)


def test_with_a_disk_buffer_the_next_process_sends_what_was_left(
    make: Make, server: ScriptedServer, tmp_path: Path
) -> None:
    server.always(Reply(503))
    earlier = make(buffer_path=tmp_path)
    ids = fill(earlier, 1000)
    assert earlier.shutdown(5.0)
    assert earlier.delivery() == DeliveryStats(waiting=1000)
    server.always(Reply(200, b"{}"))

    later = make(buffer_path=tmp_path)

    assert later.flush(PATIENCE)
    assert set(ids_at(server)) == set(ids)
    assert later.delivery() == DeliveryStats()
    assert later.transport().recovered == 1000
    assert not list(tmp_path.rglob("*.events"))


def test_the_disk_holds_nothing_personal(make: Make, server: ScriptedServer, tmp_path: Path) -> None:
    server.always(Reply(503))
    provider = make(buffer_path=tmp_path)
    tracker = make_tracker(provider)

    for _ in range(10):
        tracker.track(WORKFLOW_STEP, 1, {"workflow": "a", "step": "b", "userId": EMAIL}, {"userId": EMAIL})
        tracker.track(WORKFLOW_STEP, 1, {"workflow": EMAIL}, {"userId": EMAIL})
    provider.flush(0.5)

    contents = [zlib.decompress(path.read_bytes()) for path in tmp_path.rglob("*.events")]
    assert sum(content.count(b'"id":') for content in contents) == 20
    assert not any(EMAIL.encode() in content or API_KEY.encode() in content for content in contents)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.events")} == {0o600}


@pytest.mark.parametrize("url", ["http://studio.example.com", "ftp://studio.example.com", "nonsense"])
def test_an_address_that_is_neither_https_nor_loopback_is_refused(url: str) -> None:
    with pytest.raises(InvalidDocument):
        InternalProvider(url, API_KEY)
