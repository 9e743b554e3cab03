"""Violations over HTTP: listed, looked at, decided about, taken away."""

import csv
import io
from typing import Any

import pytest

from telemetry.models import ViolationRecord, ViolationState
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.test_violations import GOOD, STEP, with_version
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

VIOLATIONS = "/api/v1/violations"


def send(installation: Installation, *properties: dict[str, Any], app_version: str | None = None) -> None:
    ingest(installation, *(with_version(make_incoming(properties=each), app_version) for each in properties))


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    send(found, {**GOOD, "colour": "tan"}, {**GOOD, "colour": "teal"}, app_version="2.4.0")
    send(found, {"step": "build"})
    return found


def the_violation(code: str = "undeclared_property") -> ViolationRecord:
    with tenant_context(ALL):
        return ViolationRecord.objects.get(code=code)


def address(violation: ViolationRecord) -> str:
    return f"{VIOLATIONS}/{violation.pk}"


def paths(caller: Caller, **query: Any) -> list[str]:
    answer = caller.get(VIOLATIONS, query)
    assert answer.status_code == 200, answer.content
    return [item["path"] for item in answer.json()["items"]]


def test_a_violation_is_listed_with_all_that_is_known(installation: Installation) -> None:
    violation = the_violation()

    answer = caller_with_role(Role.VIEWER).get(VIOLATIONS, {"code": "undeclared_property"})

    [item] = answer.json()["items"]
    assert item == {
        "id": violation.pk,
        "tenant": "acme",
        "app": installation.app.slug,
        "environment": "production",
        "installation": str(installation.public_id),
        "event": STEP,
        "eventVersion": 1,
        "path": "properties.colour",
        "code": "undeclared_property",
        "message": "is not declared; it was left out",
        "appVersion": "2.4.0",
        "count": 2,
        "firstSeenAt": violation.first_seen_at.isoformat().replace("+00:00", "Z"),
        "lastSeenAt": violation.last_seen_at.isoformat().replace("+00:00", "Z"),
        "state": "open",
        "resolvedIn": "",
        "note": "",
        "decidedAt": None,
        "decidedBy": "",
        "reopenedAt": None,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["properties.workflow", "properties.colour"]),
        ({"search": "colo"}, ["properties.colour"]),
        ({"appVersion": "2.4.0"}, ["properties.colour"]),
        ({"state": "resolved,muted"}, []),
        ({"order": "count"}, ["properties.colour", "properties.workflow"]),
        ({"event": "made_up"}, []),
        ({"seenSince": "2100-01-01T00:00:00Z"}, []),
    ],
)
def test_parameters_narrow_the_list_down(installation: Installation, query: dict[str, str], found: list[str]) -> None:
    assert paths(caller_with_role(Role.VIEWER), **query) == found


@pytest.mark.parametrize(
    "query",
    [{"state": "made_up"}, {"code": "made_up"}, {"order": "made_up"}, {"seenSince": "now"}, {"installation": "1"}],
)
def test_a_parameter_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    answer = caller_with_role(Role.VIEWER).get(VIOLATIONS, query)

    assert answer.status_code == 400
    assert [error["path"].partition("[")[0] for error in answer.json()["errors"]] == list(query)


def test_one_violation_has_its_days_and_the_outline_of_such_an_event(installation: Installation) -> None:
    answer = caller_with_role(Role.VIEWER).get(address(the_violation()))

    detail = answer.json()
    assert [day["count"] for day in detail["days"]] == [2]
    assert {"place": "properties", "name": "colour", "type": "string", "size": 3, "isDeclared": False} in detail[
        "outline"
    ]
    assert detail["unnamed"] == 0
    assert "tan" not in answer.content.decode()


def test_a_decision_holds_until_the_violation_is_seen_again(installation: Installation) -> None:
    violation = the_violation()

    answer = caller_with_role(Role.ANALYST).post(f"{address(violation)}/decide", {"state": "resolved", "note": "Done"})

    assert (answer.status_code, answer.json()["state"], answer.json()["note"]) == (200, "resolved", "Done")
    send(installation, {**GOOD, "colour": "red"}, app_version="2.4.0")
    assert the_violation().state == ViolationState.OPEN


def test_a_version_of_another_form_is_refused(installation: Installation) -> None:
    body = {"state": "resolved", "resolvedIn": "two words"}

    answer = caller_with_role(Role.ANALYST).post(f"{address(the_violation())}/decide", body)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_document")
    assert [error["path"] for error in answer.json()["errors"]] == ["resolvedIn"]


def test_who_may_not_decide_changes_nothing(installation: Installation) -> None:
    violation, viewer = the_violation(), caller_with_role(Role.VIEWER, installation.tenant)
    before = everything_stored()["telemetry.ViolationRecord"]

    answer = viewer.post(f"{address(violation)}/decide", {"state": "muted"})

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert everything_stored()["telemetry.ViolationRecord"] == before


def test_another_tenants_violation_does_not_exist(installation: Installation) -> None:
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)

    assert paths(stranger, state="open") == []
    assert stranger.get(address(the_violation())).status_code == 404
    assert stranger.post(f"{address(the_violation())}/decide", {"state": "muted"}).status_code == 404
    assert the_violation().state == ViolationState.OPEN


def test_the_key_of_an_app_reads_nothing_back(installation: Installation) -> None:
    app = Caller(key=make_key(installation).text)

    assert app.get(VIOLATIONS).status_code == 403
    assert app.get(address(the_violation())).status_code == 403


def test_the_file_is_safe_to_open(installation: Installation) -> None:
    answer = caller_with_role(Role.VIEWER).get(f"{VIOLATIONS}.csv", {"search": "workflow"})

    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["count"] for row in rows] == ["1", "2"]
    assert answer["Content-Disposition"] == 'attachment; filename="violations.csv"'


def test_a_list_of_any_length_takes_the_same_statements(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER)
    few = cost_of(viewer, VIOLATIONS)

    send(installation, *({**GOOD, f"extra{number}": 1} for number in range(20)))

    assert cost_of(viewer, VIOLATIONS) == few == 2
