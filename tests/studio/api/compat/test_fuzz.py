"""Whatever arrives at the addresses of other people's clients, the answer is never an error of the server."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.studio.api.compat.contents import zipped
from tests.studio.api.compat.posthog.test_mapping import JSON
from tests.studio.api.compat.sending import Shop, make_shop
from tests.studio.api.compat.test_views import CALL, EVENT, LOGS, PROPERTIES

pytestmark = pytest.mark.django_db

# Values that have made other readers fall over.
HOSTILE = st.sampled_from(
    [
        "\x00",
        "\ud800",
        "a\r\nb",
        "💣" * 100,
        "A" * 70_000,
        10**400,
        -(2**63) - 1,
        1e308 * 10,
        float("nan"),
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-22T12:00:00.123456789Z",
        {"__proto__": {"isAdmin": True}},
        {f"key {number}": number for number in range(600)},
        [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
    ]
)
OF_ONE_EVENT: dict[str, Callable[[str], Any]] = {
    "/ingest/posthog/batch/": lambda key: {"api_key": key, "batch": [EVENT], "sent_at": "2026-11-22T12:00:00Z"},
    "/ingest/posthog/e/": lambda key: [{**EVENT, "properties": {**PROPERTIES, "token": key}}],
    "/ingest/segment/v1/batch": lambda key: {"writeKey": key, "batch": [CALL], "context": {"app": {"version": "1"}}},
    "/ingest/segment/v1/identify": lambda key: {"writeKey": key, **CALL, "traits": {"plan": "pro"}},
    "/ingest/otlp/v1/logs": lambda _: LOGS,
}


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def send(path: str, content: bytes, shop: Shop) -> Any:
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {shop.key}"} if path.endswith("logs") else {}
    return client.post(path, content, content_type="application/json", headers=headers)


def changed(value: Any, steps: list[int], new: Any) -> Any:
    """A copy of the value in which the part that the steps lead to is another one."""
    if not steps or not isinstance(value, dict | list) or not value:
        return new
    value = copy.deepcopy(value)
    key = list(value)[steps[0] % len(value)] if isinstance(value, dict) else steps[0] % len(value)
    value[key] = changed(value[key], steps[1:], new)
    return value


def assert_answered(answer: Any) -> None:
    """The answer is one that the client understands, and not one for the server's own failures."""
    assert answer.status_code in (200, 400, 401, 413, 415), answer.content
    if answer.status_code == 200:
        assert set(answer.json()) <= {"status", "success", "rejected", "partialSuccess"}


@pytest.mark.parametrize("path", OF_ONE_EVENT)
@given(steps=st.lists(st.integers(0, 20), max_size=8), new=HOSTILE | JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_body_with_one_part_changed(shop: Shop, path: str, steps: list[int], new: Any) -> None:
    body = changed(OF_ONE_EVENT[path](shop.key), steps, new)

    assert_answered(send(path, json.dumps(body).encode(), shop))


@pytest.mark.parametrize("depth", [500, 900, 940, 960, 980, 990, 1000, 5000])
def test_values_nested_as_deep_as_can_be(shop: Shop, depth: int) -> None:
    event = {"event": "Order Completed", "timestamp": "2026-11-22T12:00:00Z", "properties": {"orderId": 1}}
    text = json.dumps({"api_key": shop.key, "batch": [event]})

    assert_answered(send("/ingest/posthog/e/", text.replace("1}", "[" * depth + "]" * depth + "}").encode(), shop))


@pytest.mark.parametrize("path", OF_ONE_EVENT)
@given(place=st.floats(0, 1), cut=st.integers(0, 40), put=st.binary(max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_body_with_some_bytes_changed(shop: Shop, path: str, place: float, cut: int, put: bytes) -> None:
    content = json.dumps(OF_ONE_EVENT[path](shop.key)).encode()
    at = int(place * len(content))
    broken = content[:at] + put + content[at + cut :]

    for body in (broken, zipped(content)[: at or None] + put, b"data=" + base64.b64encode(broken)):
        assert_answered(send(path, body, shop))


@pytest.mark.parametrize("path", OF_ONE_EVENT)
@given(new=HOSTILE | JSON)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_bad_event_does_not_cost_the_good_one_beside_it(shop: Shop, path: str, new: Any) -> None:
    body = OF_ONE_EVENT[path](shop.key)
    if isinstance(body, list):
        body = [*body, new]
    elif "batch" in body:
        body = {**body, "batch": [*body["batch"], new]}
    else:
        return

    answer = send(path, json.dumps(body).encode(), shop)

    assert answer.status_code == 200, answer.content
    assert all(refused["index"] == 1 for refused in answer.json().get("rejected", []))
