"""Floors over HTTP: what they say, another one, and whom that would touch."""

import pytest

from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import PrivacyLevel
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, AuditEntry, FloorRecord
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_app, make_tenant

pytestmark = pytest.mark.django_db

SHORT = {"maximumRetentionDays": {"internal": 3}, "minimumRedaction": {"pii": "hash"}}


@pytest.fixture
def app() -> App:
    make_published()
    return make_installation("acme").app


@pytest.fixture
def officer() -> Caller:
    return caller_with_role(Role.PRIVACY_OFFICER)


@pytest.fixture(params=["organisation", "app"])
def place(request: pytest.FixtureRequest, app: App) -> str:
    return "/api/v1/floor" if request.param == "organisation" else f"/api/v1/apps/{app.slug}/floor"


def test_a_floor_is_read_changed_and_read_again(officer: Caller, place: str) -> None:
    first = officer.get(place)

    assert (first.status_code, first.json()["floor"], first.json()["updatedAt"]) == (200, {}, None)
    saved = officer.put(place, SHORT, If_Match=first["ETag"])
    assert saved.status_code == 200
    again = officer.get(place)
    assert again.json() == saved.json()
    assert again.json()["floor"] == SHORT
    assert again["ETag"] == saved["ETag"] != first["ETag"]
    assert AuditEntry.objects.filter(action="floor.saved").count() == 1


def test_who_did_not_see_the_present_floor_does_not_change_it(officer: Caller, place: str) -> None:
    seen = officer.get(place)["ETag"]
    officer.put(place, SHORT, If_Match=seen)

    assert officer.put(place, {}).status_code == 428
    assert officer.put(place, {}, If_Match=seen).status_code == 412


def test_what_a_floor_may_not_say_is_named_by_its_place(officer: Caller, place: str) -> None:
    answer = officer.put(place, {"maximumRetentionDays": {"pii": 0}, "forcedOn": [""]}, If_Match="*")

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == ["maximumRetentionDays.pii", "forcedOn[0]"]


def test_whom_another_floor_would_touch_is_told_and_nothing_is_saved(officer: Caller, place: str) -> None:
    officer.get(place)
    before = everything_stored()

    answer = officer.post(f"{place}/impact", {**SHORT, "forcedOff": ["nobody.has.this"]})

    assert answer.status_code == 200
    found = answer.json()
    assert (found["summary"]["installations"], found["summary"]["changed"], found["total"]) == (1, 1, 1)
    assert found["unknownEvents"] == ["nobody.has.this"]
    (item,) = found["items"]
    assert item["tenant"] == "acme"
    assert any(value["path"] == "retention.days" for event in item["impact"]["events"] for value in event["values"])
    assert everything_stored() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_who_does_not_answer_for_privacy_reads_only(role: Role, place: str) -> None:
    caller = caller_with_role(role)

    assert caller.get(place).status_code == 200
    assert caller.post(f"{place}/impact", SHORT).status_code == 200
    assert caller.put(place, SHORT, If_Match="*").status_code == 403
    assert not FloorRecord.objects.exists()


def test_an_officer_of_one_tenant_knows_what_binds_it_and_changes_nothing(place: str) -> None:
    caller = caller_with_role(Role.PRIVACY_OFFICER, make_tenant())
    with tenant_context(ALL):
        save_floor(
            actor=SYSTEM,
            app=None,
            floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 3}),
            expected_revision=0,
        )

    assert caller.get("/api/v1/floor").json()["floor"] == {"maximumRetentionDays": {"pii": 3}}
    assert caller.put(place, {}, If_Match="*").status_code == 403
    assert caller.post(f"{place}/impact", SHORT).status_code == 403


def test_an_app_that_there_is_not_has_no_floor(officer: Caller) -> None:
    make_app("other")

    answers = [officer.get("/api/v1/apps/none/floor"), officer.post("/api/v1/apps/none/floor/impact", {})]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(404, "not_found")] * 2
