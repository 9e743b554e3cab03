"""From PostHog's records to our events."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.posthog.mapping import key_in, read_batch, read_event
from telemetry.core.enums import EventSource, ViolationCode
from telemetry.core.events import Envelope
from tests.core.builders import NOON
from tests.studio.api.compat.plans import RECEIVED_AT, envelopes, mapper_for, only

UUID = "01936d2e-0000-7000-8000-000000000001"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["event", "uuid", "distinct_id", "timestamp", "offset", "properties", "$set", "options", "sent_at", "session_id"]
)


def as_envelope(record: Any) -> Envelope:
    envelope: Envelope = only(
        envelopes([read_event(record, sent_at=NOON, received_at=RECEIVED_AT)], EventSource.POSTHOG)
    )
    return envelope


def test_an_event_of_the_server_side_clients() -> None:
    record = {
        "event": "Order Completed",
        "uuid": UUID,
        "distinct_id": "user-123",
        "timestamp": "2026-11-22T11:59:59.250000+00:00",
        "properties": {
            "total": 12.5,
            "stray": True,
            "telemetry_event_version": 1,
            "$lib": "posthog-python",
            "$lib_version": "7.91.1",
            "$os": "Linux",
            "$session_id": "session-9",
            "$groups": {"company": "acme-gmbh", "project": "p1"},
        },
    }

    envelope = as_envelope(record)

    assert (envelope.id, envelope.name, envelope.version) == (UUID, "Order Completed", 1)
    assert envelope.occurred_at == NOON - timedelta(milliseconds=750)
    # What the app said stays, declared or not: the core judges it. What the library added has no place in this spec.
    assert envelope.properties == {"total": 12.5, "stray": True}
    assert envelope.context.metadata == {}
    assert (envelope.context.user_id, envelope.context.session_id) == ("user-123", "session-9")
    assert (envelope.context.organization_id, envelope.context.channel) == ("acme-gmbh", "posthog-python")


def test_an_event_of_the_browser() -> None:
    record = {
        "event": "$pageview",
        "uuid": UUID,
        "properties": {
            "token": "tgs_prd_app_canary",
            "distinct_id": "0193-device",
            "$device_id": "0193-device",
            "$session_id": "0193-session",
            "$current_url": "https://shop.example/cart",
            "$browser": "Firefox",
            "$lib": "web",
            "title": "Cart",
            "utm_source": None,
        },
        "timestamp": "2026-11-22T12:00:00Z",
    }
    mapper = mapper_for(EventSource.POSTHOG)

    envelope = mapper.map(read_event(record, sent_at=None, received_at=RECEIVED_AT)).envelope

    assert envelope is not None
    assert envelope.properties == {"$current_url": "https://shop.example/cart"}
    assert envelope.context.metadata == {"$browser": "Firefox"}
    context = envelope.context
    assert (context.user_id, context.device_id, context.session_id) == ("0193-device", "0193-device", "0193-session")
    # $lib, title and utm_source; the key and the ids do not count, they are never values.
    assert mapper.left_out == 3


def test_an_event_of_the_newer_protocol() -> None:
    record = {
        "event": "Order Completed",
        "uuid": UUID,
        "distinct_id": "user-123",
        "timestamp": "2026-11-22T12:00:00Z",
        "session_id": "session-9",
        "options": {"disable_skew_correction": True},
        "properties": {"total": 1, "$set": {"email": "canary@example.com"}},
    }

    event = read_event(record, sent_at=NOON, received_at=RECEIVED_AT)

    assert event.context.session_id == "session-9"
    assert event.sent_at is None
    assert event.given == {"total": 1}
    assert event.added == {"$set": {"email": "canary@example.com"}}


def test_an_offset_counts_back_from_when_it_was_sent() -> None:
    envelope = as_envelope({"event": "$pageview", "distinct_id": "a", "offset": 1500})

    assert envelope.occurred_at == NOON - timedelta(milliseconds=1500)


def test_person_properties_are_kept_where_an_event_declares_them_only() -> None:
    record = {"event": "$pageview", "distinct_id": "a", "$set": {"plan": "pro"}, "properties": {}}

    event = read_event(record, sent_at=NOON, received_at=RECEIVED_AT)

    assert event.added == {"$set": {"plan": "pro"}}
    assert event.given == {}


def test_what_is_known_of_a_person_counts_one_by_one_where_an_event_is_about_nothing_else() -> None:
    record = {"event": "$identify", "uuid": UUID, "$set": {"plan": "pro", "email": "canary"}, "properties": {}}

    envelope = as_envelope(record)

    assert (envelope.name, envelope.properties) == ("identify", {"plan": "pro"})


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"$groups": {"team": "t1"}}, "t1"),
        ({"$groups": {"team": "t1", "organization": "acme"}}, "acme"),
        ({"$groups": {"team": "t1", "project": "p1"}}, None),
        ({"$groups": ["acme"]}, None),
        ({}, None),
    ],
)
def test_one_group_stands_for_the_organisation(properties: dict[str, Any], expected: str | None) -> None:
    record = {"event": "step", "properties": properties}

    assert read_event(record, sent_at=None, received_at=RECEIVED_AT).context.organization_id == expected


def test_the_group_of_a_group_call_is_the_organisation() -> None:
    record = {"event": "$groupidentify", "properties": {"$group_type": "company", "$group_key": "acme"}}

    assert read_event(record, sent_at=None, received_at=RECEIVED_AT).context.organization_id == "acme"


def test_the_id_before_signing_in_stands_for_the_device() -> None:
    record = {"event": "$identify", "distinct_id": "user-1", "properties": {"$anon_distinct_id": "anon-1"}}

    context = read_event(record, sent_at=None, received_at=RECEIVED_AT).context

    assert (context.user_id, context.device_id) == ("user-1", "anon-1")


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ("step", ""),
        (None, ""),
        ({"event": "step", "properties": "canary"}, "properties"),
        ({"event": "step", "timestamp": "yesterday"}, "timestamp"),
        ({"event": "step", "timestamp": 1700000000}, "timestamp"),
    ],
)
def test_what_cannot_be_read_says_where_and_not_what(record: object, path: str) -> None:
    event = read_event(record, sent_at=None, received_at=RECEIVED_AT)

    assert event.problem is not None
    assert (event.problem.code, event.problem.path) == (ViolationCode.WRONG_TYPE, path)
    assert "canary" not in event.problem.message


def test_all_forms_of_a_body_hold_events() -> None:
    event = {"event": "step"}

    assert read_batch([event, event]) == ([event, event], None)
    assert read_batch({"api_key": "k", "batch": [event], "sent_at": "2026-11-22T12:00:00Z"}) == ([event], NOON)
    assert read_batch({"event": "step", "sent_at": "2026-11-22T12:00:00Z"}) == (
        [{"event": "step", "sent_at": "2026-11-22T12:00:00Z"}],
        NOON,
    )
    assert read_batch({"batch": "canary"}) is None
    assert read_batch({"api_key": "k"}) is None
    assert read_batch("canary") is None


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": "the key", "batch": []},
        {"token": "the key", "event": "step"},
        {"event": "step", "properties": {"token": "the key"}},
        [{"event": "step", "properties": {"token": "the key"}}],
        {"batch": [{"event": "step", "properties": {"token": "the key"}}]},
        {"batch": [{"event": "step", "token": "the key"}]},
    ],
)
def test_the_key_is_found_where_the_protocol_has_it(body: object) -> None:
    assert key_in(body) == "the key"


@pytest.mark.parametrize("body", [None, [], {}, "the key", {"api_key": 7}, {"event": "step", "key": "the key"}])
def test_the_key_is_looked_for_nowhere_else(body: object) -> None:
    assert key_in(body) is None


@given(st.dictionaries(KEYS | st.text(), JSON))
def test_whatever_a_record_holds_becomes_an_event_or_a_problem(record: dict[str, Any]) -> None:
    event = read_event(record, sent_at=None, received_at=RECEIVED_AT)

    incoming = mapper_for(EventSource.POSTHOG, *[UUID] * 2).map(event)

    assert (incoming.envelope is None) is not (incoming.problem is None)
    key_in(record)
    read_batch(record)
