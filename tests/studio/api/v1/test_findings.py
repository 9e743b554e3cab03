"""Privacy findings over HTTP: listed, accepted, dismissed, snoozed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel, RedactionStrategy
from telemetry.detection.inspector import Inspector
from telemetry.models import PrivacyFinding
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.telemetry.services.test_privacy_findings import MAIL, STEP, draft_event, send, the_finding
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

FINDINGS = "/api/v1/privacy-findings"


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector())


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    send(found, {"step": MAIL}, {"step": "plain"}, app_version="2.4.0")
    return found


def address(finding: PrivacyFinding, verb: str = "") -> str:
    return f"{FINDINGS}/{finding.pk}" + (f"/{verb}" if verb else "")


def test_a_finding_is_listed_with_its_evidence(installation: Installation) -> None:
    finding = the_finding()

    answer = caller_with_role(Role.VIEWER).get(FINDINGS)

    assert answer.json()["total"] == 1
    assert MAIL not in answer.content.decode()
    [item] = answer.json()["items"]
    expected = {
        "id": finding.pk,
        "tenant": "acme",
        "event": STEP,
        "eventVersion": 1,
        "path": "properties.step",
        "detector": "email",
        "isDeclared": True,
        "valueType": "string",
        "found": 1,
        "checked": 2,
        "appVersions": ["2.4.0"],
        "suggestedLevel": "pii",
        "suggestedStrategy": "mask",
        "state": "open",
    }
    assert {key: item[key] for key in expected} == expected
    assert caller_with_role(Role.VIEWER).get(address(finding)).json() == item


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"detector": "email", "state": "open", "search": "STEP"}, 1),
        ({"detector": "phone"}, 0),
        ({"state": "dismissed"}, 0),
        ({"search": "nothing"}, 0),
    ],
)
def test_parameters_narrow_the_list_down(installation: Installation, query: dict[str, str], total: int) -> None:
    assert caller_with_role(Role.VIEWER).get(FINDINGS, query).json()["total"] == total


def test_accepting_changes_the_draft(installation: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)

    answer = officer.post(address(the_finding(), "accept"), {"strategy": "hash", "raiseLevel": True})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["spec"], body["event"], body["eventVersion"]) == ("sigil.telemetry", STEP, 1)
    assert (body["finding"]["state"], body["finding"]["acceptedVersion"]) == ("accepted", 2)
    event = draft_event()
    assert event.privacy is PrivacyLevel.PII
    assert event.properties["step"].redaction.strategy is RedactionStrategy.HASH


def test_a_nameless_property_cannot_be_accepted(installation: Installation) -> None:
    send(installation, {MAIL: 1})

    answer = caller_with_role(Role.PRIVACY_OFFICER).post(address(the_finding(path="properties[?]"), "accept"), {})

    assert (answer.status_code, code_of(answer)) == (409, "conflict")


def test_dismissing_and_reopening(installation: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)

    dismissed = officer.post(address(the_finding(), "dismiss"), {"reason": "Our own"})
    assert (dismissed.json()["decided"], dismissed.json()["finding"]["reason"]) == (1, "Our own")
    reopened = officer.post(address(the_finding(), "reopen"), {})

    assert (reopened.status_code, reopened.json()["finding"]["state"]) == (200, "open")


def test_a_snooze_has_an_end_within_a_year(installation: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    soon, late = (datetime.now(UTC) + timedelta(days=days) for days in (7, 400))

    refused = officer.post(address(the_finding(), "snooze"), {"until": late.isoformat()})
    snoozed = officer.post(address(the_finding(), "snooze"), {"until": soon.isoformat()})

    assert (refused.status_code, [error["path"] for error in refused.json()["errors"]]) == (400, ["until"])
    assert snoozed.json()["finding"]["snoozedUntil"] == soon.isoformat().replace("+00:00", "Z")


BODIES: list[tuple[str, Any]] = [
    ("accept", {}),
    ("dismiss", {"reason": "x"}),
    ("snooze", {"until": "2026-12-01T00:00:00Z"}),
    ("reopen", {}),
]


@pytest.mark.parametrize(("verb", "body"), BODIES)
def test_who_may_not_decide_changes_nothing(installation: Installation, verb: str, body: Any) -> None:
    analyst = caller_with_role(Role.ANALYST, installation.tenant)
    before = everything_stored()["telemetry.PrivacyFinding"]

    answer = analyst.post(address(the_finding(), verb), body)

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert everything_stored()["telemetry.PrivacyFinding"] == before


@pytest.mark.parametrize(("verb", "body"), BODIES)
def test_another_tenants_finding_does_not_exist(installation: Installation, verb: str, body: Any) -> None:
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)

    assert stranger.post(address(the_finding(), verb), body).status_code == 404
    assert stranger.get(address(the_finding())).status_code == 404
    assert stranger.get(FINDINGS).json()["total"] == 0
    assert the_finding().state == "open"


def test_the_key_of_an_app_reads_nothing_back(installation: Installation) -> None:
    app = Caller(key=make_key(installation).text)

    assert app.get(FINDINGS).status_code == 403


def test_a_list_of_any_length_takes_the_same_statements(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER)
    few = cost_of(viewer, FINDINGS)

    send(installation, {f"extra{letter}": MAIL for letter in "abcdefghij"})

    assert cost_of(viewer, FINDINGS) == few == 2
