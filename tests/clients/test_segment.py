"""Segment's official clients for Python and Node, pointed at the studio."""

from typing import Any

import pytest

from telemetry.core.enums import EventSource
from tests.clients.expected import HAPPENED_AT, ORDER, assert_order, kept, pseudonym
from tests.clients.node import run, run_python
from tests.studio.api.compat.sending import Shop, stored

pytestmark = pytest.mark.django_db(transaction=True)

CONTEXT: dict[str, Any] = {"app": {"version": "4.2.0"}, "locale": "de-AT", "ip": "192.0.2.1", "groupId": "acme-gmbh"}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_the_client_for_python(address: str, shop: Shop, compressed: bool) -> None:
    calls: list[dict[str, Any]] = [
        {
            "call": "track",
            "user_id": "user-123",
            "event": "Order Completed",
            "properties": ORDER,
            "context": CONTEXT,
            "timestamp": HAPPENED_AT,
            "anonymous_id": "anon-9",
            "message_id": "order-A-7",
        },
        {"call": "page", "user_id": "user-123", "name": "Cart", "properties": {"url": "https://shop.example/cart"}},
        {"call": "identify", "user_id": "user-123", "traits": {"plan": "pro", "email": "alice@example.com"}},
    ]
    description = {"host": f"{address}/ingest/segment", "key": shop.key, "gzip": compressed, "calls": calls}

    assert run_python("segment_calls.py", description) == {"errors": []}

    order, *others = stored(shop)
    assert_order(order, shop, EventSource.SEGMENT)
    assert (str(order.id), order.app_version) == (kept(shop, "order-A-7"), "4.2.0")
    assert order.context["deviceId"] == pseudonym(shop, "anon-9")
    assert order.context["organizationId"] == "acme-gmbh"
    assert order.context["channel"] == "analytics-python"
    assert order.context["metadata"] == {"library.name": "analytics-python", "locale": "de-AT"}
    assert {event.name: event.properties for event in others} == {
        "page": {"name": "Cart", "url": "https://shop.example/cart"},
        "identify": {"plan": "pro", "email": "REDACTED"},
    }


@pytest.mark.parametrize("path", ["", "/ingest/segment"], ids=["host alone", "whole address"])
def test_the_client_for_node(address: str, shop: Shop, path: str) -> None:
    calls = [
        {
            "call": "track",
            "userId": "user-123",
            "anonymousId": "anon-9",
            "event": "Order Completed",
            "properties": ORDER,
            "context": CONTEXT,
            "timestamp": HAPPENED_AT,
            "messageId": "order-A-7",
        },
        {
            "call": "page",
            "userId": "user-123",
            "name": "Cart",
            "properties": {"url": "https://shop.example/cart"},
        },
        {"call": "identify", "userId": "user-123", "traits": {"plan": "pro", "email": "alice@example.com"}},
    ]

    assert run("segment.mjs", {"host": f"{address}{path}", "key": shop.key, "calls": calls}) == {"errors": []}

    order, *others = stored(shop)
    assert_order(order, shop, EventSource.SEGMENT)
    assert (str(order.id), order.app_version) == (kept(shop, "order-A-7"), "4.2.0")
    assert order.context["deviceId"] == pseudonym(shop, "anon-9")
    assert order.context["channel"] == "segment.analytics-node"
    assert order.context["metadata"]["locale"] == "de-AT"
    assert {event.name: event.properties for event in others} == {
        "page": {"name": "Cart", "url": "https://shop.example/cart"},
        "identify": {"plan": "pro", "email": "REDACTED"},
    }


def test_a_call_that_is_sent_again_is_kept_once(address: str, shop: Shop) -> None:
    call = {"user_id": "u", "event": "Order Completed", "properties": ORDER, "message_id": "order-A-7"}
    for _ in range(2):
        description = {"host": f"{address}/ingest/segment", "key": shop.key, "calls": [{"call": "track", **call}]}
        assert run_python("segment_calls.py", description) == {"errors": []}

    assert [str(event.id) for event in stored(shop)] == [kept(shop, "order-A-7")]


def test_a_wrong_key_is_an_error_that_the_client_reports(address: str, shop: Shop) -> None:
    call = {"call": "track", "userId": "u", "event": "Order Completed", "properties": ORDER}

    said = run("segment.mjs", {"host": address, "key": "a key of somewhere else", "calls": [call]})

    assert said == {"errors": ["delivery_failure: Error: [401] Unauthorized"]}
    assert stored(shop) == []
