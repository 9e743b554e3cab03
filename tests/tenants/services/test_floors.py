"""Limits that nobody may loosen: at most one each, never overwritten by accident."""

import pytest

from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import NotAllowed, StaleRevision
from tenants.context import ALL, tenant_context
from tenants.floor_selectors import floors_of
from tenants.mappers import floor_of
from tenants.models import AuditEntry, FloorRecord
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.tenants.factories import make_actor, make_app, make_installation
from tests.tenants.revisions import own_revision
from tests.tenants.together import run_together

THIRTY_DAYS = PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30})
OFF = PrivacyFloor(forced_off=("order_placed",))


@pytest.mark.django_db
def test_the_organisation_and_each_app_have_a_floor_of_their_own() -> None:
    officer, shop, desk = make_actor(Role.PRIVACY_OFFICER), make_app("shop"), make_app("desk")

    with tenant_context(ALL):
        everywhere = save_floor(actor=officer, app=None, floor=THIRTY_DAYS, expected_revision=0)
        here = save_floor(actor=officer, app=shop, floor=OFF, expected_revision=0)

    assert floors_of(shop) == (everywhere, here)
    assert floors_of(desk) == (everywhere, None)
    assert (floor_of(everywhere), floor_of(here)) == (THIRTY_DAYS, OFF)


@pytest.mark.django_db
def test_a_floor_moves_the_revision_of_the_installations_it_holds_for() -> None:
    officer = make_actor(Role.PRIVACY_OFFICER)
    shop, desk = make_installation(), make_installation()

    with tenant_context(ALL):
        here = save_floor(actor=officer, app=shop.app, floor=OFF, expected_revision=0)
        assert own_revision(shop) == here.config_revision
        assert own_revision(desk) == desk.app.config_revision

        everywhere = save_floor(actor=officer, app=None, floor=THIRTY_DAYS, expected_revision=0)
        assert own_revision(shop) == own_revision(desk) == everywhere.config_revision


@pytest.mark.django_db
def test_a_floor_that_somebody_else_has_changed_is_not_overwritten() -> None:
    officer = make_actor(Role.PRIVACY_OFFICER)

    with tenant_context(ALL):
        first = save_floor(actor=officer, app=None, floor=THIRTY_DAYS, expected_revision=0)
        with pytest.raises(StaleRevision):
            save_floor(actor=officer, app=None, floor=OFF, expected_revision=0)
        second = save_floor(actor=officer, app=None, floor=OFF, expected_revision=first.config_revision)

        entry = AuditEntry.objects.filter(action="floor.saved").first()
    assert FloorRecord.objects.get() == second
    assert entry is not None
    assert entry.details == {
        "config_revision": second.config_revision,
        "before": '{"maximumRetentionDays":{"pii":30}}',
        "after": '{"forcedOff":["order_placed"]}',
    }


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_write_the_first_floor_at_the_same_time_one_wins() -> None:
    officer = make_actor(Role.PRIVACY_OFFICER)

    def save() -> int:
        with tenant_context(ALL):
            return save_floor(actor=officer, app=None, floor=OFF, expected_revision=0).config_revision

    results = run_together(save, save)

    assert sorted(type(result).__name__ for result in results) == ["StaleRevision", "int"]
    assert FloorRecord.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_only_privacy_officers_and_admins_change_floors(role: Role) -> None:
    with tenant_context(ALL), pytest.raises(NotAllowed):
        save_floor(actor=make_actor(role), app=None, floor=OFF, expected_revision=0)

    assert FloorRecord.objects.count() == 0
