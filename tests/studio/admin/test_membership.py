"""Roles: granted, changed and taken away, never above one's own."""

import pytest
from django.contrib.auth.models import User

from tenants.context import ALL, tenant_context
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.tenants.factories import make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

ADD = "/studio/roles/add/"


def page(membership: Membership, name: str = "change") -> str:
    return f"/studio/roles/{membership.pk}/{name}/"


def roles_of(username: str) -> dict[str, str]:
    with tenant_context(ALL):
        rows = Membership.objects.filter(user__username=username).select_related("tenant")
        return {row.tenant.slug if row.tenant else "": row.role for row in rows}


def entry(tenant: Tenant | None, role: Role, person: str = "ana") -> dict[str, object]:
    return {"person": person, "place": tenant.pk if tenant else "", "role": role.value}


@pytest.mark.parametrize("in_tenant", [True, False])
def test_a_role_is_granted(in_tenant: bool) -> None:
    make_user("ana")
    tenant = make_tenant("acme") if in_tenant else None

    response = visitor(Role.ADMIN).fill_in(ADD, entry(tenant, Role.ANALYST))

    assert response.status_code == 302
    assert roles_of("ana") == {"acme" if in_tenant else "": "analyst"}
    assert actions()[-1] == "membership.granted"


def test_a_person_has_one_role_in_one_place() -> None:
    user, acme = make_user("ana"), make_tenant("acme")
    make_membership(user, Role.VIEWER, acme)

    visitor(Role.ADMIN).fill_in(ADD, entry(acme, Role.PUBLISHER))

    assert roles_of("ana") == {"acme": "publisher"}


def test_a_role_is_changed() -> None:
    membership = make_membership(make_user("ana"), Role.VIEWER, make_tenant("acme"))

    response = visitor(Role.ADMIN).fill_in(page(membership), role="publisher")

    assert (response.status_code, response["Location"]) == (302, page(membership))
    assert roles_of("ana") == {"acme": "publisher"}


def test_a_role_is_taken_away_after_a_question() -> None:
    membership = make_membership(make_user("ana"), Role.VIEWER, make_tenant("acme"))
    asked = visitor(Role.ADMIN)

    question = text_of(asked.get(page(membership, "revoke")))
    assert roles_of("ana") == {"acme": "viewer"}
    response = asked.post(page(membership, "revoke"))

    assert "ana is viewer of Acme" in question
    assert (response.status_code, response["Location"]) == (302, "/studio/roles/")
    assert roles_of("ana") == {}
    assert actions()[-1] == "membership.revoked"


@pytest.mark.parametrize("role", roles_without("people.manage"))
def test_who_may_not_manage_people_changes_no_role(role: Role) -> None:
    make_user("ana")
    membership = make_membership(make_user("ben"), Role.VIEWER)
    asked = visitor(role)

    assert {asked.get(address).status_code for address in ("/studio/roles/", ADD, page(membership))} == {403}
    assert_denied("people.manage", lambda: asked.post(ADD, entry(None, Role.ADMIN)))
    assert_denied("people.manage", lambda: asked.post(page(membership), role="admin"))
    assert_denied("people.manage", lambda: asked.post(page(membership, "revoke")))


def test_the_admin_of_one_tenant_grants_there_and_nowhere_else() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_user("ana")
    asked = visitor(Role.ADMIN, acme)

    asked.fill_in(ADD, entry(acme, Role.ANALYST))
    elsewhere = assert_refused(lambda: asked.fill_in(ADD, entry(globex, Role.ANALYST)))
    everywhere = assert_refused(lambda: asked.fill_in(ADD, entry(None, Role.VIEWER)))

    assert roles_of("ana") == {"acme": "analyst"}
    assert "valid choice" in elsewhere["place"][0]
    assert everywhere["place"] == ["This field is required."]


def test_roles_of_other_tenants_are_not_seen() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    hidden = make_membership(make_user("greta"), Role.VIEWER, globex)
    make_membership(make_user("wanda"), Role.VIEWER)
    asked = visitor(Role.ADMIN, acme)

    text = text_of(asked.get("/studio/roles/"))

    assert "greta" not in text
    assert "wanda" not in text
    assert asked.get(page(hidden)).status_code == 404
    assert asked.post(page(hidden, "revoke")).status_code == 404


def test_nobody_raises_their_own_role() -> None:
    acme = make_tenant("acme")
    asked = visitor(Role.PUBLISHER, acme)
    with tenant_context(ALL):
        mine = Membership.objects.get(user__username=asked.username)

    assert_denied("people.manage", lambda: asked.post(page(mine), role="admin"))


def test_somebody_whom_nobody_knows_gets_no_role() -> None:
    asked = visitor(Role.ADMIN)

    errors = assert_refused(lambda: asked.fill_in(ADD, entry(None, Role.VIEWER, "nobody")))

    assert errors == {"person": ["Nobody signs in with this name."]}


@pytest.mark.parametrize("role", ["", "emperor"])
def test_a_role_that_does_not_exist_is_refused(role: str) -> None:
    make_user("ana")
    asked = visitor(Role.ADMIN)

    errors = assert_refused(lambda: asked.fill_in(ADD, person="ana", place="", role=role))

    assert list(errors) == ["role"]


def test_a_role_that_was_taken_away_meanwhile_is_not_found() -> None:
    membership = make_membership(make_user("ana"), Role.VIEWER)
    asked = visitor(Role.ADMIN)
    asked.post(page(membership, "revoke"))

    assert asked.post(page(membership, "revoke")).status_code == 404


def test_the_page_says_what_the_role_brings() -> None:
    membership = make_membership(make_user("ana"), Role.PUBLISHER, make_tenant())

    text = text_of(visitor(Role.ADMIN).get(page(membership)))

    assert "config.publish" in text
    assert "people.manage" not in text
    assert User.objects.get(username="ana").username in text
