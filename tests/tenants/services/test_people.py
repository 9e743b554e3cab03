"""Roles of people: nobody rises by themselves (attack 81)."""

import pytest

from telemetry.core.errors import NotAllowed, NotFound
from tenants.actors import SYSTEM, actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Membership
from tenants.permissions import ABILITIES, Ability
from tenants.roles import Role
from tenants.services.people import grant_membership, revoke_membership
from tests.tenants.factories import make_actor, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db


def roles() -> list[tuple[str, str]]:
    with tenant_context(ALL):
        return [(membership.user.username, membership.role) for membership in Membership.objects.order_by("pk")]


def test_a_granted_role_holds_from_the_next_request_on() -> None:
    acme, ada = make_tenant("acme"), make_user("ada")
    admin = make_actor(Role.ADMIN, acme)

    with tenant_context(admin.tenant_ids):
        membership = grant_membership(actor=admin, user=ada, tenant=acme, role=Role.ANALYST)

        entry = AuditEntry.objects.get(action="membership.granted")
    assert actor_of_user(ada).grants == {acme.pk: Role.ANALYST}
    assert (entry.tenant_id, entry.target_id) == (acme.pk, str(membership.pk))
    assert entry.details == {"role": "analyst", "former_role": "", "user_id": ada.pk}


@pytest.mark.parametrize("in_workspace", [False, True])
def test_a_second_grant_replaces_the_first(in_workspace: bool) -> None:
    tenant, ada = None if in_workspace else make_tenant("acme"), make_user("ada")

    with tenant_context(ALL):
        first = grant_membership(actor=SYSTEM, user=ada, tenant=tenant, role=Role.VIEWER)
        second = grant_membership(actor=SYSTEM, user=ada, tenant=tenant, role=Role.PUBLISHER)

    assert first.pk == second.pk
    assert roles() == [("ada", "publisher")]


def test_a_revoked_role_is_gone() -> None:
    acme, ada = make_tenant("acme"), make_user("ada")
    membership = make_membership(ada, Role.VIEWER, acme)

    with tenant_context(ALL):
        revoke_membership(actor=SYSTEM, membership=membership)
        entry = AuditEntry.objects.get(action="membership.revoked")

    assert actor_of_user(ada).grants == {}
    assert (entry.tenant_id, entry.details) == (acme.pk, {"former_role": "viewer", "user_id": ada.pk})


def test_a_role_that_is_gone_already_cannot_be_revoked() -> None:
    membership = make_membership(make_user(), Role.VIEWER, make_tenant())

    with tenant_context(ALL):
        revoke_membership(actor=SYSTEM, membership=Membership.objects.get(pk=membership.pk))
        with pytest.raises(NotFound):
            revoke_membership(actor=SYSTEM, membership=membership)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER, Role.PUBLISHER])
def test_people_do_not_raise_their_own_role(role: Role) -> None:
    acme, ada = make_tenant("acme"), make_user("ada")
    make_membership(ada, role, acme)

    with tenant_context((acme.pk,), user_id=ada.pk), pytest.raises(NotAllowed):
        grant_membership(actor=actor_of_user(ada), user=ada, tenant=acme, role=Role.ADMIN)

    assert roles() == [("ada", role)]


def test_an_admin_of_one_tenant_gives_no_role_in_another_or_in_the_workspace() -> None:
    acme, globex, ada = make_tenant("acme"), make_tenant("globex"), make_user("ada")
    make_membership(ada, Role.ADMIN, acme)
    admin = actor_of_user(ada)

    with tenant_context(ALL):
        for tenant in (globex, None):
            with pytest.raises(NotAllowed):
                grant_membership(actor=admin, user=ada, tenant=tenant, role=Role.VIEWER)

    assert roles() == [("ada", "admin")]


def test_an_admin_of_one_tenant_takes_no_role_in_the_workspace() -> None:
    acme, ada = make_tenant("acme"), make_user("ada")
    everywhere = make_membership(ada, Role.VIEWER)

    with tenant_context(ALL), pytest.raises(NotAllowed):
        revoke_membership(actor=make_actor(Role.ADMIN, acme), membership=everywhere)

    assert ("ada", "viewer") in roles()


def test_whoever_may_manage_people_still_gives_and_takes_no_role_above_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Today only admins manage people, and nothing is above them; the rule must hold when the table changes.
    monkeypatch.setitem(ABILITIES, "people.manage", Ability(frozenset({Role.PUBLISHER, Role.ADMIN})))
    acme, ada, bob = make_tenant("acme"), make_user("ada"), make_user("bob")
    boss = make_membership(ada, Role.ADMIN, acme)
    make_membership(bob, Role.VIEWER, acme)
    publisher = make_actor(Role.PUBLISHER, acme)

    with tenant_context((acme.pk,)):
        grant_membership(actor=publisher, user=bob, tenant=acme, role=Role.ANALYST)
        with pytest.raises(NotAllowed, match="admin is above your own"):
            grant_membership(actor=publisher, user=bob, tenant=acme, role=Role.ADMIN)
        with pytest.raises(NotAllowed, match="admin is above your own"):
            grant_membership(actor=publisher, user=ada, tenant=acme, role=Role.VIEWER)
        with pytest.raises(NotAllowed, match="admin is above your own"):
            revoke_membership(actor=publisher, membership=boss)

    assert roles()[:2] == [("ada", "admin"), ("bob", "analyst")]
