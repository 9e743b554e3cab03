"""Who acts, and where their roles hold."""

import pytest
from django.contrib.auth.models import AnonymousUser

from telemetry.core.errors import NotAllowed
from tenants.actors import SYSTEM, Actor, actor_of_key, actor_of_user, require
from tenants.context import ALL, tenant_context
from tenants.models import ActorKind
from tenants.permissions import ABILITIES
from tenants.roles import Role, Scope
from tenants.services.keys import issue_personal_key
from tests.tenants.factories import make_installation, make_key, make_membership, make_tenant, make_user


def actor(**grants: Role) -> Actor:
    """An actor with roles in tenants 1 (``one``) and 2 (``two``) or in the whole workspace (``everywhere``)."""
    places = {"one": 1, "two": 2, "everywhere": None}
    held = {places[place]: role for place, role in grants.items()}
    return Actor(kind=ActorKind.USER, id="7", label="Ada", grants=held, user_id=7)


def test_a_role_holds_in_its_own_tenant_alone() -> None:
    ada = actor(one=Role.PUBLISHER)

    assert ada.can("config.publish", 1)
    assert not ada.can("config.publish", 2)
    assert not ada.can("config.publish")
    assert ada.tenant_ids == (1,)


def test_a_role_in_the_whole_workspace_holds_in_every_tenant() -> None:
    ada = actor(everywhere=Role.PUBLISHER)

    assert ada.can("config.publish", 1)
    assert ada.can("spec.publish")
    assert not ada.can("floor.edit", 1)
    assert ada.tenant_ids == ALL


def test_roles_in_tenant_and_workspace_add_up() -> None:
    ada = actor(everywhere=Role.VIEWER, one=Role.ADMIN)

    assert ada.can("people.manage", 1)
    assert not ada.can("people.manage", 2)
    assert ada.can("view", 2)


def test_an_ability_somewhere_is_enough_for_what_has_no_tenant() -> None:
    assert actor(two=Role.VIEWER).can_somewhere("view")
    assert not actor(two=Role.VIEWER).can_somewhere("spec.edit")
    assert not actor().can_somewhere("view")


def test_a_misspelt_ability_is_an_error_and_not_a_refusal() -> None:
    with pytest.raises(KeyError):
        SYSTEM.can("spec.pubish")


def test_the_system_may_do_everything_and_sees_all() -> None:
    assert SYSTEM.can("people.manage")
    assert SYSTEM.can("event.ingest", 1)
    assert SYSTEM.can_grant(Role.ADMIN)
    assert SYSTEM.tenant_ids == ALL


def test_a_refusal_names_the_ability_and_nothing_else() -> None:
    with pytest.raises(NotAllowed) as refusal:
        require(actor(one=Role.ANALYST), "spec.publish", 1)

    assert refusal.value.ability == "spec.publish"
    assert str(refusal.value) == "your role does not include the ability spec.publish"


def test_nobody_grants_above_their_own_role() -> None:
    admin_of_one = actor(one=Role.ADMIN)

    assert admin_of_one.can_grant(Role.ADMIN, 1)
    assert not admin_of_one.can_grant(Role.VIEWER, 2)
    assert not admin_of_one.can_grant(Role.VIEWER)
    assert not actor(one=Role.PUBLISHER).can_grant(Role.VIEWER, 1)


@pytest.mark.django_db
def test_a_person_has_the_roles_of_their_memberships() -> None:
    user, acme, globex = make_user("ada"), make_tenant(), make_tenant()
    make_membership(user, Role.ANALYST, acme)
    make_membership(user, Role.PUBLISHER, globex)
    make_membership(make_user(), Role.ADMIN, acme)

    ada = actor_of_user(user, request_id="r-1")

    assert ada == Actor(
        kind=ActorKind.USER,
        id=str(user.pk),
        label="ada",
        grants={acme.pk: Role.ANALYST, globex.pk: Role.PUBLISHER},
        user_id=user.pk,
        request_id="r-1",
    )


@pytest.mark.django_db
def test_a_superuser_is_admin_of_the_whole_workspace() -> None:
    assert actor_of_user(make_user(is_superuser=True)).grants == {None: Role.ADMIN}


@pytest.mark.django_db
def test_somebody_inactive_or_not_logged_in_has_no_grants() -> None:
    superuser = make_user(is_superuser=True, is_active=False)
    member = make_user(is_active=False)
    make_membership(member, Role.ADMIN)

    assert actor_of_user(superuser).grants == {}
    assert actor_of_user(member).grants == {}
    assert actor_of_user(AnonymousUser()).grants == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scope", "ability"),
    [
        (Scope.INGEST, "event.ingest"),
        (Scope.CONFIG_READ, "config.read"),
        (Scope.CONFIG_SECRET, "config.read_secret"),
    ],
)
def test_an_app_key_may_do_what_its_scope_says_in_its_tenant_and_nothing_else(scope: Scope, ability: str) -> None:
    # Attacks 66 and 67: an ingest key on config or management, a config key on ingest.
    installation = make_installation()
    key = actor_of_key(make_key(installation, scope).key)

    assert [name for name in ABILITIES if key.can(name, installation.tenant_id)] == [ability]
    assert [name for name in ABILITIES if key.can(name) or key.can(name, installation.tenant_id + 1)] == []
    assert key.tenant_ids == (installation.tenant_id,)


@pytest.mark.django_db
def test_a_personal_key_acts_with_its_owners_roles_but_manages_neither_keys_nor_people() -> None:
    user, acme = make_user("ada"), make_tenant()
    make_membership(user, Role.ADMIN, acme)
    with tenant_context((), user_id=user.pk):
        key = issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop").key

    ada = actor_of_key(key)

    assert (ada.kind, ada.label, ada.user_id) == (ActorKind.KEY, "ada by Laptop", user.pk)
    assert ada.can("config.publish", acme.pk)
    assert not ada.can("key.manage", acme.pk)
    assert not ada.can("people.manage", acme.pk)
    assert not ada.can("event.ingest", acme.pk)


@pytest.mark.django_db
def test_a_personal_key_without_its_scope_may_do_nothing() -> None:
    user = make_user(is_superuser=True)
    with tenant_context((), user_id=user.pk):
        key = issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop").key
    key.scopes = []

    assert actor_of_key(key).grants == {}
