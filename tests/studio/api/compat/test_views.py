"""The addresses of other people's clients: who may send, from where, and what is said when something is wrong."""

import base64
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from pytest_django import Settings

from studio.api.compat import views
from telemetry.core.enums import EventSource
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.roles import Scope
from tests.studio.api.calls import caller_with_key, code_of
from tests.studio.api.compat.contents import short, zipped
from tests.studio.api.compat.sending import Shop, make_shop, post, stored
from tests.tenants.factories import make_key, make_user

pytestmark = pytest.mark.django_db

PROPERTIES = {"orderId": "A-7", "total": 12.5, "email": "canary@example.com"}
EVENT = {
    "event": "Order Completed",
    "uuid": "01936d2e-0000-4000-8000-000000000001",
    "distinct_id": "user-123",
    "timestamp": "2026-11-22T12:00:00Z",
    "properties": PROPERTIES,
}
CALL = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "01936d2e-0000-4000-8000-000000000002",
    "userId": "user-123",
    "timestamp": "2026-11-22T12:00:00Z",
    "properties": {"orderId": "A-7"},
}
LOGS = {
    "resourceLogs": [
        {
            "scopeLogs": [
                {
                    "logRecords": [
                        {
                            "timeUnixNano": "1795348800000000000",
                            "eventName": "Order Completed",
                            "attributes": [{"key": "orderId", "value": {"stringValue": "A-7"}}],
                        }
                    ]
                }
            ]
        }
    ]
}


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def basic(key: str) -> str:
    return f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"


def send_everywhere(key: str, **headers: str) -> list[Any]:
    """The answers of every address that takes events, with the key where its protocol has it."""
    return [
        *(
            post(f"/ingest/posthog/{path}", {"api_key": key, "batch": [EVENT]}, **headers)
            for path in ("batch/", "batch", "e/", "capture/", "track/", "i/v0/e/", "i/v0/ai/batch/")
        ),
        post("/ingest/posthog/i/v1/analytics/events", {"batch": [EVENT]}, Authorization=f"Bearer {key}", **headers),
        *(
            post(path, {"batch": [CALL]}, Authorization=basic(key), **headers)
            for path in ("/ingest/segment/v1/batch", "/ingest/segment/v1/import", "/v1/batch", "/v1/b")
        ),
        *(
            post(f"/ingest/segment/v1/{path}", {**CALL, "writeKey": key}, **headers)
            for path in ("track", "t", "page", "p", "identify", "i", "screen", "s", "group", "g", "alias", "a")
        ),
        post("/ingest/otlp/v1/logs", LOGS, Authorization=f"Bearer {key}", **headers),
    ]


def test_every_address_takes_events(shop: Shop) -> None:
    answers = send_everywhere(shop.key)

    assert {answer.status_code for answer in answers} == {200}
    # The same event through seven addresses is one; so is the call, which is another event where the address says so.
    assert sorted((event.source, event.name) for event in stored(shop)) == [
        (EventSource.OTLP, "Order Completed"),
        (EventSource.POSTHOG, "Order Completed"),
        (EventSource.SEGMENT, "Order Completed"),
    ]


def test_what_is_stored_is_redacted_and_pseudonymous(shop: Shop) -> None:
    assert post("/ingest/posthog/batch/", {"api_key": shop.key, "batch": [EVENT]}).json() == {"status": 1}

    (event,) = stored(shop)
    assert str(event.id) == EVENT["uuid"]
    assert event.properties["orderId"] == "A-7"
    assert event.properties["email"].startswith("p1_")
    assert event.context["userId"].startswith("p1_")
    assert event.occurred_at.isoformat() == "2026-11-22T12:00:00+00:00"


@pytest.mark.parametrize("key", ["", "canary", "tgs_prd_app_canarycanary", "phc_canarycanarycanary"])
def test_without_a_good_key_nothing_is_taken(shop: Shop, key: str, caplog: pytest.LogCaptureFixture) -> None:
    answers = send_everywhere(key)

    assert {answer.status_code for answer in answers} == {401}
    assert stored(shop) == []
    assert "canary" not in caplog.text
    assert not any(b"canary" in answer.content for answer in answers)


def test_a_key_that_may_not_send_is_refused_and_recorded(shop: Shop) -> None:
    key = make_key(shop.installation, Scope.CONFIG_READ).text

    answers = send_everywhere(key)

    assert {answer.status_code for answer in answers} == {403}
    assert stored(shop) == []
    with tenant_context(ALL):
        denials = AuditEntry.objects.filter(action="access.denied")
        assert denials.count() == len(answers)


