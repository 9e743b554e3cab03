"""Drafts from traffic over HTTP."""

import pytest

from telemetry.core.codec import convert_document
from telemetry.core.spec import TelemetrySpec
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def path(installation: Installation) -> str:
    return f"/api/v1/installations/{installation.public_id}/inferred-spec?name=seen"


def test_a_draft_comes_with_what_is_uncertain_and_nothing_is_saved(installation: Installation) -> None:
    ingest(installation, make_incoming(), make_incoming(name="made_up", properties={"email": "alice@example.com"}))
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    viewer.get("/api/v1/schema")
    before = everything_stored()

    answer = viewer.get(path(installation))

    body = answer.json()
    spec = convert_document(body["spec"], TelemetrySpec, what="answer")
    assert [event.name for event in spec.events] == ["sigil.telemetry.workflow_step", "made_up"]
    assert (body["eventsRead"], body["suspects"]) == (1, ["made_up@1: email"])
    assert {"doubt", "path", "message"} == set(body["uncertainties"][0])
    assert "alice" not in answer.content.decode()
    assert everything_stored() == before


def test_who_may_not_view_gets_none(installation: Installation) -> None:
    app = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.INGEST).text)

    assert app.get(path(installation)).status_code == 403
    assert caller_with_role(Role.ADMIN, make_installation("other").tenant).get(path(installation)).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("name=", 400, "invalid_query"),
        ("name=seen&days=0", 400, "invalid_query"),
        ("name=seen&sample=1001", 400, "invalid_query"),
        ("name=Not%20A%20Name", 400, "invalid_document"),
        ("name=seen&event=nowhere", 400, "invalid_document"),
    ],
)
def test_what_cannot_be_answered_is_a_clear_error(
    installation: Installation, query: str, status: int, code: str
) -> None:
    ingest(installation, make_incoming())
    address = path(installation).removesuffix("name=seen") + query

    answer = caller_with_role(Role.VIEWER).get(address)

    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_draft_that_nobody_named_has_a_name(installation: Installation) -> None:
    ingest(installation, make_incoming())
    address = path(installation).removesuffix("?name=seen")

    assert caller_with_role(Role.VIEWER).get(address).json()["spec"]["meta"]["name"] == "from.traffic"


def test_many_events_of_a_kind_take_as_many_queries_as_one(installation: Installation) -> None:
    ingest(installation, make_incoming())
    viewer = caller_with_role(Role.VIEWER)
    few = cost_of(viewer, path(installation))
    ingest(installation, *[make_incoming() for _ in range(60)])

    assert cost_of(viewer, path(installation)) == few
    # The installation, what is in force, what is there, the kind's events, violations, findings.
    assert few == 6
