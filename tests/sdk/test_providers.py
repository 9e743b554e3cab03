"""Ready-made providers: what each service gets."""

import json
import logging
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Context
from telemetry.core.registry import TelemetryRegistry
from telemetry.sdk.provider import DeliveryStats, distinct_id
from telemetry.sdk.providers import HttpProvider, InMemoryProvider, LoggingProvider, PostHogProvider, SegmentProvider
from telemetry.sdk.queue import QueueSettings
from telemetry.sdk.tracker import TelemetryTracker
from tests.core.builders import NOON, make_event, make_property, make_spec
from tests.sdk.builders import make_dispatch
from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer

EVENT_ID = "01936d2e-0000-7000-8000-000000000001"
IMPATIENT = QueueSettings(linger=0.0, first_retry=0.0, longest_retry=0.0, attempts=3)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (Context(user_id="p1_user", session_id="p1_session"), "p1_user"),
        (Context(session_id="p1_session"), "p1_session"),
        (Context(), EVENT_ID),
    ],
)
def test_the_distinct_id_is_the_users_else_the_sessions_else_the_events(context: Context, expected: str) -> None:
    assert distinct_id(make_dispatch(context=context)) == expected


def test_memory_keeps_events_in_order_until_cleared() -> None:
    provider = InMemoryProvider()

    provider.send(make_dispatch("first"))
    provider.send(make_dispatch("second"))

    assert [dispatch.id for dispatch in provider.dispatches] == ["first", "second"]
    provider.clear()
    assert provider.dispatches == ()


def test_a_log_record_holds_the_redacted_event_as_text_and_as_data(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "telemetry.events")

    LoggingProvider().send(make_dispatch())

    [record] = caplog.records
    assert record.message.startswith('event.dispatched {"id":"01936d2e-')
    data = record.dispatch  # type: ignore[attr-defined]
    assert json.loads(record.message.removeprefix("event.dispatched ")) == {**data, "tags": []}
    assert data["properties"] == {"step": "verify_email", "durationMs": 2100, "userId": "REDACTED"}
    assert data["occurredAt"] == "2026-11-22T12:00:00Z"


def test_a_logger_that_does_not_listen_gets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "telemetry.events")

    LoggingProvider().send(make_dispatch())

    assert caplog.records == []


class PostHog:
    def __init__(self) -> None:
        self.captured: list[dict[str, Any]] = []

    def capture(
        self, *, event: str, distinct_id: str, properties: dict[str, Any], timestamp: datetime, uuid: str
    ) -> None:
        self.captured.append(
            {"event": event, "who": distinct_id, "properties": properties, "timestamp": timestamp, "uuid": uuid}
        )


def test_posthog_gets_the_pseudonym_the_redacted_properties_and_the_weight() -> None:
    client = PostHog()

    PostHogProvider(client).send(make_dispatch())

    assert client.captured == [
        {
            "event": "step",
            "who": "p1_user",
            "properties": {
                "telemetry_event_version": 1,
                "telemetry_inclusion_probability": 0.25,
                "telemetry_tenant_id": "acme",
                "step": "verify_email",
                "durationMs": 2100,
                "userId": "REDACTED",
            },
            "timestamp": NOON,
            "uuid": EVENT_ID,
        }
    ]


def test_posthog_makes_no_person_of_an_event_without_subject() -> None:
    client = PostHog()

    PostHogProvider(client).send(make_dispatch(context=Context()))

    assert client.captured[0]["who"] == EVENT_ID
    assert client.captured[0]["properties"]["$process_person_profile"] is False


def test_posthog_gets_a_stable_uuid_for_ids_that_are_none() -> None:
    client = PostHog()
    provider = PostHogProvider(client)

    for event_id in ("order-1", "order-1", "order-2"):
        provider.send(make_dispatch(event_id))

    first, again, other = (UUID(captured["uuid"]) for captured in client.captured)
    assert first == again != other


class Segment:
    def __init__(self) -> None:
        self.tracked: list[dict[str, Any]] = []

    def track(self, **message: Any) -> None:
        self.tracked.append(message)


def test_segment_gets_the_pseudonym_and_the_events_id_as_message_id() -> None:
    client = Segment()

    SegmentProvider(client).send(make_dispatch())

    [message] = client.tracked
    assert (message["user_id"], message["anonymous_id"]) == ("p1_user", None)
    assert (message["event"], message["message_id"], message["timestamp"]) == ("step", EVENT_ID, NOON)
    assert message["properties"]["userId"] == "REDACTED"