def test_a_persons_key_sends_nothing(shop: Shop) -> None:
    caller = caller_with_key(make_user(is_superuser=True))
    key = caller.headers["Authorization"].removeprefix("Bearer ")

    assert {answer.status_code for answer in send_everywhere(key)} == {403}


def test_a_key_is_looked_for_only_where_the_protocol_has_it(shop: Shop) -> None:
    answers = [
        post(f"/ingest/posthog/batch/?api_key={shop.key}", {"batch": [EVENT]}),
        post("/ingest/posthog/batch/", {"batch": [EVENT]}, Authorization=f"Bearer {shop.key}"),
        post("/ingest/posthog/i/v1/analytics/events", {"api_key": shop.key, "batch": [EVENT]}),
        post("/ingest/segment/v1/batch", {"batch": [CALL]}, Authorization=f"Bearer {shop.key}"),
        post(f"/ingest/otlp/v1/logs?token={shop.key}", LOGS),
        post("/ingest/otlp/v1/logs", LOGS, Authorization=basic(shop.key)),
    ]

    assert {answer.status_code for answer in answers} == {401}


def test_guessing_keys_is_slowed_down(shop: Shop, settings: Settings) -> None:
    settings.STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = 2

    answers = [post("/ingest/posthog/batch/", {"api_key": "guess", "batch": []}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert int(answers[-1]["Retry-After"]) >= 1
    # A good key of the same network goes on working.
    assert post("/ingest/posthog/batch/", {"api_key": shop.key, "batch": [EVENT]}).status_code == 200


def test_one_key_has_so_many_requests_a_minute(shop: Shop, settings: Settings) -> None:
    settings.STUDIO_CLIENT_REQUESTS_PER_MINUTE = 2
    cache.clear()

    answers = [post("/ingest/segment/v1/batch", {"batch": []}, Authorization=basic(shop.key)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_refused_event_is_told_by_place_and_rule(shop: Shop) -> None:
    canary = {"event": "canary@example.com", "timestamp": "2026-11-22T12:00:00Z", "distinct_id": "canary@example.com"}

    body = post("/ingest/posthog/batch/", {"api_key": shop.key, "batch": [EVENT, canary, "canary"]}).json()

    assert body["status"] == 1
    assert [(refused["index"], refused["violations"][0]["code"]) for refused in body["rejected"]] == [
        (1, "unknown_event"),
        (2, "wrong_type"),
    ]
    assert "canary" not in json.dumps(body)
    assert len(stored(shop)) == 1


def test_the_newer_protocol_has_a_word_for_each_event(shop: Shop) -> None:
    wrong = {**EVENT, "uuid": "01936d2e-0000-4000-8000-000000000009", "properties": {"total": 1}}

    answer = post(
        "/ingest/posthog/i/v1/analytics/events", {"batch": [EVENT, wrong]}, Authorization=f"Bearer {shop.key}"
    )

    results = answer.json()["results"]
    assert results[EVENT["uuid"]] == {"result": "ok"}
    assert results[wrong["uuid"]]["result"] == "drop"
    assert results[wrong["uuid"]]["details"] == "properties.orderId is required"


def test_a_partial_success_is_told_to_opentelemetry(shop: Shop) -> None:
    document = json.loads(json.dumps(LOGS))
    records = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    records.append({"body": {"stringValue": "canary@example.com signed in"}})

    answer = post("/ingest/otlp/v1/logs", document, Authorization=f"Bearer {shop.key}")

    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "partialSuccess": {
            "rejectedLogRecords": "1",
            "errorMessage": "record 1: name is required, and must be text",
        }
    }


def test_opentelemetry_is_answered_in_its_own_encoding(shop: Shop) -> None:
    def send(content: bytes, key: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return Client().post("/ingest/otlp/v1/logs", content, content_type="application/x-protobuf", headers=headers)

    empty = ExportLogsServiceRequest(resource_logs=[ResourceLogs()]).SerializeToString()
    taken, refused, broken = send(empty, shop.key), send(empty, "wrong"), send(b"canary", shop.key)

    assert (taken.status_code, taken["Content-Type"]) == (200, "application/x-protobuf")
    assert ExportLogsServiceResponse.FromString(taken.content) == ExportLogsServiceResponse()
    assert (refused.status_code, refused["Content-Type"]) == (401, "application/x-protobuf")
    assert Status.FromString(refused.content).code == 16
    assert broken.status_code == 400
    assert "canary" not in Status.FromString(broken.content).message


@pytest.mark.parametrize("path", ["/ingest/posthog/batch/", "/ingest/segment/v1/track", "/ingest/otlp/v1/logs"])
@pytest.mark.parametrize(
    "content", [b"canary", b"{", b"[]]", b'"canary"', zipped(b"canary"), b"[" * 100_000], ids=short
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(shop: Shop, path: str, content: bytes) -> None:
    answer = Client().post(path, content, content_type="application/json", headers={"Authorization": basic(shop.key)})

    assert answer.status_code == (200 if content == b'"canary"' and path.endswith("track") else 400)
    assert b"canary" not in answer.content
    assert answer["Content-Type"] == "application/json"


def test_too_much_at_once_is_refused(shop: Shop) -> None:
    batch = {"api_key": shop.key, "batch": [{}] * (views.MOST_EVENTS + 1)}

    assert code_of(post("/ingest/posthog/batch/", batch)) == "body_too_large"
    bomb = zipped(b" " * 9_000_000)
    answer = Client().post(
        "/ingest/posthog/batch/", bomb, content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert (answer.status_code, code_of(answer)) == (413, "body_too_large")


def test_other_methods_and_types_are_refused(shop: Shop) -> None:
    assert Client().get("/ingest/posthog/batch/").status_code == 405
    assert Client().put("/ingest/segment/v1/batch").status_code == 405
    answer = Client().post("/ingest/otlp/v1/logs", b"a", content_type="text/plain")
    assert answer.status_code == 415
    for path in ("/ingest/", "/ingest/posthog/static/recorder.js", "/ingest/otlp/v1/traces", "/v1/"):
        answer = Client().get(path)
        assert (answer.status_code, code_of(answer)) == (404, "unknown_address")


def test_a_database_that_does_not_answer_is_told_so_that_the_client_tries_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("canary")

    monkeypatch.setattr(views, "ingest_batch", fail)

    answers = send_everywhere(shop.key)

    assert {answer.status_code for answer in answers} == {503}
    assert "canary" not in caplog.text
    assert all(answer["Retry-After"] for answer in answers)


def test_posthog_finds_neither_flags_nor_anything_else_to_fetch(shop: Shop) -> None:
    flags = post("/ingest/posthog/flags/?v=2", {"token": shop.key, "distinct_id": "canary"}).json()
    assert flags["flags"] == flags["featureFlags"] == {}
    assert post("/ingest/posthog/decide/?v=3", {"token": "whatever"}).json() == flags

    config = Client().get(f"/ingest/posthog/array/{shop.key}/config").json()
    assert config["supportedCompression"] == ["gzip", "gzip-js"]
    assert not any(config[name] for name in ("hasFeatureFlags", "sessionRecording", "capturePerformance"))
    assert "surveys" not in config
    script = Client().get(f"/ingest/posthog/array/{shop.key}/config.js")
    assert script["Content-Type"].startswith("text/javascript")


def test_a_beacon_has_no_use_for_a_body(shop: Shop) -> None:
    body = zipped(json.dumps([{**EVENT, "properties": {**PROPERTIES, "token": shop.key}}]).encode())

    answer = Client().post("/ingest/posthog/e/?compression=gzip-js&beacon=1", body, content_type="text/plain")

    assert (answer.status_code, answer.content) == (204, b"")
    assert len(stored(shop)) == 1


def test_pages_of_any_origin_may_send_unless_it_is_restricted(shop: Shop, settings: Settings) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "content-type"}
    asked = Client().options("/ingest/posthog/e/", headers=headers)
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "*"
    assert asked["Access-Control-Allow-Headers"] == "content-type"
    assert "POST" in asked["Access-Control-Allow-Methods"]
    assert {answer["Access-Control-Allow-Origin"] for answer in send_everywhere(shop.key)} == {"*"}

    settings.STUDIO_CLIENT_ORIGINS = ["https://shop.example"]
    own = send_everywhere(shop.key, Origin="https://shop.example")
    foreign = send_everywhere(shop.key, Origin="https://evil.example")
    server = send_everywhere(shop.key)

    assert {(answer.status_code, answer["Access-Control-Allow-Origin"]) for answer in own} == {
        (200, "https://shop.example")
    }
    assert {answer.status_code for answer in foreign} == {403}
    assert not any("Access-Control-Allow-Origin" in answer for answer in foreign)
    assert {answer.status_code for answer in server} == {200}
    assert all("Origin" in answer["Vary"] for answer in own + foreign)


def test_cookies_play_no_part(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(is_superuser=True))

    answer = client.post("/ingest/posthog/batch/", {"batch": [EVENT]}, content_type="application/json")

    assert answer.status_code == 401
    assert "Access-Control-Allow-Credentials" not in answer
