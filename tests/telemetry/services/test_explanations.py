"""Every leaf of an installation's config names who said so, in which version, and when."""

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
from telemetry.core.enums import FloorLimit, Layer, PrivacyLevel
from telemetry.core.errors import Conflict
from telemetry.core.explaining import Explanation
from telemetry.core.spec import Retention
from telemetry.services.explanations import ExplainedConfig, explain_installation
from telemetry.services.layer_sources import LayerSource
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, Installation
from tenants.services.apps import save_blueprint
from tenants.services.floor_exceptions import grant_exception
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_published_config

pytestmark = pytest.mark.django_db

PII = PrivacyLevel.PII
DAY = timedelta(days=1)
SPEC = make_spec(make_event("mail", privacy=PII, retention=Retention(days=365)), make_event("step"))


def make_governed() -> Installation:
    """An installation at which every layer has something to say."""
    make_published(SPEC)
    pointer = SpecPointer(name=SPEC.meta.name)
    installation = make_installation(blueprint=AppBlueprint(spec=pointer))
    organisation = PrivacyFloor(maximum_retention_days={PII: 60}, sampling=SamplingBounds(minimum_rate=0.1))
    own = PrivacyFloor(maximum_retention_days={PII: 30}, forced_on=("step",))
    with tenant_context(ALL):
        app = App.objects.get(pk=installation.app_id)
        blueprint = AppBlueprint(spec=pointer, default_sampling_rate=0.6)
        save_blueprint(actor=SYSTEM, app=app, blueprint=blueprint, expected_revision=app.config_revision)
        save_floor(actor=SYSTEM, app=None, floor=organisation, expected_revision=0)
        save_floor(actor=SYSTEM, app=app, floor=own, expected_revision=0)
    make_published_config(
        installation,
        TenantOverride(events={"mail": EventOverride(sampling_rate=0.05), "step": EventOverride(enabled=False)}),
    )
    return installation


def explain(installation: Installation, **options: object) -> ExplainedConfig:
    with tenant_context(ALL):
        return explain_installation(installation, **options)  # type: ignore[arg-type]


def leaf(found: ExplainedConfig, path: str) -> Explanation:
    (explanation,) = [each for each in found.explanations if each.path == path]
    return explanation


def source(found: ExplainedConfig, path: str) -> LayerSource:
    return found.sources.of(leaf(found, path))


def test_each_layer_names_its_document_its_version_and_its_author() -> None:
    found = explain(make_governed())

    named = {
        path: source(found, path)[:4]
        for path in (
            "checkIntervalMs",
            "events[mail@1].privacy",
            "events[step@1].sampling.rate",
            "events[mail@1].sampling.rate",
            "events[mail@1].retention.days",
            "events[step@1].enabled",
        )
    }
    slug = found.config.app
    assert named == {
        "checkIntervalMs": (Layer.PRODUCT, "Product defaults", None, ""),
        "events[mail@1].privacy": (Layer.EVENT, f"Spec {SPEC.meta.name}", 1, "system"),
        "events[step@1].sampling.rate": (Layer.BLUEPRINT, "Blueprint", 2, "system"),
        "events[mail@1].sampling.rate": (Layer.FLOOR, "Floor of the organisation", 1, "system"),
        "events[mail@1].retention.days": (Layer.FLOOR, f"Floor of the app {slug}", 1, "system"),
        "events[step@1].enabled": (Layer.FLOOR, f"Floor of the app {slug}", 1, "system"),
    }
    assert all(source(found, path).at is not None for path in named if path != "checkIntervalMs")


def test_the_steps_of_a_leaf_have_authors_too() -> None:
    found = explain(make_governed())

    rate = leaf(found, "events[mail@1].sampling.rate")

    assert [(step.layer.value, step.value, found.sources.of(rate, step).title) for step in rate.steps] == [
        ("product", 1.0, "Product defaults"),
        ("blueprint", 0.6, "Blueprint"),
        ("tenant", 0.05, "Override"),
        ("floor", 0.1, "Floor of the organisation"),
    ]
    assert rate.without == 0.05


def test_an_exception_names_its_reason_and_its_end() -> None:
    installation = make_governed()
    ends_at = timezone.now() + 10 * DAY
    with tenant_context(ALL):
        record = grant_exception(
            actor=SYSTEM,
            tenant=installation.tenant,
            app=installation.app,
            exception=FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PII, retention_days=90),
            reason="An investigation",
            ends_at=ends_at,
        )

    found = explain(installation)

    days = leaf(found, "events[mail@1].retention.days")
    assert (days.value, days.without) == (90, 30)
    assert source(found, days.path) == LayerSource(
        Layer.EXCEPTION, f"Exception {record.pk}", None, "system", record.starts_at, ends_at, "An investigation"
    )
    assert found.valid_until == ends_at


def test_the_past_is_explained_by_what_was_in_force_then() -> None:
    installation = make_governed()
    pass_time(DAY)
    before = timezone.now() - DAY / 2
    make_published_config(installation, TenantOverride(events={"mail": EventOverride(sampling_rate=0.5)}))

    then, now = explain(installation, at=before), explain(installation)

    path = "events[mail@1].sampling.rate"
    assert (leaf(then, path).value, leaf(now, path).value) == (0.1, 0.5)
    assert (source(then, "events[step@1].enabled").layer, source(now, path).version) == (Layer.FLOOR, 2)
    assert then.at == before


def test_some_events_can_be_explained_alone() -> None:
    installation = make_governed()

    whole, some = explain(installation), explain(installation, event_names=["step"])

    mine = [each for each in whole.explanations if "mail@" not in each.path]
    assert list(some.explanations) == mine
    assert (some.config.spec, some.config.missing) == (whole.config.spec, whole.config.missing)


def test_explaining_takes_the_same_queries_for_any_number_of_events(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    installation = make_governed()

    with tenant_context(ALL), django_assert_num_queries(5):
        explain_installation(installation)


def test_without_a_spec_there_is_nothing_to_explain() -> None:
    installation = make_installation(blueprint=AppBlueprint())

    with pytest.raises(Conflict, match="no spec is bound"):
        explain(installation)