@pytest.mark.parametrize(
    ("context", "expected"), [(Context(session_id="p1_session"), "p1_session"), (Context(), EVENT_ID)]
)
def test_segment_gets_an_anonymous_id_for_events_without_user(context: Context, expected: str) -> None:
    client = Segment()

    SegmentProvider(client).send(make_dispatch(context=context))

    assert (client.tracked[0]["user_id"], client.tracked[0]["anonymous_id"]) == (None, expected)


def ids_of(asked: Asked) -> list[str]:
    return [event["id"] for event in json.loads(asked.body)["batch"]]


def test_http_posts_batches_of_redacted_events_with_the_key(server: ScriptedServer) -> None:
    provider = HttpProvider(f"{server.url}/hook/", api_key="tgs-secret", settings=QueueSettings(linger=PATIENCE))

    provider.send(make_dispatch("first"))
    provider.send(make_dispatch("second"))

    assert provider.flush(PATIENCE)
    asked = [event_id for request in server.asked for event_id in ids_of(request)]
    assert asked == ["first", "second"]
    request = server.asked[0]
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["authorization"] == "Bearer tgs-secret"
    assert request.headers["content-type"] == "application/json"
    event = json.loads(request.body)["batch"][0]
    assert event["occurredAt"] == "2026-11-22T12:00:00Z"
    assert event["context"] == {"tenantId": "acme", "userId": "p1_user", "sessionId": "p1_session"}
    assert provider.delivery() == DeliveryStats(sent=2)


def test_http_sends_what_was_true_when_the_event_was_tracked(server: ScriptedServer) -> None:
    provider = HttpProvider(server.url, settings=QueueSettings(linger=PATIENCE))
    spec = make_spec(make_event(properties={"steps": make_property("json")}))
    tracker = TelemetryTracker(TelemetryRegistry([spec]), [provider])
    steps = ["verify_email"]
    properties = {"steps": steps}

    tracker.track("step", 1, properties)
    steps.append("alice@example.com")
    properties["steps"] = ["bob@example.com"]

    assert provider.flush(PATIENCE)
    assert json.loads(server.asked[0].body)["batch"][0]["properties"] == {"steps": ["verify_email"]}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_http_tries_again_what_may_pass(server: ScriptedServer, status: int) -> None:
    replies = [Reply(status), Reply(202)]
    server.answer = lambda _asked: replies.pop(0)
    provider = HttpProvider(server.url, settings=IMPATIENT)

    provider.send(make_dispatch("first"))

    assert provider.flush(PATIENCE)
    assert [ids_of(asked) for asked in server.asked] == [["first"], ["first"]]
    assert provider.delivery() == DeliveryStats(sent=1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_http_does_not_repeat_what_was_refused(server: ScriptedServer, status: int) -> None:
    server.always(Reply(status))
    provider = HttpProvider(server.url, settings=IMPATIENT)

    provider.send(make_dispatch())

    assert provider.flush(PATIENCE)
    assert len(server.asked) == 1
    assert provider.delivery() == DeliveryStats(failed=1)


def test_http_never_follows_a_redirect(server: ScriptedServer, other_server: ScriptedServer) -> None:
    server.always(Reply(307, headers={"Location": other_server.url}))
    provider = HttpProvider(server.url, api_key="tgs-secret", settings=IMPATIENT)

    provider.send(make_dispatch())

    assert provider.flush(PATIENCE)
    assert other_server.asked == []
    assert provider.delivery() == DeliveryStats(failed=1)


def test_http_halves_a_batch_that_is_too_large(server: ScriptedServer) -> None:
    server.answer = lambda asked: Reply(413 if len(ids_of(asked)) > 1 else 200)
    provider = HttpProvider(server.url, settings=QueueSettings(linger=PATIENCE, batch_size=3))

    for event_id in "abc":
        provider.send(make_dispatch(event_id))

    assert provider.flush(PATIENCE)
    assert [ids_of(asked) for asked in server.asked] == [["a", "b", "c"], ["a"], ["b", "c"], ["b"], ["c"]]
    assert provider.delivery() == DeliveryStats(sent=3)


def test_http_refuses_an_unsafe_address() -> None:
    with pytest.raises(InvalidDocument, match="must use https"):
        HttpProvider("http://collector.example.com")
