"""Exceptions from a floor over HTTP: granted, listed, ended by themselves or by somebody."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import PrivacyLevel
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, FloorExceptionRecord, Installation
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.studio.api.calls import Caller, caller_with_role
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PLACE = "/api/v1/floor-exceptions"


@pytest.fixture
def installation() -> Installation:
    make_published()
    with tenant_context(ALL):
        save_floor(
            actor=SYSTEM,
            app=None,
            floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 3}),
            expected_revision=0,
        )
    return make_installation("acme")


@pytest.fixture
def officer() -> Caller:
    return caller_with_role(Role.PRIVACY_OFFICER)


def wanted(installation: Installation, **fields: Any) -> dict[str, Any]:
    return {
        "tenant": installation.tenant.slug,
        "app": installation.app.slug,
        "exception": {"limit": "maximumRetentionDays", "level": "internal"},
        "reason": "A migration",
        "endsAt": (timezone.now() + DAY).isoformat(),
        **fields,
    }


def days_of(caller: Caller, installation: Installation) -> set[int]:
    config = caller.get(f"/api/v1/installations/{installation.public_id}/effective-config").json()
    return {event["retention"]["days"] for event in config["events"] if event["privacy"] == "internal"}


def test_an_exception_frees_at_once_and_ends_by_itself(officer: Caller, installation: Installation) -> None:
    assert days_of(officer, installation) == {3}

    answer = officer.post(PLACE, wanted(installation))

    assert answer.status_code == 201
    assert officer.get(answer["Location"]).json() == answer.json()
    assert answer.json()["state"] == "live"
    assert days_of(officer, installation) != {3}
    pass_time(2 * DAY)
    assert officer.get(answer["Location"]).json()["state"] == "ended"
    assert days_of(officer, installation) == {3}


def test_an_exception_is_revoked_once(officer: Caller, installation: Installation) -> None:
    address = officer.post(PLACE, wanted(installation))["Location"]

    revoked = officer.post(f"{address}/revoke")

    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert days_of(officer, installation) == {3}
    assert officer.post(f"{address}/revoke").status_code == 409
    with tenant_context(ALL):
        actions = list(AuditEntry.objects.filter(action__startswith="floor.exception").values_list("action", flat=True))
    assert sorted(actions) == ["floor.exception.granted", "floor.exception.revoked"]


def test_exceptions_are_listed_by_state_tenant_and_app(officer: Caller, installation: Installation) -> None:
    later = timezone.now() + DAY
    planned = {"startsAt": later.isoformat(), "endsAt": (later + DAY).isoformat()}
    live = officer.post(PLACE, wanted(installation, environment=installation.environment)).json()
    ahead = officer.post(PLACE, wanted(installation, **planned)).json()
    gone = officer.post(PLACE, wanted(installation)).json()
    officer.post(f"{PLACE}/{gone['id']}/revoke")

    def found(**query: str) -> list[int]:
        return [item["id"] for item in officer.get(PLACE, query).json()["items"]]

    assert found(state="live") == [live["id"]]
    assert found(state="planned") == [ahead["id"]]
    assert found(state="revoked") == [gone["id"]]
    assert found(state="ended") == []
    assert sorted(found(tenant="acme", app=installation.app.slug)) == [live["id"], ahead["id"], gone["id"]]
    assert found(tenant="other") == []
    assert live["environment"] == installation.environment


def test_the_list_takes_as_many_queries_for_many(
    officer: Caller, installation: Installation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        officer.post(PLACE, wanted(installation, environment=installation.environment))
    officer.get(PLACE)

    with django_assert_max_num_queries(15):
        assert len(officer.get(PLACE).json()["items"]) == 10


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"exception": {"limit": "maximumRetentionDays"}}, "level"),
        ({"exception": {"limit": "forcedOff"}}, "events"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"endsAt": "2999-01-01T00:00:00Z"}, "ends_at"),
        ({"reason": ""}, "reason"),
        ({"reason": " "}, "reason"),
        ({"endsAt": "2027-01-01T00:00:00"}, "endsAt"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(
    officer: Caller, installation: Installation, fields: dict[str, Any], path: str
) -> None:
    answer = officer.post(PLACE, wanted(installation, **fields))

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_an_exception_has_to_be_for_somebody_and_to_end(officer: Caller, installation: Installation) -> None:
    endless = {key: value for key, value in wanted(installation).items() if key != "endsAt"}

    assert officer.post(PLACE, endless).status_code == 400
    assert officer.post(PLACE, wanted(installation, tenant="nobody")).status_code == 404
    assert officer.post(PLACE, wanted(installation, app="nothing")).status_code == 404
    assert officer.post(PLACE, wanted(installation, environment="development")).status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_who_does_not_answer_for_privacy_grants_and_revokes_nothing(
    role: Role, officer: Caller, installation: Installation
) -> None:
    address = officer.post(PLACE, wanted(installation))["Location"]
    caller = caller_with_role(role)

    assert caller.get(address).status_code == 200
    assert caller.post(PLACE, wanted(installation)).status_code == 403
    assert caller.post(f"{address}/revoke").status_code == 403


def test_the_people_of_a_tenant_see_theirs_only_and_free_nobody(officer: Caller, installation: Installation) -> None:
    address = officer.post(PLACE, wanted(installation))["Location"]
    own = caller_with_role(Role.PRIVACY_OFFICER, installation.tenant)
    other = caller_with_role(Role.PRIVACY_OFFICER, make_tenant())

    assert own.get(PLACE).json()["total"] == 1
    assert own.post(PLACE, wanted(installation)).status_code == 403
    assert own.post(f"{address}/revoke").status_code == 403
    assert (other.get(PLACE).json()["total"], other.get(address).status_code) == (0, 404)
    with tenant_context(ALL):
        assert FloorExceptionRecord.objects.count() == 1
