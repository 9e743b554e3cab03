"""From Segment's calls to our events."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.segment.mapping import Batch, key_in, read_batch, read_call
from telemetry.core.enums import EventSource
from tests.core.builders import NOON
from tests.studio.api.compat.plans import envelopes, mapper_for, only
from tests.studio.api.compat.posthog.test_mapping import JSON, UUID

KEYS = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "context", "properties", "traits", "groupId"]
)
ALONE = Batch([], {}, NOON)


def test_a_track_call() -> None:
    record = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "node-next-1700000000-abc",
        "userId": "user-123",
        "anonymousId": "anon-9",
        "timestamp": "2026-11-22T11:59:59.250Z",
        "properties": {"total": 12.5, "stray": 1, "telemetry_event_version": 2},
        "context": {
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
            "app": {"version": "4.2.0"},
            "locale": "de-AT",
            "page": {"url": "https://shop.example/cart"},
            "ip": "192.0.2.1",
            "groupId": "acme",
            "sessionId": 1700000000,
        },
        "integrations": {},
    }
    mapper = mapper_for(EventSource.SEGMENT)

    incoming = mapper.map(read_call(record, batch=ALONE))

    envelope = incoming.envelope
    assert envelope is not None
    assert (envelope.id, envelope.name, envelope.version) == ("node-next-1700000000-abc", "Order Completed", 2)
    assert envelope.occurred_at == NOON - timedelta(milliseconds=750)
    assert (incoming.sent_at, incoming.app_version) == (NOON, "4.2.0")
    assert envelope.properties == {"total": 12.5, "stray": 1}
    assert envelope.context.metadata == {"locale": "de-AT", "page.url": "https://shop.example/cart"}
    context = envelope.context
    assert (context.user_id, context.device_id, context.session_id) == ("user-123", "anon-9", "1700000000")
    assert (context.organization_id, context.channel) == ("acme", "segment.analytics-node")
    # library, app and ip.
    assert mapper.left_out == 3


def test_other_calls_are_events_named_by_their_type() -> None:
    calls: list[dict[str, Any]] = [
        {"type": "page", "name": "Cart", "properties": {"url": "https://shop.example", "search": "?q=canary"}},
        {"type": "identify", "userId": "user-1", "traits": {"plan": "pro", "email": "canary@example.com"}},
        {"type": "group", "userId": "user-1", "groupId": "acme", "traits": {"size": 7}},
        {"type": "alias", "userId": "user-1", "previousId": "anon-1"},
        {"type": "screen", "name": "Home", "properties": {"depth": 1}},
    ]
    record = {"timestamp": "2026-11-22T12:00:00Z", "messageId": UUID}

    page, identify, group, alias, screen = envelopes(
        [read_call({**record, **call}, batch=ALONE) for call in calls], EventSource.SEGMENT
    )

    assert (page.name, page.properties) == ("page", {"url": "https://shop.example", "name": "Cart"})
    assert (identify.name, identify.properties) == ("identify", {"plan": "pro", "email": "canary@example.com"})
    assert (group.name, group.context.organization_id, group.properties) == ("group", "acme", {"size": 7})
    assert (alias.name, alias.context.user_id, alias.context.device_id) == ("alias", "user-1", "anon-1")
    assert (screen.name, screen.properties) == ("screen", {"depth": 1})


def test_the_address_says_the_kind_of_a_single_call() -> None:
    record = {"event": "Order Completed", "userId": "u", "messageId": UUID, "timestamp": "2026-11-22T12:00:00Z"}

    envelope = only(envelopes([read_call(record, batch=ALONE, kind="track")], EventSource.SEGMENT))

    assert envelope.name == "Order Completed"


def test_a_batch_shares_its_context_and_its_clock() -> None:
    batch = read_batch({"batch": [{"type": "page"}], "context": {"locale": "fr"}, "sentAt": "2026-11-22T12:00:00Z"})

    assert batch is not None
    assert (batch.records, batch.context, batch.sent_at) == ([{"type": "page"}], {"locale": "fr"}, NOON)
    event = read_call({"type": "page", "messageId": UUID}, batch=batch)
    assert event.added == {"locale": "fr"}
    assert event.sent_at == NOON


@pytest.mark.parametrize("body", [None, [], {}, {"batch": {}}, "batch"])
def test_what_has_no_batch_is_none(body: object) -> None:
    assert read_batch(body) is None


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (7, ""),
        ({}, "type"),
        ({"type": "canary"}, "type"),
        ({"type": ["track"]}, "type"),
        ({"type": "track", "properties": ["canary"]}, "properties"),
        ({"type": "identify", "traits": "canary"}, "traits"),
        ({"type": "track", "event": "step", "timestamp": "canary"}, "timestamp"),
        ({"type": "track", "event": "step", "originalTimestamp": 7}, "timestamp"),
    ],
)
def test_what_cannot_be_read_says_where_and_not_what(record: object, path: str) -> None:
    event = read_call(record, batch=ALONE)

    assert event.problem is not None
    assert event.problem.path == path
    assert "canary" not in event.problem.message


def test_the_write_key_is_found_in_the_body() -> None:
    assert key_in({"writeKey": "the key"}) == "the key"
    assert key_in({"writeKey": 7}) is None
    assert key_in(["the key"]) is None


@given(st.dictionaries(KEYS | st.text(), JSON))
def test_whatever_a_record_holds_becomes_an_event_or_a_problem(record: dict[str, Any]) -> None:
    for kind in (None, "track", "identify"):
        incoming = mapper_for(EventSource.SEGMENT, UUID).map(read_call(record, batch=ALONE, kind=kind))

        assert (incoming.envelope is None) is not (incoming.problem is None)
