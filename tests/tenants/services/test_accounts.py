"""Accounts: who can sign in; nobody becomes a superuser or takes one over."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from tenants.actors import SYSTEM, Actor, actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.permissions import abilities_of
from tenants.roles import Role
from tenants.services.accounts import create_account, save_account, set_password
from tests.tenants.factories import make_actor, make_tenant, make_user

pytestmark = pytest.mark.django_db

GOOD = "correct horse battery staple"
UNABLE = [role for role in Role if "people.manage" not in abilities_of([role])]


@pytest.fixture(autouse=True)
def workspace() -> Any:
    """Every test sees the whole workspace."""
    with tenant_context(ALL):
        yield


def entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "target_label"))


def test_a_new_account_can_sign_in_and_is_nothing_more() -> None:
    user = create_account(actor=SYSTEM, username="ana", password=GOOD, email="ana@example.org", first_name="Ana")

    assert user.check_password(GOOD)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert (user.email, user.first_name, user.last_name) == ("ana@example.org", "Ana", "")
    assert entries() == [("account.created", "ana")]


def test_the_trail_holds_no_personal_detail() -> None:
    create_account(actor=SYSTEM, username="ana", password=GOOD, email="ana@example.org", last_name="Lytics")

    entry = AuditEntry.objects.get()
    assert entry.details == {}


def test_a_name_is_given_once() -> None:
    make_user("ana")

    with pytest.raises(Conflict):
        create_account(actor=SYSTEM, username="ana", password=GOOD)

    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"username": ""}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "a\x00b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"email": "a@b.example\n"}, "email"),
        ({"first_name": "x" * 151}, "first_name"),
        ({"last_name": "two\nlines"}, "last_name"),
        ({"password": "short"}, "password"),
    ],
)
def test_every_broken_rule_is_named_and_nobody_is_added(fields: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        create_account(actor=SYSTEM, **{"username": "ana", "password": GOOD, **fields})

    assert [each.path for each in error.value.errors] == [path]
    assert not User.objects.exists()


def test_no_value_is_repeated_in_an_error() -> None:
    with pytest.raises(InvalidDocument) as error:
        create_account(actor=SYSTEM, username="ana secret", password="secret", email="secret")

    assert "secret" not in str(error.value)


def actors() -> list[Actor]:
    return [*(make_actor(role) for role in UNABLE), make_actor(Role.ADMIN, make_tenant())]


def test_only_who_manages_the_workspaces_people_touches_accounts() -> None:
    user = make_user("ana")
    for actor in actors():
        with pytest.raises(NotAllowed):
            create_account(actor=actor, username="ben", password=GOOD)
        with pytest.raises(NotAllowed):
            save_account(actor=actor, user=user, email="x@example.org", first_name="", last_name="", is_active=False)
        with pytest.raises(NotAllowed):
            set_password(actor=actor, user=user, password=GOOD)

    user.refresh_from_db()
    assert (user.email, user.is_active, user.check_password(GOOD)) == ("", True, False)
    assert not User.objects.filter(username="ben").exists()


def save(user: User, actor: Actor = SYSTEM, *, is_active: bool = True) -> None:
    save_account(actor=actor, user=user, email="", first_name="", last_name="", is_active=is_active)


def test_an_account_is_switched_off_and_on() -> None:
    user = make_user("ana")

    save(user, is_active=False)
    save(user, is_active=False)
    save(user, is_active=True)

    assert [action for action, _ in entries()] == ["account.deactivated", "account.saved", "account.activated"]


def test_nobody_switches_themselves_off() -> None:
    actor = make_actor(Role.ADMIN)
    assert actor.user_id is not None
    me = User.objects.get(pk=actor.user_id)

    with pytest.raises(Conflict):
        save(me, actor, is_active=False)

    me.refresh_from_db()
    assert me.is_active


def test_a_superuser_is_changed_by_the_own_hand_alone() -> None:
    root = make_user("root", is_superuser=True)
    admin = make_actor(Role.ADMIN)

    with pytest.raises(NotAllowed):
        save(root, admin)
    with pytest.raises(NotAllowed):
        set_password(actor=admin, user=root, password=GOOD)
    set_password(actor=actor_of_user(root), user=root, password=GOOD)

    root.refresh_from_db()
    assert root.check_password(GOOD)


def test_a_password_that_resembles_the_person_is_refused() -> None:
    user = make_user("averyspecialname")

    with pytest.raises(InvalidDocument) as error:
        set_password(actor=SYSTEM, user=user, password="averyspecialname1")

    assert [each.path for each in error.value.errors] == ["password"]
