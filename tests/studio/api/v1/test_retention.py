"""Retention over HTTP: what is kept, what would go, runs that wait, holds and receipts."""

import json

import pytest
from pytest_django import Settings

from telemetry.formats.receipts import read_receipts, verify_receipts
from telemetry.services.purging.service import purge
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, store, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    made = make_installation()
    purge()
    return made


@pytest.fixture
def officer(installation: Installation) -> Caller:
    return caller_with_role(Role.PRIVACY_OFFICER, installation.tenant)


def test_the_overview_says_what_is_kept_how_long_and_what_goes_next(
    officer: Caller, installation: Installation
) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 2, days_ago=2, days=30)

    answer = officer.get(f"/api/v1/installations/{installation.public_id}/retention").json()

    (event,) = answer["events"]
    assert (event["event"], event["days"], event["policy"], event["privacy"]) == (STEP, 30, "delete", "internal")
    assert (event["rows"], event["due"], event["held"]) == (5, 3, 0)
    assert {each["days"]: (each["rows"], each["due"]) for each in answer["classes"] if each["rows"]} == {
        7: (3, 3),
        30: (2, 0),
    }


def test_previews_tell_exactly_what_goes_and_change_nothing(officer: Caller, installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 4, days_ago=12, days=30)
    officer.get("/api/v1/purge-runs")
    before = everything_stored()

    plain = officer.get("/api/v1/purge-runs/next").json()
    place = f"/api/v1/installations/{installation.public_id}/retention/preview"
    draft = officer.post(place, {"override": {"events": {STEP: {"retentionDays": 10}}}}).json()

    assert (plain["rows"], plain["shortenedRows"]) == (3, 0)
    assert draft["rows"] == 7
    assert draft["bytes"] > plain["bytes"] > 0
    assert everything_stored() == before


def test_a_run_that_waits_goes_on_once_somebody_has_approved_what_was_shown(
    officer: Caller, installation: Installation, settings: Settings
) -> None:
    settings.STUDIO_PURGE_APPROVAL_ROWS = 2
    store(installation, 3, days_ago=8, days=7)
    purge()
    (run,) = officer.get("/api/v1/purge-runs", {"state": "waiting"}).json()["items"]
    place = f"/api/v1/purge-runs/{run['id']}"
    assert (run["plannedRows"], run["whyWaiting"], sum(stored().values())) == (3, "large", 3)

    stale = officer.post(f"{place}/approve", {"expectedRows": 2})
    assert (stale.status_code, code_of(stale)) == (409, "stale_revision")

    assert officer.post(f"{place}/approve", {"expectedRows": 3}).json()["state"] == "running"
    assert code_of(officer.post(f"{place}/approve", {"expectedRows": 3})) == "conflict"
    purge()

    done = officer.get(place).json()
    assert (done["state"], done["rows"], done["bytes"]) == ("done", 3, run["plannedBytes"])
    assert [(each["event"], each["rows"]) for each in done["events"]] == [(STEP, 3)]
    assert stored() == {}


def test_only_who_protects_personal_data_approves(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_PURGE_APPROVAL_ROWS = 2
    store(installation, 3, days_ago=8, days=7)
    purge()
    analyst = caller_with_role(Role.ANALYST, installation.tenant)
    (run,) = analyst.get("/api/v1/purge-runs").json()["items"]

    answer = analyst.post(f"/api/v1/purge-runs/{run['id']}/approve", {"expectedRows": 3})

    assert answer.status_code == 403
    assert analyst.get(f"/api/v1/purge-runs/{run['id']}").json()["state"] == "waiting"


def test_a_run_of_another_tenant_is_not_there(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    purge()
    stranger = caller_with_role(Role.ADMIN, make_installation("other").tenant)

    assert stranger.get("/api/v1/purge-runs").json()["total"] == 0
    assert stranger.get("/api/v1/receipts").json()["total"] == 0
    assert stranger.get("/api/v1/receipts.json", {"tenant": "acme"}).status_code == 404
    assert stranger.get("/api/v1/purge-runs/next").json()["items"] == []


def test_a_hold_is_placed_and_lifted_and_nobody_is_told_whom_it_is_about(
    officer: Caller, installation: Installation
) -> None:
    placed = officer.post("/api/v1/legal-holds", {"tenant": "acme", "reason": "Case 12", "subject": "ann"})

    assert placed.status_code == 201
    assert placed.json()["bySubject"] is True
    assert "ann" not in json.dumps(placed.json())
    place = placed["Location"]
    assert officer.get(place).json()["isActive"] is True

    assert officer.post(f"{place}/lift", {"because": "The case is closed"}).json()["isActive"] is False
    assert officer.get("/api/v1/legal-holds", {"isActive": "true"}).json()["total"] == 0
    assert code_of(officer.post(f"{place}/lift", {"because": "Again"})) == "conflict"
    assert officer.get("/api/v1/receipts").json()["total"] == 2


def test_an_analyst_neither_sees_nor_places_holds(installation: Installation) -> None:
    analyst = caller_with_role(Role.ANALYST, installation.tenant)

    assert analyst.get("/api/v1/legal-holds").status_code == 403
    assert analyst.post("/api/v1/legal-holds", {"tenant": "acme", "reason": "Case 12"}).status_code == 403


def test_the_file_of_receipts_verifies_without_the_studio(officer: Caller, installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    purge()

    answer = officer.get("/api/v1/receipts.json", {"tenant": "acme"})

    document = read_receipts(answer.content)
    assert verify_receipts(document) == []
    assert [receipt.facts["rows"] for receipt in document.receipts] == [3]
    assert answer["Content-Disposition"] == 'attachment; filename="receipts-acme.json"'


def test_the_draft_of_a_spec_is_previewed_where_it_is_followed(installation: Installation) -> None:
    store(installation, 3, days_ago=12, days=30)
    viewer = caller_with_role(Role.VIEWER)

    answer = viewer.get("/api/v1/specs/sigil.telemetry/retention-preview").json()

    assert (answer["rows"], answer["shortenedRows"]) == (0, 0)
