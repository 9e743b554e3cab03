"""Exceptions from a floor are granted by those who answer for privacy, for a while, with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from telemetry.core.config import FloorException
from telemetry.core.enums import Environment, FloorLimit, PrivacyLevel
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from telemetry.selectors.configs import config_layers, config_revision
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.floor_selectors import exceptions_of
from tenants.models import AuditEntry, FloorExceptionRecord, Installation
from tenants.permissions import abilities_of
from tenants.roles import Role
from tenants.services.floor_exceptions import LONGEST, grant_exception, revoke_exception
from tenants.services.settling import settle_due
from tests.core.builders import NOON
from tests.telemetry.factories import everything_stored
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_actor, make_app, make_installation, make_tenant

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
KEEP_LONGER = FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PrivacyLevel.PII, retention_days=180)


def grant(place: Installation, actor: Actor = SYSTEM, **fields: Any) -> FloorExceptionRecord:
    given: dict[str, Any] = {
        "exception": KEEP_LONGER,
        "reason": "An investigation needs them",
        "ends_at": timezone.now() + 10 * DAY,
        **fields,
    }
    with tenant_context(ALL):
        return grant_exception(actor=actor, tenant=place.tenant, app=place.app, **given)


def live(installation: Installation) -> int:
    """How many exceptions hold at the installation now."""
    with tenant_context(ALL):
        return len(config_layers(installation.pk).exceptions)


def revision(installation: Installation) -> int:
    with tenant_context(ALL):
        return config_revision(installation.pk)


def test_an_exception_holds_at_once_and_ends_by_itself() -> None:
    installation = make_installation()
    revisions = [revision(installation)]

    grant(installation)

    revisions.append(revision(installation))
    assert live(installation) == 1
    pass_time(10 * DAY)
    revisions.append(revision(installation))
    assert live(installation) == 0
    assert revisions == sorted(set(revisions))


def test_it_holds_in_every_environment_of_the_app_at_the_tenant_or_in_one_alone() -> None:
    tenant, app = make_tenant(), make_app()
    staging = make_installation(tenant, app, Environment.STAGING)
    production = make_installation(tenant, app)
    elsewhere = make_installation(make_tenant(), app)

    grant(staging)
    grant(production, installation=production)

    assert [live(each) for each in (staging, production, elsewhere)] == [1, 2, 0]


def test_an_installation_that_is_made_later_knows_the_exceptions_of_its_tenant() -> None:
    tenant, app = make_tenant(), make_app()
    grant(make_installation(tenant, app, Environment.STAGING))

    production = make_installation(tenant, app)

    before = revision(production)
    assert live(production) == 1
    pass_time(10 * DAY)
    assert (live(production), revision(production)) == (0, before + 1)


def test_it_can_start_later() -> None:
    installation = make_installation()

    grant(installation, starts_at=timezone.now() + DAY)

    before = revision(installation)
    assert live(installation) == 0
    pass_time(DAY)
    assert (live(installation), revision(installation)) == (1, before + 1)


def test_a_revoked_exception_ends_at_once_and_a_planned_one_never_starts() -> None:
    installation = make_installation()
    running, planned = grant(installation), grant(installation, starts_at=timezone.now() + DAY)
    before = revision(installation)

    with tenant_context(ALL):
        revoke_exception(actor=SYSTEM, record=running)
        revoke_exception(actor=SYSTEM, record=planned)

    assert live(installation) == 0
    assert revision(installation) > before
    pass_time(2 * DAY)
    assert live(installation) == 0
    with tenant_context(ALL):
        assert [each.state_at(timezone.now()) for each in exceptions_of(installation)] == ["revoked", "revoked"]
        with pytest.raises(Conflict, match="ended already"):
            revoke_exception(actor=SYSTEM, record=running)


def test_start_and_end_are_in_the_audit_trail_of_the_tenant() -> None:
    installation = make_installation()
    grant(installation, starts_at=timezone.now() + DAY)
    pass_time(11 * DAY)

    with tenant_context(ALL):
        settle_due()
        settle_due()

        entries = AuditEntry.objects.filter(action__startswith="floor.").order_by("id")
        assert [entry.action for entry in entries] == [
            "floor.exception.granted",
            "floor.exception.started",
            "floor.exception.ended",
        ]
        assert {entry.tenant_id for entry in entries} == {installation.tenant_id}
        assert entries[0].details["reason"] == "An investigation needs them"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "\x00"}, "reason"),
        ({"exception": FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS)}, "level"),
        ({"exception": FloorException(limit=FloorLimit.FORCED_ON, events=("not a name!",))}, "events[0]"),
        ({"ends_at": timezone.now() - DAY}, "ends_at"),
        ({"ends_at": timezone.now() + LONGEST + DAY}, "ends_at"),
        ({"starts_at": timezone.now() - DAY}, "starts_at"),
        ({"starts_at": timezone.now() + 400 * DAY, "ends_at": timezone.now() + 401 * DAY}, "starts_at"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    installation = make_installation()
    before = everything_stored()

    with pytest.raises(InvalidDocument) as caught:
        grant(installation, **fields)

    assert path in [error.path for error in caught.value.errors]
    assert everything_stored() == before


def test_an_installation_of_another_app_is_refused() -> None:
    installation = make_installation()

    with pytest.raises(Conflict, match="another tenant or app"):
        grant(installation, installation=make_installation(installation.tenant))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("in_tenant", [True, False])
def test_only_those_who_answer_for_privacy_in_the_workspace_may(role: Role, in_tenant: bool) -> None:
    installation = make_installation()
    record = grant(installation)
    actor = make_actor(role, installation.tenant if in_tenant else None)
    before = everything_stored()

    if "floor.except" in abilities_of([role]) and not in_tenant:
        assert grant(installation, actor).granted_by_label == actor.label
        return
    with pytest.raises(NotAllowed):
        grant(installation, actor)
    with pytest.raises(NotAllowed), tenant_context(ALL):
        revoke_exception(actor=actor, record=record)
    assert everything_stored() == before


def test_a_tenant_sees_its_own_exceptions_alone() -> None:
    mine, other = make_installation(), make_installation()
    grant(mine)
    grant(other)

    with tenant_context([mine.tenant_id]):
        assert [record.tenant_id for record in FloorExceptionRecord.objects.all()] == [mine.tenant_id]


@pytest.mark.parametrize(("column", "value"), [("reason", "Another"), ("document", "{}"), ("starts_at", NOON)])
def test_the_end_is_the_only_thing_about_it_that_moves(column: str, value: Any) -> None:
    record = grant(make_installation())

    with tenant_context(ALL), pytest.raises(IntegrityError, match="final"), transaction.atomic():
        FloorExceptionRecord.objects.filter(pk=record.pk).update(**{column: value})
