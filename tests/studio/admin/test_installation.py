"""Installations: added, listed with what holds there, addressed by a public id."""

from typing import Any

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import Environment
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.tenants.factories import (
    make_app,
    make_draft_config,
    make_installation,
    make_key,
    make_published_config,
    make_tenant,
)

pytestmark = pytest.mark.django_db

ADD = "/studio/installations/add/"


def everything() -> list[Installation]:
    with tenant_context(ALL):
        return list(Installation.objects.select_related("tenant", "app"))


def test_a_new_installation_is_added_and_its_address_tells_no_number() -> None:
    tenant, app = make_tenant("acme"), make_app("sigil")

    response = visitor(Role.ADMIN).fill_in(ADD, tenant=tenant.pk, app=app.pk, environment="staging")

    (made,) = everything()
    assert (made.tenant, made.app, made.environment) == (tenant, app, Environment.STAGING)
    assert (response.status_code, response["Location"]) == (302, f"/studio/installations/{made.public_id}/change/")
    assert actions()[-1] == "installation.created"


def test_the_admin_of_one_tenant_adds_there_and_nowhere_else() -> None:
    acme, globex, app = make_tenant("acme"), make_tenant("globex"), make_app("sigil")
    asked = visitor(Role.ADMIN, acme)

    asked.fill_in(ADD, tenant=acme.pk, app=app.pk, environment="production")
    errors = assert_refused(lambda: asked.fill_in(ADD, tenant=globex.pk, app=app.pk, environment="production"))

    assert [each.tenant for each in everything()] == [acme]
    assert "valid choice" in errors["tenant"][0]


@pytest.mark.parametrize("role", roles_without("tenant.manage"))
def test_who_may_not_manage_tenants_adds_none(role: Role) -> None:
    entries = {"tenant": make_tenant().pk, "app": make_app().pk, "environment": "production"}
    asked = visitor(role)

    assert asked.get(ADD).status_code == 403
    assert_denied("tenant.manage", lambda: asked.post(ADD, entries))


@pytest.mark.parametrize(
    ("entries", "field"),
    [({"environment": "moon"}, "environment"), ({"app": ""}, "app"), ({"tenant": "x"}, "tenant")],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str) -> None:
    good = {"tenant": make_tenant().pk, "app": make_app().pk, "environment": "production"}
    asked = visitor(Role.ADMIN)

    assert list(assert_refused(lambda: asked.fill_in(ADD, {**good, **entries}))) == [field]


def test_the_same_installation_is_not_added_twice() -> None:
    there = make_installation(make_tenant("acme"), make_app("sigil"))
    asked = visitor(Role.ADMIN)
    again = {"tenant": there.tenant_id, "app": there.app_id, "environment": "production"}

    errors = assert_refused(lambda: asked.fill_in(ADD, again))

    assert errors["__all__"] == ["Sigil is installed at acme in production already"]


def test_the_list_says_what_holds_and_what_waits() -> None:
    installation = make_installation(make_tenant("acme"), make_app("sigil"))
    make_published_config(installation, TenantOverride(events={"step": EventOverride(enabled=False)}))
    make_draft_config(installation)
    make_key(installation)

    text = text_of(visitor(Role.VIEWER).get("/studio/installations/"))

    assert "Sigil at Acme production Version 1" in text
    assert "unpublished changes 1" in text


def test_the_list_leads_to_public_addresses() -> None:
    installation = make_installation()

    shown = visitor(Role.VIEWER).get("/studio/installations/").content.decode()

    assert f"/studio/installations/{installation.public_id}/change/" in shown
    assert f"/studio/installations/{installation.pk}/" not in shown


@pytest.mark.parametrize("name", ["change", "toggles", "config", "explain", "history"])
def test_another_tenants_installation_is_not_found(name: str) -> None:
    theirs = make_installation()
    asked = visitor(Role.ADMIN, make_tenant())

    assert asked.get(f"/studio/installations/{theirs.public_id}/{name}/").status_code == 404
    assert asked.post(f"/studio/installations/{theirs.public_id}/{name}/", publish="1").status_code == 404


def test_other_tenants_installations_are_neither_listed_nor_counted() -> None:
    mine = make_installation(make_tenant("acme"), make_app("sigil"))
    make_installation(make_tenant("globex"), mine.app)
    asked = visitor(Role.VIEWER, mine.tenant)

    listed = text_of(asked.get("/studio/installations/"))
    apps = text_of(asked.get("/studio/apps/"))

    assert "Globex" not in listed
    assert "1 installation" in listed
    assert "Sigil sigil no spec 1 " in apps
