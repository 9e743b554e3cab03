"""Incidents over HTTP: listed, looked at, taken up; and rules that are tried."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.models import Incident, IncidentStatus
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import caller_with_role
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, rule, send, start, watching
from tests.tenants.factories import make_membership, make_user

pytestmark = pytest.mark.django_db

INCIDENTS = "/api/v1/incidents"
STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def installation() -> Installation:
    make_published(watching(rule(max=2.0)))
    found = make_installation()
    start(found)
    send(found, NOON, [1.0] * 3)
    judge(NOON + WIDTH + LAG)
    return found


def one() -> Incident:
    with tenant_context(ALL):
        return Incident.objects.get()


def address(deed: str = "") -> str:
    return f"{INCIDENTS}/{one().pk}{deed}"


def test_incidents_are_listed_and_looked_at(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER)

    [item] = viewer.get(INCIDENTS, {}).json()["items"]
    assert (item["event"], item["rule"], item["state"], item["side"]) == (STEP, "watched", "open", "high")
    assert item["peakWords"] == "3 is above the maximum of 2"
    assert item["installation"] == str(installation.public_id)
    assert viewer.get(INCIDENTS, {"state": "resolved"}).json()["items"] == []

    detail = viewer.get(address()).json()
    assert [entry["kind"] for entry in detail["history"]] == ["opened"]


def test_an_incident_is_taken_up_muted_talked_about_and_resolved(installation: Installation) -> None:
    analyst = caller_with_role(Role.ANALYST)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    states = [
        analyst.post(address("/acknowledge"), {}).json()["state"],
        analyst.post(address("/mute"), {"until": until}).json()["state"],
        analyst.post(address("/unmute"), {}).json()["state"],
        analyst.post(address("/comments"), {"text": "A deploy."}).json()["incident"]["state"],
        analyst.post(address("/resolve"), {}).json()["state"],
    ]

    assert states == ["acknowledged", "muted", "open", "open", "resolved"]
    again = analyst.post(address("/acknowledge"), {})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_an_incident_is_assigned_to_who_has_a_role_there(installation: Installation) -> None:
    analyst = caller_with_role(Role.ANALYST)
    ana = make_user("ana")
    make_membership(ana, Role.VIEWER, installation.tenant)
    make_user("stranger")

    assert analyst.post(address("/assign"), {"assignee": "ana"}).json()["assignee"] == "ana"
    refused = analyst.post(address("/assign"), {"assignee": "stranger"})
    assert [error["path"] for error in refused.json()["errors"]] == ["assignee"]
    assert one().assignee_id == ana.pk
    assert analyst.post(address("/assign"), {"assignee": None}).json()["assignee"] is None
    assert caller_with_role(Role.VIEWER).post(address("/assign"), {"assignee": None}).status_code == 403


@pytest.mark.parametrize(
    ("deed", "body", "path"),
    [
        ("/assign", {}, "assignee"),
        ("/comments", {"text": ""}, "text"),
        ("/comments", {"text": "  "}, "text"),
        ("/mute", {"until": "2020-01-01T00:00:00Z"}, "until"),
        ("/mute", {"until": "2126-01-01T00:00:00Z"}, "until"),
        ("/mute", {}, "until"),
    ],
)
def test_what_makes_no_sense_is_refused(installation: Installation, deed: str, body: Any, path: str) -> None:
    answer = caller_with_role(Role.ANALYST).post(address(deed), body)

    assert answer.status_code == 400
    assert path in [error["path"] for error in answer.json()["errors"]]
    assert one().status == IncidentStatus.OPEN


def test_viewers_may_not_handle_incidents(installation: Installation) -> None:
    assert caller_with_role(Role.VIEWER).post(address("/resolve"), {}).status_code == 403
    assert one().status == IncidentStatus.OPEN


def test_another_tenants_people_find_none(installation: Installation) -> None:
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)

    assert stranger.get(INCIDENTS, {}).json()["items"] == []
    assert stranger.get(address()).status_code == 404
    assert stranger.post(address("/resolve"), {}).status_code == 404


def test_rules_are_tried_without_being_stored(installation: Installation) -> None:
    now = datetime.now(UTC)
    send(installation, now - timedelta(minutes=10), [1.0] * 5)
    body = {
        "event": STEP,
        "eventVersion": 1,
        "anomalyDetection": {"rules": [{"name": "busy", "statistic": "count", "max": 4}]},
        "days": 1,
    }

    answer = caller_with_role(Role.VIEWER).post(f"/api/v1/installations/{installation.public_id}/backtest", body)

    [tried] = answer.json()["rules"]
    assert tried["words"] == "the number of events is above 4"
    assert [each["words"] for each in tried["incidents"]] == ["5 is above the maximum of 4"]
    assert one().rule == "watched"


def test_a_backtest_of_an_unknown_event_is_refused(installation: Installation) -> None:
    body = {"event": "other", "eventVersion": 1, "anomalyDetection": {}}

    answer = caller_with_role(Role.VIEWER).post(f"/api/v1/installations/{installation.public_id}/backtest", body)

    assert answer.status_code == 404
