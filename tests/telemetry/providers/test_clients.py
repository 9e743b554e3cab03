"""What each kind of place gets, and what becomes of its answers: real calls to a local server."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from pytest_django import Settings

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context, Dispatch
from telemetry.models import ProviderKind
from telemetry.providers.base import Connection, Delivery, Origin, RefusedEvents
from telemetry.providers.clients import client_of
from telemetry.providers.outgoing.session import Answered, GuardedSession, Unreachable
from telemetry.providers.outgoing.targets import BlockedAddress
from telemetry.providers.webhook import sign
from tests.sdk.builders import make_dispatch
from tests.sdk.servers import Asked, Reply, ScriptedServer, scripted_server

CREDENTIAL = "phc_canary_7731"
DELIVERY = UUID("0193a1b2-0000-5000-8000-000000000001")
EVENT = "01936d2e-0000-7000-8000-000000000001"
# The setting that says where events go, and the path that is called there.
PLACES = {
    ProviderKind.POSTHOG: ("host", "", "/batch/"),
    ProviderKind.SEGMENT: ("host", "", "/v1/batch"),
    ProviderKind.OPENTELEMETRY: ("endpoint", "/v1/logs", "/v1/logs"),
    ProviderKind.INTERNAL: ("url", "", "/api/v1/events/batch"),
    ProviderKind.WEBHOOK: ("url", "/hooks/events?team=1", "/hooks/events?team=1"),
}


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    """A local server that the operators have allowed."""
    with scripted_server() as scripted:
        settings.STUDIO_OUTGOING_ALLOW = [scripted.url.removeprefix("http://")]
        yield scripted


def send(kind: ProviderKind, url: str, *dispatches: Dispatch, hidden: tuple[str, ...] = (), **settings: Any) -> None:
    setting, path, _ = PLACES[kind]
    client = client_of(kind)
    connection = Connection(
        settings=client.settings_type(**{setting: url + path, **settings}),
        credential=CREDENTIAL,
        origin=Origin("acme", "sigil", "production"),
    )
    deliveries = [Delivery(DELIVERY, dispatch, hidden) for dispatch in dispatches or (make_dispatch(),)]
    client.send(connection, deliveries, GuardedSession())


def body_of(asked: Asked) -> bytes:
    return gzip.decompress(asked.body) if asked.headers.get("content-encoding") == "gzip" else asked.body


# What arrives


def test_posthog_gets_a_batch_with_pseudonyms_and_the_events_ids(server: ScriptedServer) -> None:
    send(ProviderKind.POSTHOG, server.url)

    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/batch/")
    body = json.loads(body_of(asked))
    assert body["api_key"] == CREDENTIAL
    [message] = body["batch"]
    assert message["event"] == "step"
    assert message["distinct_id"] == "p1_user"
    assert message["uuid"] == EVENT
    assert message["timestamp"] == "2026-11-22T12:00:00+00:00"
    properties = message["properties"]
    assert (properties["step"], properties["userId"], properties["telemetry_session"]) == (
        "verify_email",
        "REDACTED",
        "p1_session",
    )
    assert properties["telemetry_inclusion_probability"] == 0.25
    assert "$process_person_profile" not in properties


def test_posthog_makes_no_person_of_an_event_of_nobody(server: ScriptedServer) -> None:
    send(ProviderKind.POSTHOG, server.url, make_dispatch(context=Context()))

    [message] = json.loads(body_of(server.asked[0]))["batch"]
    assert message["distinct_id"] == EVENT
    assert message["properties"]["$process_person_profile"] is False


def test_segment_gets_a_batch_with_pseudonyms_and_the_events_ids(server: ScriptedServer) -> None:
    send(ProviderKind.SEGMENT, server.url, make_dispatch(), make_dispatch("another", context=Context()))

    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/batch")
    known, unknown = json.loads(body_of(asked))["batch"]
    assert (known["type"], known["event"], known["messageId"]) == ("track", "step", EVENT)
    assert (known["userId"], known["anonymousId"]) == ("p1_user", None)
    assert (unknown["userId"], unknown["anonymousId"]) == (None, "another")


def test_segment_gets_what_is_too_large_for_one_call_in_several(server: ScriptedServer) -> None:
    large = [make_dispatch(f"event-{number}", properties={"text": "x" * 30_000}) for number in range(40)]

    send(ProviderKind.SEGMENT, server.url, *large)

    ids = [message["messageId"] for asked in server.asked for message in json.loads(body_of(asked))["batch"]]
    assert len(server.asked) == 3
    assert ids == [f"event-{number}" for number in range(40)]


def test_an_event_that_segment_would_throw_away_is_refused(server: ScriptedServer) -> None:
    with pytest.raises(RefusedEvents) as refused:
        send(ProviderKind.SEGMENT, server.url, make_dispatch(properties={"text": "x" * 40_000}))

    assert refused.value.reason == "too_large"
    assert server.asked == []


def test_a_collector_gets_log_records(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=OPERATORS,x-operators=1")
    send(ProviderKind.OPENTELEMETRY, server.url, header="X-Token")

    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/logs")
    assert asked.headers["x-token"] == CREDENTIAL
    assert not {"authorization", "x-operators"} & asked.headers.keys()
    [resource] = ExportLogsServiceRequest.FromString(body_of(asked)).resource_logs
    described = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (described["service.name"], described["telemetry.tenant"]) == ("sigil", "acme")
    [record] = resource.scope_logs[0].log_records
    assert record.event_name == "step"
    assert record.time_unix_nano == 1_795_348_800_000_000_000
    attributes = {each.key: each.value for each in record.attributes}
    assert attributes["step"].string_value == "verify_email"
    assert attributes["durationMs"].int_value == 2100
    assert attributes["user.id"].string_value == "p1_user"
    assert attributes["log.record.uid"].string_value == EVENT


def test_another_studio_gets_reports_that_say_what_is_hidden(server: ScriptedServer) -> None:
    send(ProviderKind.INTERNAL, server.url, hidden=("properties.userId",))

    [asked] = server.asked
    assert asked.headers["authorization"] == f"Bearer {CREDENTIAL}"
    body = json.loads(body_of(asked))
    assert body["events"] == []
    [report] = body["reports"]
    assert (report["id"], report["outcome"], report["inclusionProbability"]) == (EVENT, "accepted", 0.25)
    assert report["redacted"] == ["properties.userId"]


def test_a_web_hook_gets_signed_json(server: ScriptedServer) -> None:
    send(ProviderKind.WEBHOOK, server.url)

    [asked] = server.asked
    assert asked.path == "/hooks/events?team=1"
    body = json.loads(asked.body)
    assert body["origin"] == {"tenant": "acme", "app": "sigil", "environment": "production"}
    [delivery] = body["deliveries"]
    assert delivery["deliveryId"] == str(DELIVERY)
    assert (delivery["event"]["id"], delivery["event"]["name"]) == (EVENT, "step")
    signature = asked.headers["telemetry-signature"]
    at = int(signature.split(",")[0].removeprefix("t="))
    assert signature == sign(asked.body, CREDENTIAL, at=at)
    assert signature != sign(asked.body, "another", at=at)
    assert UUID(asked.headers["telemetry-delivery"])


@pytest.mark.parametrize("kind", ProviderKind)
def test_a_name_or_value_with_line_breaks_makes_no_header(server: ScriptedServer, kind: ProviderKind) -> None:
    send(kind, server.url, make_dispatch(name="step\r\nX-Evil: 1", properties={"step": "a\r\nX-Evil: 1"}))

    assert len(server.asked) == 1
    assert "x-evil" not in server.asked[0].headers


@pytest.mark.parametrize("kind", ProviderKind)
def test_events_of_every_level_can_be_written(server: ScriptedServer, kind: ProviderKind) -> None:
    values = {
        "text": "é",
        "number": 1.5,
        "whole": 2**40,
        "truth": True,
        "nothing": None,
        "list": [1, "a"],
        "map": {"a": {}},
    }

    send(kind, server.url, *(make_dispatch(f"e-{level}", privacy=level, properties=values) for level in PrivacyLevel))

    assert len(server.asked) == 1


# How it went


@pytest.mark.parametrize("kind", ProviderKind)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 429, 500, 503])
def test_a_refusal_is_told_by_its_status_at_once(server: ScriptedServer, kind: ProviderKind, status: int) -> None:
    server.always(Reply(status, b'{"code": "CANARY", "message": "CANARY", "detail": "CANARY"}', {"Retry-After": "7"}))

    with pytest.raises(Answered) as answered:
        send(kind, server.url)

    assert (answered.value.status, answered.value.retry_after) == (status, 7.0)
    assert "CANARY" not in str(answered.value)
    # The clients' own patience is not used: retries are a matter of the outbox.
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", ProviderKind)
def test_a_place_that_is_not_there_is_unreachable(kind: ProviderKind, settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1:9"]

    with pytest.raises(Unreachable):
        send(kind, "http://127.0.0.1:9")


@pytest.mark.parametrize("kind", ProviderKind)
def test_no_client_calls_an_internal_address(kind: ProviderKind, server: ScriptedServer, settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = []

    with pytest.raises(BlockedAddress):
        send(kind, server.url)

    assert server.asked == []


@pytest.mark.parametrize("kind", ProviderKind)
def test_the_address_to_check_is_the_one_that_is_called(kind: ProviderKind, server: ScriptedServer) -> None:
    setting, path, called = PLACES[kind]
    client = client_of(kind)

    found = client.address_of(client.settings_type(**{setting: server.url + path}))
    send(kind, server.url)

    assert found == (setting, server.url + called)
    assert server.asked[0].path == called


def test_a_credential_shows_nowhere() -> None:
    connection = Connection(settings=None, credential=CREDENTIAL, origin=Origin("a", "b", "c"))

    assert CREDENTIAL not in repr(connection)
