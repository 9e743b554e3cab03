"""Privacy floors: limits of the organisation and of single apps."""

from typing import Any

import pytest

from telemetry.core.config import PrivacyFloor, SamplingBounds
from telemetry.core.enums import FloorStrategy, PrivacyLevel
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.mappers import floor_of
from tenants.models import App, FloorRecord
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.studio.visitors import (
    actions,
    assert_denied,
    assert_refused,
    errors_in,
    fields_of,
    roles_without,
    text_of,
    visitor,
)
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_app, make_tenant

pytestmark = pytest.mark.django_db

ADD = "/studio/floors/add/"


def make_floor(app: App | None = None, floor: PrivacyFloor | None = None) -> FloorRecord:
    with tenant_context(ALL):
        return save_floor(actor=SYSTEM, app=app, floor=floor or PrivacyFloor(), expected_revision=0)


def page(record: FloorRecord) -> str:
    return f"/studio/floors/{record.pk}/change/"


def test_a_floor_of_the_organisation_has_what_was_filled_in() -> None:
    response = visitor(Role.PRIVACY_OFFICER).fill_in(
        ADD,
        redaction_pii="hash",
        redaction_sensitive="drop",
        days_pii="365",
        days_sensitive="14",
        forced_off="debug.dump\norder_placed@1",
        forced_on="consent.given",
        minimum_rate="0.05",
        maximum_rate="0.9",
        forbid_quarantine="on",
    )

    record = FloorRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(record))
    assert record.app is None
    assert floor_of(record) == PrivacyFloor(
        minimum_redaction={PrivacyLevel.PII: FloorStrategy.HASH, PrivacyLevel.SENSITIVE: FloorStrategy.DROP},
        maximum_retention_days={PrivacyLevel.PII: 365, PrivacyLevel.SENSITIVE: 14},
        forced_off=("debug.dump", "order_placed@1"),
        forced_on=("consent.given",),
        sampling=SamplingBounds(minimum_rate=0.05, maximum_rate=0.9),
        forbid_quarantine=True,
    )
    assert actions() == ["floor.saved"]


def test_a_floor_of_one_app_is_its_own() -> None:
    app = make_app()

    visitor(Role.PRIVACY_OFFICER).fill_in(ADD, holds_for=app.pk, days_pii="30")

    assert FloorRecord.objects.get().app == app


def test_a_floor_that_is_sent_as_it_is_says_the_same() -> None:
    floor = PrivacyFloor(
        minimum_redaction={PrivacyLevel.PUBLIC: FloorStrategy.NULL},
        maximum_retention_days={PrivacyLevel.INTERNAL: 90},
        forced_on=("consent.given",),
        sampling=SamplingBounds(minimum_rate=0.5),
    )
    record = make_floor(floor=floor)

    visitor(Role.PRIVACY_OFFICER).fill_in(page(record))

    record.refresh_from_db()
    assert floor_of(record) == floor


def test_a_limit_is_lifted_by_emptying_it() -> None:
    record = make_floor(floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30}))

    visitor(Role.PRIVACY_OFFICER).fill_in(page(record), days_pii="")

    record.refresh_from_db()
    assert floor_of(record) == PrivacyFloor()


@pytest.mark.parametrize("role", roles_without("floor.edit"))
def test_who_may_not_edit_floors_only_looks(role: Role) -> None:
    record = make_floor(floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30}))
    asked = visitor(role)

    assert asked.get(ADD).status_code == 403
    assert_denied("floor.edit", lambda: asked.post(ADD, days_pii="1", expected_revision="0"))
    assert 'value="30"' in asked.get(page(record)).content.decode()
    assert_denied("floor.edit", lambda: asked.post(page(record), days_pii="", expected_revision="1"))


