"""Ids, versions and times of other clients' events."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.events import ClientEvent, EventIds, take_version
from telemetry.core.enums import EventSource, ViolationCode
from telemetry.core.intake import is_identifier
from tests.core.builders import NOON
from tests.studio.api.compat.plans import RECEIVED_AT, SECRET, mapper_for

FRESH = "01936d2e-0000-4000-8000-000000000001"


def test_an_id_that_is_an_identifier_is_kept() -> None:
    event = ClientEvent(name="step", id="node-next-1700000000-abc", occurred_at=NOON)

    assert EventIds(SECRET).id_of(event) == "node-next-1700000000-abc"


@given(st.text(min_size=1))
def test_any_other_id_becomes_one_that_stays_the_same_and_tells_nothing_without_the_key(text: str) -> None:
    event = ClientEvent(name="step", id=f"{text}@", occurred_at=NOON)

    first, second = EventIds(SECRET).id_of(event), EventIds(SECRET).id_of(event)

    assert first == second
    assert is_identifier(first)
    assert first != EventIds(b"another key of 16 bytes").id_of(event)


def test_a_record_without_an_id_gets_the_same_one_when_it_is_sent_again() -> None:
    def ids(record: Any) -> list[str]:
        request = EventIds(SECRET)
        return [request.id_of(ClientEvent(name="step", occurred_at=NOON, record=record)) for _ in range(2)]

    assert ids({"event": "step", "a": 1}) == ids({"a": 1, "event": "step"})
    # Equal records in one request are two events.
    assert len({*ids({"event": "step"}), *ids({"event": "other"})}) == 4


def test_a_record_without_id_and_time_is_a_new_event_each_time() -> None:
    ids = EventIds(SECRET, lambda: UUID(FRESH))

    assert ids.id_of(ClientEvent(name="step", record={"event": "step"})) == FRESH


@pytest.mark.parametrize(
    ("given_version", "expected"), [(2, 2), (2.0, 2), ("2", 2), (2.5, 2.5), ("two", "two"), (None, None), (True, True)]
)
def test_the_version_is_taken_from_the_values(given_version: object, expected: object) -> None:
    version, rest = take_version({"telemetry_event_version": given_version, "total": 1})

    assert version == expected
    assert type(version) is type(expected)
    assert rest == {"total": 1}


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    incoming = mapper_for(EventSource.POSTHOG, FRESH).map(ClientEvent(name="$pageview", sent_at=NOON))

    assert incoming.envelope is not None
    assert incoming.envelope.occurred_at == RECEIVED_AT
    # There is no clock to correct.
    assert incoming.sent_at is None


def test_a_time_comes_with_the_senders_clock() -> None:
    event = ClientEvent(name="$pageview", occurred_at=NOON - timedelta(hours=1), sent_at=NOON)

    incoming = mapper_for(EventSource.SEGMENT).map(event)

    assert incoming.sent_at == NOON
    assert incoming.source is EventSource.SEGMENT


@pytest.mark.parametrize("name", [None, "", 7, ["step"]])
def test_an_event_without_a_name_is_refused_with_that_reason(name: object) -> None:
    incoming = mapper_for(EventSource.OTLP).map(ClientEvent(name=name))

    assert incoming.envelope is None
    assert incoming.problem is not None
    assert (incoming.problem.code, incoming.problem.path) == (ViolationCode.MISSING_REQUIRED, "name")


def test_the_repr_of_an_event_shows_nothing_of_it() -> None:
    assert "canary" not in repr(ClientEvent(name="canary", given={"canary": "canary"}))
