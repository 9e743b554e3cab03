"""Before anybody publishes: to which installations what would happen, counted and named."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from telemetry.core.codec import encode_document
from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EventOverride,
    FloorException,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import Environment, FloorLimit, PrivacyLevel, RedactionStrategy
from telemetry.core.errors import NotAllowed, UnknownSpec
from telemetry.core.spec import Redaction, Retention, TelemetryDefaults, TelemetrySpec, Threshold
from telemetry.services import blast_radius as module
from telemetry.services.blast_radius import impact_of, impact_of_draft
from telemetry.services.impact_reports import ImpactKind, ImpactReport, ImpactSummary
from telemetry.services.specs import delete_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, ConfigPeriod, ConfigStatus, Installation, Tenant, TenantAppConfig
from tenants.roles import Role
from tenants.services.floor_exceptions import grant_exception
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published
from tests.tenants import factories as tenants
from tests.tenants.factories import make_actor, make_app, make_published_config, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
POINTER = SpecPointer(name=NAME)
STEP, OTHER = make_event("step"), make_event("other")


def make_bound(app: App | None = None, override: TenantOverride | None = None, slug: str = "") -> Installation:
    """An installation at a new tenant, bound to the latest version unless the app or override says otherwise."""
    app = app or make_app(blueprint=AppBlueprint(spec=POINTER))
    installation = tenants.make_installation(make_tenant(slug), app)
    if override is not None:
        make_published_config(installation, override)
    return installation


def make_many_bound(overrides: Iterable[TenantOverride]) -> None:
    """An installation of one app for each override, which is live there; written at once."""
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    documents = [encode_document(override).decode() for override in overrides]
    with tenant_context(ALL):
        owners = Tenant.objects.bulk_create(
            Tenant(slug=f"many-{number}", name="Many") for number, _ in enumerate(documents)
        )
        places = Installation.objects.bulk_create(
            Installation(tenant=owner, app=app, environment=Environment.PRODUCTION.value) for owner in owners
        )
        configs = TenantAppConfig.objects.bulk_create(
            TenantAppConfig(
                installation=place,
                tenant_id=place.tenant_id,
                number=1,
                status=ConfigStatus.PUBLISHED,
                document=document,
                checksum=hashlib.sha256(document.encode()).hexdigest(),
                published_at=timezone.now(),
            )
            for place, document in zip(places, documents, strict=True)
        )
        ConfigPeriod.objects.bulk_create(
            ConfigPeriod(
                installation_id=config.installation_id,
                tenant_id=config.tenant_id,
                config=config,
                starts_at=timezone.now(),
            )
            for config in configs
        )


def says(**fields: Any) -> TenantOverride:
    """An override of the event ``step``."""
    return TenantOverride(events={"step": EventOverride(**fields)})


def impact(*events: Any, **options: Any) -> ImpactReport:
    """The impact of a next version with these events."""
    return impact_of(actor=SYSTEM, spec=make_spec(*events, version=2), **options)


# What can happen


def test_nothing_happens_when_nothing_changes() -> None:
    make_published(make_spec(STEP))
    make_bound(override=says(enabled=False))

    report = impact(STEP)

    assert report == ImpactReport(ImpactSummary(installations=1, unaffected=1), total=0, distinct=0, items=())


@pytest.mark.parametrize(
    "override",
    [
        says(enabled=False),
        says(sampling_rate=0.5),
        TenantOverride(events={"step@1": EventOverride(retention_days=3)}),
    ],
)
def test_an_override_of_an_event_that_goes_is_orphaned(override: TenantOverride) -> None:
    make_published(make_spec(STEP, OTHER))
    make_bound(override=override, slug="acme")

    (item,) = impact(OTHER).items

    (reference,) = override.events
    shown = reference if reference == "step" else '["step@1"]'
    assert (item.tenant, item.environment, item.alike) == ("acme", "production", 1)
    assert [(each.code, each.path) for each in item.impact.orphaned] == [
        ("unknown_event", f"tenant.events{'.' if shown == 'step' else ''}{shown}")
    ]
    assert [(each.name, each.change) for each in item.impact.events] == [("step", "removed")]


def test_an_override_of_a_property_that_goes_is_orphaned() -> None:
    make_published(make_spec(STEP))
    make_bound(override=says(redaction={"userId": Redaction(strategy=RedactionStrategy.DROP)}))

    report = impact(make_event("step", properties={"step": make_property(required=True)}))

    assert [each.path for each in report.items[0].impact.orphaned] == ["tenant.events.step.redaction.userId"]
    assert report.summary.orphaned == 1


def test_a_threshold_on_a_metric_that_goes_contradicts_the_spec() -> None:
    make_published(make_spec(STEP))
    rules = AnomalyOverride(thresholds=(Threshold(metric="durationMs", max=100.0),))
    make_bound(override=says(anomaly_detection=rules))

    report = impact(make_event("step", properties={"step": make_property(required=True)}))

    (found,) = report.items[0].impact.contradictory
    assert (found.code, found.path) == (
        "unknown_metric",
        "tenant.events.step.anomalyDetection.thresholds[0].metric",
    )
    assert report.summary.contradictory == 1


def test_a_wish_that_would_now_loosen_contradicts_the_spec() -> None:
    make_published(make_spec(make_event("step", retention=Retention(days=90))))
    make_bound(override=says(retention_days=60))

    report = impact(make_event("step", retention=Retention(days=30)))

    (found,) = report.items[0].impact.contradictory
    assert (found.code, found.path) == ("loosens", "tenant.events.step.retentionDays")


def test_a_wish_that_now_falls_short_of_the_floor_is_named() -> None:
    make_published(make_spec(make_event("step", retention=Retention(days=90))))
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    floor = PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 7}, sampling=SamplingBounds(minimum_rate=0.01))
    save_floor(actor=SYSTEM, app=app, floor=floor, expected_revision=0)
    make_bound(app, says(retention_days=60))

    report = impact(make_event("step", retention=Retention(days=90), privacy=PrivacyLevel.PII))

    (item,) = report.items
    assert [(each.code, each.path) for each in item.impact.below_floor] == [
        ("below_floor", "tenant.events.step.retentionDays")
    ]
    assert ("retention.days", 60, 7) in [
        (value.path, value.before, value.after) for value in item.impact.events[0].values
    ]
    assert (report.summary.below_floor, report.summary.changed, report.summary.affected) == (1, 1, 1)


def test_what_a_blueprint_or_floor_says_is_looked_at_too() -> None:
    make_published(make_spec(STEP, OTHER))
    app = make_app(blueprint=AppBlueprint(spec=POINTER, events={"step": EventOverride(enabled=False)}))
    save_floor(actor=SYSTEM, app=app, floor=PrivacyFloor(forced_off=("step",)), expected_revision=0)
    make_bound(app)

    (item,) = impact(OTHER).items

    assert [each.path for each in item.impact.orphaned] == ["floor.forcedOff.step", "blueprint.events.step"]


def test_an_exception_from_the_floor_counts_where_it_holds() -> None:
    short, long = (make_event("step", privacy=PrivacyLevel.PII, retention=Retention(days=days)) for days in (10, 90))
    make_published(make_spec(short))
    floor = PrivacyFloor(maximum_retention_days={PrivacyLevel.PII: 30})
    save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    held, freed = make_bound(app, slug="held"), make_bound(app, slug="freed")
    exception = FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PrivacyLevel.PII, retention_days=60)
    grant_exception(
        actor=SYSTEM,
        tenant=freed.tenant,
        app=freed.app,
        exception=exception,
        reason="An investigation needs them",
        ends_at=timezone.now() + timedelta(days=9),
    )

    report = impact(long)

    days = {item.tenant: item.impact.events[0].values[0].after for item in report.items}
    assert days == {held.tenant.slug: 30, freed.tenant.slug: 60}
    assert (report.summary.changed, report.distinct) == (2, 2)


def test_installations_of_a_spec_that_was_never_published_gain_its_events() -> None:
    make_draft(make_spec(STEP))
    make_bound()

    report = impact_of_draft(actor=SYSTEM, spec_name=NAME)

    assert [(each.name, each.change) for each in report.items[0].impact.events] == [("step", "added")]


def test_the_draft_is_what_would_be_published() -> None:
    make_published(make_spec(STEP, OTHER))
    make_bound(override=says(enabled=False))
    delete_event(actor=SYSTEM, spec_name=NAME, event_name="step", event_version=1)
    before = everything_stored()

    report = impact_of_draft(actor=SYSTEM, spec_name=NAME)

    assert report.summary == ImpactSummary(installations=1, affected=1, orphaned=1, changed=1)
    assert everything_stored() == before


# To whom


def test_who_is_pinned_or_obeys_another_spec_is_not_affected() -> None:
    make_published(make_spec(STEP))
    make_published(make_spec(make_event("elsewhere"), name="elsewhere"))
    make_bound(make_app(blueprint=AppBlueprint(spec=SpecPointer(name=NAME, version=1))))
    make_bound(override=TenantOverride(spec=SpecPointer(name=NAME, version=1)))
    make_bound(make_app(blueprint=AppBlueprint(spec=SpecPointer(name="elsewhere"))))
    make_bound(override=TenantOverride(spec=SpecPointer(name="elsewhere")))
    make_bound(make_app(blueprint=AppBlueprint()))

    report = impact(OTHER)

    assert report.summary == ImpactSummary(installations=2, pinned=2)
    assert report.items == ()


def test_an_override_that_points_here_binds_where_the_blueprint_does_not() -> None:
    make_published(make_spec(STEP))
    make_bound(make_app(blueprint=AppBlueprint()), TenantOverride(spec=POINTER), slug="acme")

    assert [item.tenant for item in impact(OTHER).items] == ["acme"]


def test_an_override_that_is_not_live_is_not_looked_at() -> None:
    make_published(make_spec(STEP, OTHER))
    installation = make_bound()
    tenants.make_draft_config(installation, says(enabled=False))

    assert impact(OTHER).summary.orphaned == 0


def test_only_installations_in_sight_are_counted() -> None:
    make_published(make_spec(STEP))
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    mine, _ = make_bound(app, slug="mine"), make_bound(app, slug="theirs")

    with tenant_context([mine.tenant_id]):
        report = impact(OTHER)

    assert (report.summary.installations, [item.tenant for item in report.items]) == (1, ["mine"])


# The list


def three_kinds() -> None:
    """Two installations whose config only changes, one whose override is orphaned, one to which nothing happens."""
    make_published(make_spec(STEP, OTHER))
    app = make_app("bound", blueprint=AppBlueprint(spec=POINTER))
    make_bound(app, slug="a-plain")
    make_bound(app, TenantOverride(events={"other": EventOverride(enabled=False)}), slug="b-plain")
    make_bound(app, says(sampling_rate=0.5), slug="c-orphan")
    make_bound(make_app(blueprint=AppBlueprint(spec=SpecPointer(name=NAME, version=1))), slug="d-pinned")


def test_problems_come_first_and_equal_impacts_stand_together() -> None:
    three_kinds()

    report = impact(OTHER)

    assert [(item.tenant, item.alike) for item in report.items] == [("c-orphan", 1), ("a-plain", 2), ("b-plain", 2)]
    assert (report.total, report.distinct) == (3, 2)
    assert report.summary == ImpactSummary(installations=4, pinned=1, affected=3, orphaned=1, changed=3)


def test_one_kind_can_be_asked_for() -> None:
    three_kinds()

    report = impact(OTHER, kind=ImpactKind.ORPHANED)

    assert [item.tenant for item in report.items] == ["c-orphan"]
    assert (report.total, report.summary.affected) == (1, 3)


def test_the_list_comes_in_pages() -> None:
    three_kinds()

    pages = [impact(OTHER, page=page, page_size=2) for page in (1, 2, 3)]

    assert [[item.tenant for item in page.items] for page in pages] == [["c-orphan", "a-plain"], ["b-plain"], []]
    assert {page.total for page in pages} == {3}


def test_one_tenant_can_be_hit_in_two_environments() -> None:
    make_published(make_spec(STEP))
    app, tenant = make_app(blueprint=AppBlueprint(spec=POINTER)), make_tenant("acme")
    for environment in (Environment.STAGING, Environment.PRODUCTION):
        tenants.make_installation(tenant, app, environment)

    assert [item.environment for item in impact(OTHER).items] == ["production", "staging"]


# What it costs


@pytest.mark.parametrize("installations", [1, 12])
def test_more_installations_take_no_more_queries(
    installations: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_published(make_spec(STEP, OTHER))
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    for number in range(installations):
        make_bound(app, says(retention_days=number + 1))

    with django_assert_num_queries(5):
        report = impact_of_draft(actor=SYSTEM, spec_name=NAME)
    with django_assert_num_queries(3):
        impact(OTHER)

    assert report.summary.unaffected == installations


def test_equal_configs_are_resolved_once_and_too_many_different_ones_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_published(make_spec(STEP))
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    for _ in range(3):
        make_bound(app, says(retention_days=3))
    for days in (4, 5):
        make_bound(app, says(retention_days=days))
    # Each kind of wish takes one event before and one after, and so does having none.
    monkeypatch.setattr(module, "MAXIMUM_RESOLVED_EVENTS", 6)

    summary = impact(make_event("step", retention=Retention(days=4))).summary

    assert (summary.installations, summary.affected, summary.unaffected, summary.unexamined) == (5, 0, 4, 1)


def test_overrides_that_differ_elsewhere_are_the_same_to_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published(make_spec(STEP, OTHER))
    app = make_app(blueprint=AppBlueprint(spec=POINTER))
    for days in range(1, 6):
        make_bound(app, says(retention_days=days))
    monkeypatch.setattr(module, "MAXIMUM_RESOLVED_EVENTS", 2)

    report = impact(STEP, make_event("other", tags=("new",)))

    assert (report.summary.affected, report.summary.unexamined, report.distinct) == (5, 0, 1)


def test_thousands_of_installations_that_all_differ_are_all_examined() -> None:
    names = [f"e{number}" for number in range(50)]
    make_published(make_spec(*(make_event(name) for name in names)))
    make_many_bound(
        TenantOverride(
            events={
                names[number % 50]: EventOverride(retention_days=1 + number % 29),
                names[(number + 1) % 50]: EventOverride(sampling_rate=number / 2000),
            }
        )
        for number in range(2000)
    )
    longer = TelemetryDefaults(default_retention_days=60)

    report = impact_of(actor=SYSTEM, spec=make_spec(*map(make_event, names), version=2, config=longer), page_size=3)

    assert report.summary == ImpactSummary(installations=2000, affected=2000, changed=2000)
    # The thirty-day default is longer than every wish, so each event with a wish of its own keeps its days.
    assert report.distinct == 50
    assert [len(item.impact.events) for item in report.items] == [49, 49, 49]


# Who may ask


def test_only_people_of_the_workspace_may_ask() -> None:
    make_published(make_spec(STEP))
    outsider = make_actor(Role.ADMIN, make_tenant())

    with pytest.raises(NotAllowed):
        impact_of_draft(actor=outsider, spec_name=NAME)
    with pytest.raises(NotAllowed):
        impact_of(actor=outsider, spec=TelemetrySpec(meta=make_spec().meta))


def test_a_spec_that_is_not_there_has_no_impact() -> None:
    with pytest.raises(UnknownSpec):
        impact_of_draft(actor=SYSTEM, spec_name="nothing")