def test_the_privacy_officer_of_one_tenant_changes_no_floor_because_floors_are_everybodys() -> None:
    record = make_floor()
    asked = visitor(Role.PRIVACY_OFFICER, make_tenant())

    assert_denied("floor.edit", lambda: asked.post(page(record), days_pii="1", expected_revision="1"))


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"redaction_pii": "shred"}, "redaction_pii", "valid choice"),
        ({"days_pii": "0"}, "days_pii", "greater than or equal to 1"),
        ({"days_pii": "99999999"}, "days_pii", "at most 36500"),
        ({"forced_off": "fine\nnot@fine"}, "forced_off", "Line 2"),
        ({"minimum_rate": "1.5"}, "minimum_rate", "at most 1"),
        ({"minimum_rate": "0.9", "maximum_rate": "0.1"}, "minimum_rate", "more than maximumRate"),
        ({"holds_for": "999"}, "holds_for", "valid choice"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str, message: str) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    errors = assert_refused(lambda: asked.fill_in(ADD, entries))

    assert message in " ".join(errors[field])


def test_adding_never_replaces_a_floor_that_is_there() -> None:
    make_floor(floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30}))
    asked = visitor(Role.PRIVACY_OFFICER)

    errors = assert_refused(lambda: asked.fill_in(ADD, days_pii="900"))

    assert "Somebody else saved this" in errors["__all__"][0] or "floor" in errors["__all__"][0]


def test_what_somebody_else_saved_is_not_overwritten_by_accident() -> None:
    record = make_floor()
    ana, ben = visitor(Role.PRIVACY_OFFICER), visitor(Role.PRIVACY_OFFICER)
    opened = fields_of(ana.get(page(record)))
    ben.fill_in(page(record), days_pii="7")

    refused = ana.post(page(record), {**opened, "days_pii": "900"})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    record.refresh_from_db()
    assert floor_of(record).maximum_retention_days == {PrivacyLevel.PII: 7}


def test_the_list_says_what_each_floor_holds() -> None:
    make_floor(floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30}))
    make_floor(make_app("webshop"), PrivacyFloor(forced_off=("debug.dump",)))

    text = text_of(visitor(Role.VIEWER).get("/studio/floors/"))

    assert "The whole organisation pii at most 30 days" in text
    assert "App Webshop" in text
    assert "1 off, 0 on" in text


def test_what_a_floor_would_do_is_shown_before_it_is_saved() -> None:
    make_published()
    installation = make_installation("acme")
    asked = visitor(Role.PRIVACY_OFFICER)
    asked.get(ADD)
    before = everything_stored()

    shown = asked.fill_in(ADD, holds_for=installation.app.pk, days_internal="3", _look="")

    text = text_of(shown)
    assert "1 of 1 installation would be altered" in text
    assert "retention.days" in text
    assert "becomes 3" in text
    assert everything_stored() == before
    # What was typed stays, and can be saved from here.
    assert fields_of(shown)["days_internal"] == "3"
    asked.post(ADD, {key: value for key, value in fields_of(shown).items() if key != "_look"})
    assert floor_of(FloorRecord.objects.get()).maximum_retention_days == {PrivacyLevel.INTERNAL: 3}


def test_what_would_alter_nobody_and_what_no_spec_has_is_said() -> None:
    record = make_floor()
    asked = visitor(Role.PRIVACY_OFFICER)

    assert "No installation obeys this floor yet" in text_of(asked.fill_in(page(record), days_pii="3", _look=""))
    make_published()
    make_installation("acme")
    text = text_of(asked.fill_in(page(record), forced_on="made.up", _look=""))
    assert "0 of 1 installation would be altered" in text
    assert "No installation's spec has made.up" in text


def test_a_floor_that_breaks_a_rule_has_no_effects_to_show() -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    shown = asked.fill_in(ADD, minimum_rate="0.9", maximum_rate="0.1", _look="")

    assert "more than maximumRate" in " ".join(errors_in(shown)["minimum_rate"])
    assert "would be altered" not in text_of(shown)


def test_who_may_not_edit_floors_has_no_button_that_asks() -> None:
    record = make_floor()

    assert 'name="_look"' not in visitor(Role.VIEWER).get(page(record)).content.decode()
    assert 'name="_look"' in visitor(Role.PRIVACY_OFFICER).get(page(record)).content.decode()
