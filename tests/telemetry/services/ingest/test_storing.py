"""What is stored of a batch: what the dispatches would have, in groups that share all the rest."""

import json

import msgspec
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.events import Accepted, Context
from telemetry.core.express_code import jsonb_order
from telemetry.core.reports import Report, ReportedOutcome
from telemetry.core.unwritten import Unwritten
from telemetry.models import StoredEvent
from telemetry.services.ingest.incoming import Incoming
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

USUAL = {"workflow": "deploy", "step": "build", "durationMs": 120, "userId": "alice@example.com"}


def stored() -> list[StoredEvent]:
    with tenant_context(ALL):
        return list(StoredEvent.objects.order_by("id"))


def test_usual_events_are_stored_as_their_dispatches_would_be() -> None:
    make_published()
    people = [Context(user_id=name, channel="web") for name in ("alice", "alice", "bob")]

    result = ingest(make_installation(), *(make_incoming(properties=USUAL, context=each) for each in people))

    outcomes = [event.outcome for event in result.events]
    assert all(isinstance(outcome, Unwritten) for outcome in outcomes)
    dispatches = sorted(
        (outcome.dispatch for outcome in outcomes if isinstance(outcome, Accepted)), key=lambda each: each.id
    )
    assert [(row.properties, row.context) for row in stored()] == [
        (dict(each.properties), msgspec.to_builtins(each.context)) for each in dispatches
    ]
    assert len({row.context["userId"] for row in stored()}) == 2


def test_usual_and_other_events_of_one_contract_are_stored_alike() -> None:
    make_published()
    stray = {**USUAL, "stray": 1}

    result = ingest(make_installation(), make_incoming(properties=USUAL), make_incoming(properties=stray))

    assert [isinstance(event.outcome, Unwritten) for event in result.events] == [True, False]
    first, second = stored()
    assert first.properties == second.properties
    assert first.expires_at == second.expires_at


def test_what_came_from_different_versions_of_an_app_is_stored_so() -> None:
    make_published()
    versions = ["1.0.0", None, "1.1.0", "1.0.0"]
    events = [msgspec.structs.replace(make_incoming(properties=USUAL), app_version=each) for each in versions]

    ingest(make_installation(), *events)

    assert sorted(row.app_version or "" for row in stored()) == ["", "1.0.0", "1.0.0", "1.1.0"]


def test_what_trackers_judged_by_different_revisions_is_stored_so() -> None:
    make_published()
    events = [reported(revision) for revision in (0, 1, 0)]

    ingest(make_installation(), *events)

    assert sorted(row.config_revision for row in stored()) == [0, 0, 1]


def reported(revision: int) -> Incoming:
    """What a tracker kept under this revision of the config."""
    incoming = make_incoming(properties=USUAL)
    envelope = incoming.envelope
    assert envelope is not None
    report = Report(
        id=envelope.id,
        name=envelope.name,
        occurred_at=envelope.occurred_at,
        outcome=ReportedOutcome.ACCEPTED,
        config_revision=revision,
        properties=dict(USUAL),
        redacted=("properties.userId",),
    )
    return msgspec.structs.replace(incoming, report=report)


NAMES = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.lists(NAMES, min_size=2, max_size=8, unique=True))
def test_the_database_has_keys_in_the_order_in_which_they_are_sent(names: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(key) FROM jsonb_object_keys(%s::jsonb) AS key", [json.dumps(dict.fromkeys(names))]
        )
        ((kept,),) = cursor.fetchall()

    assert kept == sorted(names, key=jsonb_order)
