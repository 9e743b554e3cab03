"""Sixty-one hostile bodies at the address for batches and at those of other people's clients: never our failure."""

import json
import logging
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from django.test import Client

from telemetry.sdk.identifiers import new_event_id
from tests.studio.api.compat.sending import Shop, make_shop, stored
from tests.studio.api.ingest.hostile_events import PARTS, WHOLES, HostilePart

pytestmark = pytest.mark.django_db

NAME = "Order Completed"
PLACES = ("value", "number", "items", "key", "id", "time", "name", "version")
MEGABYTE = 1024 * 1024


def fields(**changed: str) -> dict[str, Any]:
    """What an event says in each place; a mark stands where something hostile goes."""
    good = {"value": "A-7", "number": 12.5, "items": {}, "key": "more", "id": new_event_id(), "name": NAME}
    return {**good, "time": datetime.now(UTC).isoformat(), "version": 1, **changed}


def properties(given: dict[str, Any]) -> dict[str, Any]:
    return {"orderId": given["value"], "total": given["number"], "items": given["items"], given["key"]: 1}


def batch(key: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "events": [
            {
                "id": each["id"],
                "name": each["name"],
                "version": each["version"],
                "occurredAt": each["time"],
                "properties": properties(each),
            }
            for each in events
        ]
    }


def posthog_event(each: dict[str, Any]) -> dict[str, Any]:
    own = {**properties(each), "telemetry_event_version": each["version"]}
    return {"event": each["name"], "uuid": each["id"], "timestamp": each["time"], "distinct_id": "a", "properties": own}


def posthog_python(key: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"api_key": key, "batch": [posthog_event(each) for each in events]}


def posthog_js(key: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    shown = [posthog_event(each) for each in events]
    return [{**each, "properties": {**each["properties"], "token": key}} for each in shown]


def segment(key: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    calls = [
        {
            "type": "track",
            "event": each["name"],
            "messageId": each["id"],
            "userId": "a",
            "timestamp": each["time"],
            "properties": {**properties(each), "telemetry_event_version": each["version"]},
        }
        for each in events
    ]
    return {"writeKey": key, "batch": calls}


def opentelemetry(key: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    records = [
        {
            "timeUnixNano": "1795348800000000000" if each["time"][:1].isdigit() else each["time"],
            "eventName": each["name"],
            "attributes": [
                {"key": "orderId", "value": {"stringValue": each["value"]}},
                {"key": "total", "value": {"doubleValue": each["number"]}},
                {"key": each["key"], "value": {"stringValue": "1"}},
                {"key": "telemetry_event_version", "value": {"intValue": each["version"]}},
                {"key": "log.record.uid", "value": {"stringValue": each["id"]}},
                {"key": "items", "value": {"stringValue": each["items"] or "none"}},
            ],
        }
        for each in events
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


BATCH = "/api/v1/events/batch"
Form = Callable[[str, list[dict[str, Any]]], Any]
OTHERS: Final[dict[str, Form]] = {
    "/ingest/posthog/batch/": posthog_python,
    "/ingest/posthog/e/": posthog_js,
    "/ingest/segment/v1/batch": segment,
    "/ingest/otlp/v1/logs": opentelemetry,
}
FORMS: Final[dict[str, Form]] = {BATCH: batch, **OTHERS}


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def body_with(part: HostilePart, form: Form, key: str) -> bytes:
    """A good event, and one with the part in its place."""
    assert part.place in PLACES
    mark = "the marked place"
    text = json.dumps(form(key, [fields(), fields(**{part.place: mark})]))
    assert mark in text
    return text.encode().replace(json.dumps(mark).encode(), part.text)


def send(shop: Shop, path: str, content: bytes, content_type: str = "application/json", **headers: str) -> Any:
    if path in (BATCH, "/ingest/otlp/v1/logs"):
        headers["Authorization"] = f"Bearer {shop.key}"
    return Client(raise_request_exception=False).post(path, content, content_type=content_type, headers=headers)


def test_there_are_sixty_one_of_them() -> None:
    assert len(PARTS) + len(WHOLES) == 61
    assert len({*(part.name for part in PARTS), *(whole.name for whole in WHOLES)}) == 61


def test_each_hostile_event_of_a_batch_is_told_and_the_good_one_beside_it_is_stored(shop: Shop) -> None:
    surprises: dict[str, object] = {}

    for part in PARTS:
        before = len(stored(shop))
        answer = send(shop, BATCH, body_with(part, batch, shop.key))
        said = answer.json()
        codes = {each["code"] for item in said.get("items", ()) if item["index"] == 1 for each in item["violations"]}
        is_told = part.expected in ({"stored"} if said.get("stored") == 2 else codes)
        is_kept = len(stored(shop)) - before == said.get("stored", 0) >= 1
        if answer.status_code != 200 or not is_told or not is_kept or b"canary" in answer.content:
            surprises[part.name] = (answer.status_code, said)

    assert surprises == {}


@pytest.mark.parametrize("path", OTHERS)
def test_each_hostile_event_of_another_client_costs_no_good_one_that_can_be_read(shop: Shop, path: str) -> None:
    surprises: dict[str, object] = {}

    for part in PARTS:
        before = len(stored(shop))
        answer = send(shop, path, body_with(part, OTHERS[path], shop.key))
        kept = len(stored(shop)) - before
        # Protobuf's JSON knows types, and refuses the whole for one value of another type.
        may_refuse = not part.is_json or path.endswith("logs")
        is_fine = answer.status_code == 200 and kept in (1, 2)
        is_refused = answer.status_code == 400 and kept == 0 and may_refuse
        if not (is_fine or is_refused) or b"canary" in answer.content:
            surprises[part.name] = (answer.status_code, kept, answer.content[:300])

    assert surprises == {}


@pytest.mark.parametrize("path", FORMS)
def test_each_hostile_body_is_refused_as_a_whole_within_little_memory(
    shop: Shop, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good = json.dumps(FORMS[path](shop.key, [fields()])).encode()
    surprises: dict[str, object] = {}

    for whole in WHOLES:
        content = whole.make(good)
        tracemalloc.start()
        try:
            answer = send(shop, path, content, **whole.headers)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        expected = {whole.status} if path == BATCH else whole.others
        if answer.status_code not in expected or peak > 64 * MEGABYTE:
            surprises[whole.name] = (answer.status_code, peak, answer.content[:300])

    assert surprises == {}
    assert stored(shop) == []
    assert shop.key not in caplog.text
