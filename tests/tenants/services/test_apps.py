"""Products and their blueprints."""

import pytest

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, StaleRevision
from tenants.context import ALL, tenant_context
from tenants.mappers import blueprint_of
from tenants.models import App, AuditEntry
from tenants.roles import Role
from tenants.services.apps import create_app, save_blueprint
from tests.tenants.factories import make_actor, make_app, make_installation, make_tenant
from tests.tenants.revisions import own_revision

pytestmark = pytest.mark.django_db

BLUEPRINT = AppBlueprint(spec=SpecPointer(name="sigil.telemetry"))


def test_a_new_app_has_an_empty_blueprint_unless_one_is_given() -> None:
    admin = make_actor(Role.ADMIN)

    with tenant_context(ALL):
        shop = create_app(actor=admin, slug="shop", name="Shop")
        desk = create_app(actor=admin, slug="desk", name="Desk", blueprint=BLUEPRINT)

    assert blueprint_of(shop) == AppBlueprint()
    assert blueprint_of(desk) == BLUEPRINT
    assert desk.config_revision == shop.config_revision + 1


def test_a_slug_that_is_taken_is_a_conflict() -> None:
    make_app("shop")

    with tenant_context(ALL), pytest.raises(Conflict, match="shop"):
        create_app(actor=make_actor(Role.ADMIN), slug="shop", name="Another")


def test_a_bad_description_is_refused() -> None:
    with tenant_context(ALL), pytest.raises(InvalidDocument) as refusal:
        create_app(actor=make_actor(Role.ADMIN), slug="shop", name="Shop", description="nul\x00")

    assert [error.path for error in refusal.value.errors] == ["description"]


def test_a_blueprint_that_is_saved_moves_the_revision_of_every_installation_in_one_write() -> None:
    app = make_app("shop")
    installations = [make_installation(make_tenant(), app) for _ in range(3)]
    other = make_installation()

    with tenant_context(ALL):
        unmoved = own_revision(other)
        save_blueprint(
            actor=make_actor(Role.ADMIN), app=app, blueprint=BLUEPRINT, expected_revision=app.config_revision
        )

        assert {own_revision(installation) for installation in installations} == {app.config_revision}
        assert own_revision(other) == unmoved
        entry = AuditEntry.objects.get(action="app.blueprint.saved")
    assert blueprint_of(app) == BLUEPRINT
    assert entry.details == {
        "config_revision": app.config_revision,
        "before": "{}",
        "after": '{"spec":{"name":"sigil.telemetry"}}',
    }


def test_a_blueprint_that_somebody_else_has_changed_is_not_overwritten() -> None:
    app, admin = make_app("shop"), make_actor(Role.ADMIN)
    seen = app.config_revision

    with tenant_context(ALL):
        save_blueprint(actor=admin, app=app, blueprint=BLUEPRINT, expected_revision=seen)
        with pytest.raises(StaleRevision):
            save_blueprint(actor=admin, app=app, blueprint=AppBlueprint(), expected_revision=seen)

    assert blueprint_of(App.objects.get()) == BLUEPRINT


def test_a_publisher_does_not_change_apps() -> None:
    app, publisher = make_app("shop"), make_actor(Role.PUBLISHER)

    with tenant_context(ALL):
        with pytest.raises(NotAllowed):
            create_app(actor=publisher, slug="desk", name="Desk")
        with pytest.raises(NotAllowed):
            save_blueprint(actor=publisher, app=app, blueprint=BLUEPRINT, expected_revision=app.config_revision)

    assert blueprint_of(App.objects.get()) == AppBlueprint()
