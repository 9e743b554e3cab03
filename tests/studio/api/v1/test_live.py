"""Arriving events over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from telemetry.services.deliveries.delivering import deliver_once
from telemetry.services.live_looks import MOST_LINES
from telemetry.stores.live import connect, live_stream
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import receiver
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
WITH_PERSON = {"workflow": "onboarding", "step": "verify", "userId": "alice@example.com"}


@pytest.fixture(autouse=True)
def own_stream() -> Iterator[None]:
    """No test goes on with the connection, or the pause after a failure, of another."""
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()


@pytest.fixture
def stream(redis_url: str, settings: Settings) -> Iterator[None]:
    """Lines go through a real Valkey."""
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    yield
    with connect(redis_url) as client:
        client.flushdb()


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def path(installation: Installation) -> str:
    return f"/api/v1/installations/{installation.public_id}/live"


def words(line: dict[str, Any]) -> list[str]:
    return [step["word"] for step in line["steps"]]


def test_every_event_comes_in_its_order_with_every_step_and_without_what_was_hidden(
    stream: None, installation: Installation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    first = viewer.get(path(installation)).json()
    again = make_incoming(properties=WITH_PERSON)
    with django_capture_on_commit_callbacks(execute=True):
        ingest(installation, again, again, make_incoming(properties={}), make_incoming(name="made_up"))

    answer = viewer.get(path(installation), {"after": first["cursor"]})
    body = answer.json()

    assert (first["lines"], first["isLive"], body["isLive"]) == ([], True, True)
    assert [(line["name"], line["outcome"], words(line)) for line in body["lines"]] == [
        (STEP, "stored", ["received", "valid", "sampled", "redacted", "stored"]),
        (STEP, "duplicate", ["received", "valid", "known already"]),
        (STEP, "rejected", ["received", "not valid"]),
        (None, "rejected", ["received", "not valid"]),
    ]
    assert body["lines"][0]["values"]["properties"]["workflow"] == "onboarding"
    assert "properties.userId" in [each["path"] for each in body["lines"][0]["redactions"]]
    assert "alice" not in json.dumps(body)
    assert answer["Cache-Control"] == "no-store"
    assert viewer.get(path(installation), {"after": body["cursor"]}).json()["lines"] == []


def test_lines_are_narrowed_to_one_event_and_one_outcome(
    stream: None, installation: Installation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    viewer = caller_with_role(Role.VIEWER)
    cursor = viewer.get(path(installation)).json()["cursor"]
    with django_capture_on_commit_callbacks(execute=True):
        ingest(installation, make_incoming(), make_incoming(properties={}), make_incoming(name="made_up"))

    def found(**query: str) -> list[tuple[str | None, str]]:
        body = viewer.get(path(installation), {"after": cursor, **query}).json()
        return [(line["name"], line["outcome"]) for line in body["lines"]]

    assert found(outcome="rejected") == [(STEP, "rejected"), (None, "rejected")]
    assert found(event=STEP) == [(STEP, "stored"), (STEP, "rejected")]
    assert found(event=STEP, outcome="rejected") == [(STEP, "rejected")]
    assert found(event="another") == []


def test_while_the_stream_is_away_what_was_stored_comes_instead(installation: Installation) -> None:
    ingest(installation, make_incoming())
    viewer = caller_with_role(Role.VIEWER)
    first = viewer.get(path(installation)).json()
    since = first["lines"][-1]["receivedAt"]
    ingest(installation, make_incoming(), make_incoming(properties={}))

    body = viewer.get(path(installation), {"after": "1-1", "since": since}).json()

    assert (len(first["lines"]), first["isLive"]) == (1, False)
    assert ([line["outcome"] for line in body["lines"]], body["isLive"]) == (["stored"], False)
    assert viewer.get(path(installation), {"after": "1-1"}).json()["lines"] == []


def test_an_event_that_was_on_its_way_is_told_of_again(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    viewer = caller_with_role(Role.VIEWER)
    with receiver() as hook:
        provider = make_provider(installation, hook.url, name="Our hook")
        ingest(installation, make_incoming())
        [line] = viewer.get(path(installation)).json()["lines"]
        asked = {"after": "1-1", "pending": line["eventId"]}
        [before] = viewer.get(path(installation), asked).json()["deliveries"]
        deliver_once(provider.pk)
        [after] = viewer.get(path(installation), asked).json()["deliveries"]

    assert (words(line)[-1], line["isSettled"]) == ("on its way", False)
    assert (before["step"]["word"], before["isSettled"]) == ("on its way", False)
    assert (after["eventId"], after["step"]["word"], after["isSettled"]) == (line["eventId"], "delivered", True)
    assert "Our hook" in after["step"]["note"]


def test_anothers_events_and_deliveries_are_not_told(installation: Installation) -> None:
    make_provider(installation)
    ingest(installation, make_incoming())
    [line] = caller_with_role(Role.VIEWER).get(path(installation)).json()["lines"]
    other = make_installation("other")
    stranger = caller_with_role(Role.ADMIN, other.tenant)

    body = stranger.get(path(other), {"pending": line["eventId"]}).json()

    assert (body["lines"], body["deliveries"]) == ([], [])
    assert stranger.get(path(installation)).status_code == 404


def test_only_who_may_view_sees_them(installation: Installation) -> None:
    app = Caller(key=make_key(installation, *[Scope.CONFIG_READ, Scope.CONFIG_SECRET, Scope.INGEST]).text)

    answer = app.get(path(installation))

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert Caller().get(path(installation)).status_code == 401


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"outcome": "gone"}, "outcome"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"pending": "nonsense"}, "pending"),
        ({"pending": ",".join(["01936d2e-0000-4000-8000-000000000001"] * (MOST_LINES + 1))}, "pending"),
        ({"after": "1" * 65}, "after"),
        ({"event": "x" * 201}, "event"),
    ],
)
def test_a_wrong_parameter_is_named(installation: Installation, query: dict[str, str], place: str) -> None:
    answer = caller_with_role(Role.VIEWER).get(path(installation), query)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_query")
    assert {error["path"].split("[")[0] for error in answer.json()["errors"]} == {place}


def test_a_cursor_that_is_none_begins_anew(
    stream: None, installation: Installation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    viewer = caller_with_role(Role.VIEWER)
    viewer.get(path(installation))
    with django_capture_on_commit_callbacks(execute=True):
        ingest(installation, make_incoming())

    body = viewer.get(path(installation), {"after": "nonsense", "since": timezone.now().isoformat()}).json()

    assert len(body["lines"]) == 1


def test_many_lines_take_as_many_queries_as_one(installation: Installation) -> None:
    ingest(installation, make_incoming())
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    few = cost_of(viewer, path(installation))
    ingest(installation, *[make_incoming() for _ in range(60)])

    assert cost_of(viewer, path(installation)) <= few
    # The installation, its providers, three looks at the store, each further back, and a note of what was read.
    assert few == 6
