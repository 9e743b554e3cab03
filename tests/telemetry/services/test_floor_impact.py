"""Before a floor is saved: whose configs it would alter, and which wishes fall below it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    FloorException,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import FloorLimit, FloorStrategy, PrivacyLevel, RedactionStrategy
from telemetry.core.errors import NotAllowed
from telemetry.core.spec import Redaction, Retention
from telemetry.services import floor_impact as module
from telemetry.services.floor_impact import FloorImpact, impact_of_floor
from telemetry.services.impact_reports import ImpactSummary
from tenants.actors import SYSTEM
from tenants.models import App, Installation
from tenants.roles import Role
from tenants.services.floor_exceptions import grant_exception
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import everything_stored, make_published
from tests.tenants import factories as tenants
from tests.tenants.factories import make_actor, make_app, make_published_config, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

POINTER = SpecPointer(name="sigil.telemetry")
SHORT = PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 30})


@pytest.fixture
def app() -> App:
    make_published(
        make_spec(
            make_event(
                "signed_up",
                privacy=PrivacyLevel.PII,
                retention=Retention(days=90),
                properties={"contact": make_property(pii=True)},
            ),
            make_event("step", privacy=PrivacyLevel.INTERNAL, retention=Retention(days=90)),
        )
    )
    return make_app(blueprint=AppBlueprint(spec=POINTER))


def make_bound(app: App, override: TenantOverride | None = None) -> Installation:
    installation = tenants.make_installation(make_tenant(), app)
    if override is not None:
        make_published_config(installation, override)
    return installation


def look(floor: PrivacyFloor, app: App | None = None, page_size: int = 25) -> FloorImpact:
    return impact_of_floor(actor=SYSTEM, app=app, floor=floor, page_size=page_size)


def test_installations_whose_configs_change_are_counted_and_told_what_changes(app: App) -> None:
    make_bound(app)
    make_bound(app)
    obedient = {name: EventOverride(retention_days=7) for name in ("signed_up", "step")}
    make_bound(app, TenantOverride(events=obedient))

    found = look(SHORT)

    assert found.report.summary == ImpactSummary(installations=3, affected=2, unaffected=1, changed=2)
    (impact, again) = (item.impact for item in found.report.items)
    assert impact == again
    # A limit for one level binds those that protect more.
    assert [
        (event.name, [(value.path, value.before, value.after) for value in event.values]) for event in impact.events
    ] == [
        ("signed_up", [("retention.days", 90, 30)]),
        ("step", [("retention.days", 90, 30)]),
    ]


def test_wishes_that_fall_below_come_first_and_are_named(app: App) -> None:
    make_bound(app)
    wishing = make_bound(app, TenantOverride(events={"step": EventOverride(sampling_rate=0.1)}))

    found = look(PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.5)))

    assert found.report.summary.below_floor == found.report.summary.changed == found.report.total == 1
    assert found.report.items[0].public_id == wishing.public_id
    assert [each.path for each in found.report.items[0].impact.below_floor] == ["tenant.events.step.samplingRate"]


def test_who_hides_as_much_already_is_not_affected(app: App) -> None:
    hidden = Redaction(strategy=RedactionStrategy.DROP)
    make_bound(app)
    make_bound(app, TenantOverride(events={"signed_up": EventOverride(redaction={"contact": hidden})}))

    found = look(PrivacyFloor(minimum_redaction={PrivacyLevel.PII: FloorStrategy.DROP}))

    assert (found.report.summary.affected, found.report.summary.unaffected) == (1, 1)


def test_a_floor_that_is_lifted_alters_configs_too_and_the_other_floor_still_holds(app: App) -> None:
    make_bound(app)
    save_floor(actor=SYSTEM, app=app, floor=SHORT, expected_revision=0)

    assert look(PrivacyFloor(), app).report.summary.changed == 1
    save_floor(actor=SYSTEM, app=None, floor=SHORT, expected_revision=0)
    assert look(PrivacyFloor(), app).report.summary.affected == 0
    assert look(PrivacyFloor()).report.summary.affected == 0


def test_the_floor_of_an_app_is_looked_at_where_the_app_is_only(app: App) -> None:
    make_bound(app)
    make_bound(make_app(blueprint=AppBlueprint(spec=POINTER)))

    assert look(SHORT, app).report.summary.installations == 1
    assert look(SHORT).report.summary.installations == 2


def test_what_is_excepted_now_stays(app: App) -> None:
    freed = make_bound(app)
    make_bound(app)
    for level in (PrivacyLevel.INTERNAL,):
        grant_exception(
            actor=SYSTEM,
            tenant=freed.tenant,
            app=app,
            exception=FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=level),
            reason="A migration",
            ends_at=timezone.now() + timedelta(days=1),
        )

    found = look(SHORT)

    assert found.report.summary.affected == 2
    of_freed = next(item for item in found.report.items if item.public_id == freed.public_id)
    assert [event.name for event in of_freed.impact.events] == ["signed_up"]


def test_pinned_installations_obey_as_well_and_unbound_ones_have_no_config(app: App) -> None:
    make_bound(app, TenantOverride(spec=SpecPointer(name="sigil.telemetry", version=1)))
    make_bound(make_app(blueprint=AppBlueprint(spec=SpecPointer(name="of.nobody"))))
    make_bound(make_app(blueprint=AppBlueprint()))

    summary = look(SHORT).report.summary

    assert summary == ImpactSummary(installations=3, affected=1, changed=1, unbound=2)


def test_events_that_no_spec_has_are_named_and_no_installation_is_orphaned(app: App) -> None:
    make_bound(app)

    found = look(PrivacyFloor(forced_off=("step", "stepp"), forced_on=("signed_up@1", "signed_up@2")))

    assert found.unknown == ("stepp", "signed_up@2")
    assert (found.report.summary.changed, found.report.summary.orphaned) == (1, 0)


def test_nothing_is_stored_and_installations_cost_no_queries(
    app: App, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(1, 10):
        make_bound(app, TenantOverride(events={"step": EventOverride(retention_days=days)}))
    before = everything_stored()

    with django_assert_num_queries(4):
        found = look(SHORT, page_size=5)

    assert (len(found.report.items), found.report.total) == (5, 9)
    assert everything_stored() == before


def test_what_would_take_too_long_is_said(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bound(app)
    make_bound(app)
    make_bound(app, TenantOverride(events={"step": EventOverride(retention_days=40)}))
    monkeypatch.setattr(module, "MAXIMUM_RESOLVED_EVENTS", 4)

    summary = look(SHORT).report.summary

    assert (summary.affected, summary.unexamined) == (2, 1)


def test_who_may_see_one_tenant_only_may_not_ask(app: App) -> None:
    with pytest.raises(NotAllowed):
        impact_of_floor(actor=make_actor(Role.PRIVACY_OFFICER, make_tenant()), app=app, floor=SHORT)
