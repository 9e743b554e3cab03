"""Apps and their blueprints."""

from typing import Any

import pytest

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer
from telemetry.core.enums import UndeclaredPolicy
from tenants.mappers import blueprint_of
from tenants.models import App
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import (
    actions,
    assert_denied,
    assert_refused,
    errors_in,
    fields_of,
    roles_without,
    visitor,
)
from tests.telemetry.factories import make_draft, make_published
from tests.tenants.factories import make_app, make_tenant

pytestmark = pytest.mark.django_db

ADD = "/studio/apps/add/"
STEP = "sigil.telemetry.workflow_step"


def page(app: App) -> str:
    return f"/studio/apps/{app.pk}/change/"


def test_a_new_app_has_the_blueprint_that_was_filled_in() -> None:
    make_published()

    response = visitor(Role.ADMIN).fill_in(
        ADD,
        slug="sigil",
        name="Sigil",
        description="The product.",
        spec_name="sigil.telemetry",
        spec_version="1",
        enabled="true",
        default_sampling_rate="0.5",
        undeclared_properties="quarantine",
        events=f"{STEP}: {{samplingRate: 0.25}}",
    )

    app = App.objects.get(slug="sigil")
    assert (response.status_code, response["Location"]) == (302, page(app))
    assert (app.name, app.description) == ("Sigil", "The product.")
    assert blueprint_of(app) == AppBlueprint(
        spec=SpecPointer(name="sigil.telemetry", version=1),
        enabled=True,
        default_sampling_rate=0.5,
        undeclared_properties=UndeclaredPolicy.QUARANTINE,
        events={STEP: EventOverride(sampling_rate=0.25)},
    )
    assert actions()[-1] == "app.created"


def test_an_app_may_have_no_spec_yet() -> None:
    visitor(Role.ADMIN).fill_in(ADD, slug="sigil", name="Sigil")

    assert blueprint_of(App.objects.get(slug="sigil")) == AppBlueprint()


def test_a_blueprint_that_is_sent_as_it_is_says_the_same() -> None:
    make_published()
    blueprint = AppBlueprint(
        spec=SpecPointer(name="sigil.telemetry"), enabled=False, events={STEP: EventOverride(retention_days=7)}
    )
    app = make_app("sigil", blueprint=blueprint)

    visitor(Role.ADMIN).fill_in(page(app))

    app.refresh_from_db()
    assert blueprint_of(app) == blueprint


def test_a_blueprint_is_changed() -> None:
    make_published()
    app = make_app("sigil", blueprint=AppBlueprint(spec=SpecPointer(name="sigil.telemetry"), enabled=False))

    response = visitor(Role.ADMIN).fill_in(page(app), enabled="", default_sampling_rate="1")

    assert (response.status_code, response["Location"]) == (302, page(app))
    app.refresh_from_db()
    assert blueprint_of(app) == AppBlueprint(spec=SpecPointer(name="sigil.telemetry"), default_sampling_rate=1.0)
    assert actions()[-1] == "app.blueprint.saved"


@pytest.mark.parametrize("role", roles_without("app.manage"))
def test_who_may_not_manage_apps_adds_and_changes_none(role: Role) -> None:
    app = make_app("sigil")
    asked = visitor(role)

    assert asked.get(ADD).status_code == 403
    assert_denied("app.manage", lambda: asked.post(ADD, slug="other", name="Other"))
    assert asked.get(page(app)).status_code == 200
    assert_denied("app.manage", lambda: asked.post(page(app), enabled="false", expected_revision="1"))


def test_the_admin_of_one_tenant_changes_no_app_because_apps_are_everybodys() -> None:
    app = make_app("sigil")
    asked = visitor(Role.ADMIN, make_tenant())

    assert_denied("app.manage", lambda: asked.post(page(app), enabled="false", expected_revision="1"))


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"slug": "Not A Slug"}, "slug", "Expected"),
        ({"name": ""}, "name", "required"),
        ({"description": "x" * 4001}, "description", "at most 4000"),
        ({"spec_name": "nothing"}, "spec_name", "valid choice"),
        ({"spec_name": "draft.only"}, "spec_name", "No version of this spec is published"),
        ({"spec_name": "sigil.telemetry", "spec_version": "7"}, "spec_version", "not published"),
        ({"spec_version": "1"}, "spec_name", "Is required"),
        ({"default_sampling_rate": "7.5"}, "default_sampling_rate", "at most 1"),
        ({"events": "x: {enabled: maybe}"}, "events", "events.x.enabled: must be"),
        ({"events": "[1, 2]"}, "events", "must be an object"),
        ({"events": "x: [unclosed"}, "events", "not valid YAML"),
        ({"spec_name": "sigil.telemetry", "events": "nothing: {enabled: false}"}, "events", "has no such event"),
        (
            {"spec_name": "sigil.telemetry", "events": f"{STEP}: {{retentionDays: 9000}}"},
            "events",
            "may only be tightened",
        ),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str, message: str) -> None:
    make_published()
    make_draft(make_spec_named("draft.only"))
    asked = visitor(Role.ADMIN)

    errors = assert_refused(lambda: asked.fill_in(ADD, {"slug": "sigil", "name": "Sigil", **entries}))

    assert message in " ".join(errors[field])


def make_spec_named(name: str) -> Any:
    return make_spec(make_event("other"), name=name)


def test_what_somebody_else_saved_is_not_overwritten_by_accident() -> None:
    app = make_app("sigil")
    ana, ben = visitor(Role.ADMIN), visitor(Role.ADMIN)
    opened = fields_of(ana.get(page(app)))
    ben.fill_in(page(app), enabled="false")

    refused = ana.post(page(app), {**opened, "enabled": "true"})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    app.refresh_from_db()
    assert blueprint_of(app).enabled is False
    ana.post(page(app), fields_of(refused))
    app.refresh_from_db()
    assert blueprint_of(app).enabled is True
