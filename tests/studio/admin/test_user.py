"""People: accounts are added, switched off, and given passwords by those who manage people."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from tenants.roles import Role
from tests.studio.visitors import Visitor, actions, errors_in, roles_without, text_of, visitor
from tests.tenants.factories import make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

ADD = "/studio/people/add/"
GOOD = "correct horse battery staple"
NEW = {"username": "ana", "first_name": "Ana", "last_name": "Lytics", "email": "ana@example.org", "password": GOOD}


def page(user: User, name: str = "change") -> str:
    return f"/studio/people/{user.pk}/{name}/"


def accounts() -> list[dict[str, Any]]:
    return [dict(row) for row in User.objects.order_by("pk").values()]


def assert_nothing_changes(send: Any, status: int = 403) -> None:
    before = accounts()
    response = send()
    assert response.status_code == status
    assert accounts() == before


def test_a_new_person_can_sign_in_and_has_no_role() -> None:
    response = visitor(Role.ADMIN).fill_in(ADD, NEW)

    user = User.objects.get(username="ana")
    assert (response.status_code, response["Location"]) == (302, page(user))
    assert (user.get_full_name(), user.email) == ("Ana Lytics", "ana@example.org")
    assert user.check_password(GOOD)
    assert (user.is_superuser, user.is_staff) == (False, False)
    assert actions()[-1] == "account.created"


def test_nobody_becomes_a_superuser_from_here() -> None:
    visitor(Role.ADMIN).fill_in(ADD, NEW, is_superuser="on", is_staff="on", user_permissions="1", groups="1")

    user = User.objects.get(username="ana")
    assert (user.is_superuser, user.is_staff) == (False, False)


def test_a_person_is_changed_and_switched_off() -> None:
    user = make_user("ana")
    asked = visitor(Role.ADMIN)

    response = asked.fill_in(page(user), last_name="Lytics")
    assert (response.status_code, response["Location"]) == (302, page(user))
    entries = {"first_name": "", "last_name": "Lytics", "email": ""}
    asked.post(page(user), entries)

    user.refresh_from_db()
    assert (user.last_name, user.is_active) == ("Lytics", False)
    assert actions()[-2:] == ["account.saved", "account.deactivated"]


def test_somebody_who_was_switched_off_is_out_at_once() -> None:
    asked = visitor(Role.VIEWER)
    user = User.objects.get(username=asked.username)

    visitor(Role.ADMIN).post(page(user), first_name="", last_name="", email="")

    assert asked.get("/studio/")["Location"].startswith("/studio/login/")


def test_a_password_is_set_and_ends_the_persons_sessions() -> None:
    asked = visitor(Role.VIEWER)
    user = User.objects.get(username=asked.username)

    response = visitor(Role.ADMIN).post(page(user, "password"), password=GOOD)

    user.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, page(user))
    assert user.check_password(GOOD)
    assert asked.get("/studio/")["Location"].startswith("/studio/login/")
    assert actions()[-1] == "account.password.set"


@pytest.mark.parametrize("role", roles_without("people.manage"))
def test_who_may_not_manage_people_sees_and_changes_nobody(role: Role) -> None:
    user = make_user("ana")
    asked = visitor(role)

    assert {asked.get(address).status_code for address in ("/studio/people/", ADD, page(user))} == {403}
    assert_nothing_changes(lambda: asked.post(ADD, NEW | {"username": "ben"}))
    assert_nothing_changes(lambda: asked.post(page(user), email="x@example.org"))
    assert_nothing_changes(lambda: asked.post(page(user, "password"), password=GOOD))
    assert actions()[-3:] == ["access.denied"] * 3


def test_the_admin_of_one_tenant_does_not_see_everybody() -> None:
    user = make_user("ana")
    asked = visitor(Role.ADMIN, make_tenant())

    assert {asked.get(address).status_code for address in ("/studio/people/", ADD, page(user))} == {403}
    assert_nothing_changes(lambda: asked.post(page(user, "password"), password=GOOD))


def test_a_superuser_is_changed_by_nobody_else() -> None:
    root = make_user("root", is_superuser=True)
    asked = visitor(Role.ADMIN)

    assert_nothing_changes(lambda: asked.post(page(root), email="x@example.org"))
    assert_nothing_changes(lambda: asked.post(page(root, "password"), password=GOOD))
    titles = [deed.title for deed in asked.get(page(root)).context["head"].deeds]
    assert titles == ["Give a role"]


def test_people_do_not_lock_themselves_out() -> None:
    asked = visitor(Role.ADMIN)
    me = User.objects.get(username=asked.username)

    errors = errors_in(asked.post(page(me), first_name="", last_name="", email=""))

    assert errors["__all__"] == ["You cannot deactivate your own account"]
    me.refresh_from_db()
    assert me.is_active


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"username": ""}, "username", "required"),
        ({"username": "two words"}, "username", "letters, digits"),
        ({"username": "x" * 151}, "username", "at most 150"),
        ({"email": "nowhere"}, "email", "e-mail address"),
        ({"first_name": "x" * 151}, "first_name", "at most 150"),
        ({"password": "short"}, "password", "too short"),
        ({"password": "qwertyuiop123"}, "password", "too common"),
        ({"username": "averyspecialname", "password": "averyspecialname1"}, "password", "too similar"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str, message: str) -> None:
    asked = visitor(Role.ADMIN)
    before = accounts()

    errors = errors_in(asked.fill_in(ADD, {**NEW, **entries}))

    assert list(errors) == [field]
    assert message in " ".join(errors[field]).lower()
    assert [each["username"] for each in accounts()] == [each["username"] for each in before]


def test_a_name_that_is_taken_is_refused() -> None:
    make_user("ana")

    errors = errors_in(visitor(Role.ADMIN).fill_in(ADD, NEW))

    assert errors["__all__"] == ["Somebody signs in with this name already"]


def test_a_bad_password_is_refused_for_others_too() -> None:
    user = make_user("ana")

    errors = errors_in(visitor(Role.ADMIN).post(page(user, "password"), password="short"))

    assert list(errors) == ["password"]
    user.refresh_from_db()
    assert user.check_password("a long enough password")


def test_a_password_never_comes_back() -> None:
    response = visitor(Role.ADMIN).fill_in(ADD, NEW, email="nowhere")

    assert GOOD not in response.content.decode()


def seen_roles(asked: Visitor) -> str:
    return text_of(asked.get("/studio/people/"))


def test_the_list_says_what_everybody_is_and_where() -> None:
    user, acme = make_user("ana"), make_tenant("acme")
    make_membership(user, Role.PRIVACY_OFFICER, acme)
    make_membership(user, Role.VIEWER)

    text = seen_roles(visitor(Role.ADMIN))

    assert "privacy officer of Acme" in text
    assert "viewer of the workspace" in text
