"""Exceptions from the floor: granted in a form, listed, revoked on a page that asks first."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.config import FloorException
from telemetry.core.enums import FloorLimit, FloorStrategy, PrivacyLevel
from tenants.context import ALL, tenant_context
from tenants.mappers import exception_of
from tenants.models import FloorExceptionRecord, Installation
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.telemetry.factories import make_installation
from tests.tenants.factories import make_floor_exception, make_tenant

pytestmark = pytest.mark.django_db

LIST, ADD = "/studio/floor-exceptions/", "/studio/floor-exceptions/add/"
DAY = timedelta(days=1)


@pytest.fixture
def installation() -> Installation:
    return make_installation("acme")


def entries(installation: Installation, **more: Any) -> dict[str, Any]:
    return {
        "tenant": installation.tenant_id,
        "app": installation.app_id,
        "limit": "minimumRedaction",
        "level": "pii",
        "reason": "A migration",
        "ends_at": f"{timezone.now() + DAY:%Y-%m-%dT%H:%M}",
        **more,
    }


def test_an_exception_frees_what_was_filled_in(installation: Installation) -> None:
    filled = entries(installation, environment=installation.environment, events="step\nstep@2", redaction="null")

    response = visitor(Role.PRIVACY_OFFICER).fill_in(ADD, filled)

    with tenant_context(ALL):
        record = FloorExceptionRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{LIST}{record.pk}/change/")
    assert (record.tenant_id, record.installation_id) == (installation.tenant_id, installation.pk)
    assert exception_of(record) == FloorException(
        limit=FloorLimit.MINIMUM_REDACTION,
        level=PrivacyLevel.PII,
        events=("step", "step@2"),
        redaction=FloorStrategy.NULL,
        number=record.pk,
    )
    assert "floor.exception.granted" in actions()


def test_the_form_knows_from_which_installation_one_comes(installation: Installation) -> None:
    shown = visitor(Role.PRIVACY_OFFICER).get(f"{ADD}?installation={installation.public_id}")

    initial = shown.context["form"].initial
    assert (initial["tenant"], initial["app"]) == (installation.tenant_id, installation.app_id)
    for nonsense in ("1", "", "x" * 99, str(installation.public_id)[:-1]):
        assert visitor(Role.PRIVACY_OFFICER).get(f"{ADD}?installation={nonsense}").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"level": ""}, "level", "name one"),
        ({"limit": "forcedOff", "level": ""}, "events", "Name the events"),
        ({"limit": "forcedOff", "events": "step"}, "level", "not go by privacy level"),
        ({"retention_days": "5"}, "retention_days", "in place of"),
        ({"ends_at": ""}, "ends_at", "required"),
        ({"ends_at": "2020-01-01T00:00"}, "ends_at", "after the start"),
        ({"ends_at": "2999-01-01T00:00"}, "ends_at", "at most 90 days"),
        ({"starts_at": "2020-01-01T00:00"}, "starts_at", "within a year"),
        ({"reason": ""}, "reason", "required"),
        ({"environment": "development"}, "environment", "does not run"),
        ({"events": "not@fine"}, "events", "Must be"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(
    installation: Installation, wrong: dict[str, str], field: str, message: str
) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    errors = assert_refused(lambda: asked.fill_in(ADD, entries(installation, **wrong)))

    assert message in " ".join(errors[field])


def test_an_exception_ends_early_after_one_was_asked(installation: Installation) -> None:
    record = make_floor_exception(installation)
    asked = visitor(Role.PRIVACY_OFFICER)
    page, revoke = f"{LIST}{record.pk}/change/", f"{LIST}{record.pk}/revoke/"

    assert revoke in asked.get(page).content.decode()
    assert "The floor holds again" in text_of(asked.get(revoke))
    assert asked.post(revoke)["Location"] == page

    assert "revoked" in text_of(asked.get(page))
    assert revoke not in asked.get(page).content.decode()
    assert "has ended already" in text_of(asked.client.post(revoke, follow=True))


def test_the_list_says_who_is_freed_from_what_and_until_when(installation: Installation) -> None:
    make_floor_exception(installation)
    planned = make_floor_exception(
        installation,
        installation=installation,
        exception=FloorException(limit=FloorLimit.MINIMUM_RATE, sampling_rate=0.1),
        starts_at=timezone.now() + DAY,
        ends_at=timezone.now() + 2 * DAY,
    )
    asked = visitor(Role.VIEWER)

    text = text_of(asked.get(LIST))

    assert "Least redaction of a level pii live" in text
    assert "Lowest sampling rate planned" in text
    only = text_of(asked.get(f"{LIST}?state=planned"))
    assert "Lowest sampling rate" in only
    assert "Least redaction" not in only
    page = text_of(asked.get(f"{LIST}{planned.pk}/change/"))
    assert "A migration" in page
    assert "10 %" in page or "10%" in page


def test_the_list_takes_as_many_queries_for_many(installation: Installation) -> None:
    make_floor_exception(installation)
    asked = visitor(Role.VIEWER)
    one = asked.cost_of(LIST)
    for _ in range(9):
        make_floor_exception(installation, installation=installation)

    assert asked.cost_of(LIST) == one


@pytest.mark.parametrize("role", roles_without("floor.except"))
def test_who_does_not_answer_for_privacy_only_looks(role: Role, installation: Installation) -> None:
    record = make_floor_exception(installation)
    asked = visitor(role)

    assert asked.get(f"{LIST}{record.pk}/change/").status_code == 200
    assert ADD not in asked.get(LIST).content.decode()
    assert_denied("floor.except", lambda: asked.get(ADD))
    assert_denied("floor.except", lambda: asked.post(f"{LIST}{record.pk}/revoke/"))


def test_the_people_of_a_tenant_see_theirs_only_and_free_nobody(installation: Installation) -> None:
    record = make_floor_exception(installation)
    own = visitor(Role.PRIVACY_OFFICER, installation.tenant)
    other = visitor(Role.PRIVACY_OFFICER, make_tenant())
    page = f"{LIST}{record.pk}/change/"

    assert own.get(page).status_code == 200
    assert_denied("floor.except", lambda: own.post(ADD, **entries(installation)))
    assert_denied("floor.except", lambda: own.post(f"{LIST}{record.pk}/revoke/"))
    assert other.get(page).status_code == 404
    assert "Least redaction" not in text_of(other.get(LIST))
