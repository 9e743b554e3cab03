"""API keys: issued and shown once, rotated, revoked; their digests are never shown."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tenants.actors import actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, Installation
from tenants.roles import Role, Scope
from tenants.services.keys import authenticate, issue_personal_key
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.tenants.factories import make_installation, make_key, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

ADD = "/studio/api-keys/add/"
KEY = re.compile(r"tgs_prd_app_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}")


def page(key: ApiKey, name: str = "change") -> str:
    return f"/studio/api-keys/{key.pk}/{name}/"


def new_key(at: Installation, **entries: Any) -> dict[str, Any]:
    return {"installation": at.pk, "name": "Backend", "scopes": ["config:read"], "days": "", **entries}


def the_key() -> ApiKey:
    with tenant_context(ALL):
        return ApiKey.objects.order_by("-id")[0]


# Issuing


def test_a_new_key_is_shown_once_with_a_line_to_paste() -> None:
    installation = make_installation()
    asked = visitor(Role.ADMIN)

    response = asked.post(ADD, new_key(installation, scopes=["config:read", "ingest"], days="30"))

    shown = set(KEY.findall(response.content.decode()))
    assert len(shown) == 1
    text = shown.pop()
    assert f'curl -i -H "Authorization: Bearer {text}" http://testserver/api/v1/config' in text_of(response)
    assert "no-store" in response["Cache-Control"]
    key = the_key()
    assert (key.name, key.scopes, key.installation_id) == ("Backend", ["config:read", "ingest"], installation.pk)
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    with tenant_context(ALL):
        assert authenticate(text).pk == key.pk
    assert actions()[-1] == "key.issued"
    for address in (page(key), "/studio/api-keys/", "/studio/audit/"):
        later = asked.get(address).content.decode()
        assert text not in later
        assert key.digest not in later


def test_the_form_starts_with_the_installation_that_one_comes_from() -> None:
    installation = make_installation()

    shown = visitor(Role.ADMIN).get(ADD, installation=installation.pk)

    assert f'<option value="{installation.pk}" selected>' in shown.content.decode()


@pytest.mark.parametrize("role", roles_without("key.manage"))
def test_who_may_not_manage_keys_issues_none(role: Role) -> None:
    installation = make_installation()
    asked = visitor(role)

    assert_denied("key.manage", lambda: asked.post(ADD, new_key(installation)))
    assert asked.get(ADD).status_code == 403


def test_no_key_is_issued_for_another_tenants_installation() -> None:
    theirs = make_installation()
    asked = visitor(Role.ADMIN, make_tenant())

    errors = assert_refused(lambda: asked.post(ADD, new_key(theirs)))

    assert "valid choice" in errors["installation"][0]
    assert str(theirs.tenant) not in text_of(asked.get(ADD))


def test_no_key_is_issued_where_one_may_only_look() -> None:
    mine, theirs = make_installation(), make_installation()
    asked = visitor(Role.ADMIN, mine.tenant)
    make_membership(User.objects.get(username=asked.username), Role.VIEWER, theirs.tenant)

    errors = assert_refused(lambda: asked.post(ADD, new_key(theirs)))

    assert "valid choice" in errors["installation"][0]


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["manage"]}, "scopes"),
        ({"days": "0"}, "days"),
        ({"days": "3651"}, "days"),
        ({"days": "soon"}, "days"),
        ({"installation": ""}, "installation"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str) -> None:
    installation = make_installation()
    asked = visitor(Role.ADMIN)

    errors = assert_refused(lambda: asked.post(ADD, new_key(installation, **entries)))

    assert list(errors) == [field]


# Rotating and revoking


def test_a_rotated_key_gets_a_successor_and_ends_within_a_day() -> None:
    old = make_key(make_installation()).key
    asked = visitor(Role.ADMIN)

    asked.get(page(old, "rotate"))
    assert the_key() == old
    response = asked.post(page(old, "rotate"))

    assert KEY.search(response.content.decode())
    new = the_key()
    with tenant_context(ALL):
        old.refresh_from_db()
    assert (new.name, new.scopes) == (old.name, old.scopes)
    assert old.expires_at is not None
    assert old.expires_at <= timezone.now() + timedelta(days=1)


def test_a_revoked_key_is_refused_from_then_on() -> None:
    issued = make_key(make_installation())
    asked = visitor(Role.ADMIN)

    question = text_of(asked.get(page(issued.key, "revoke")))
    response = asked.post(page(issued.key, "revoke"))

    assert "is refused from the next one on" in question
    assert (response.status_code, response["Location"]) == (302, page(issued.key))
    assert the_key().revoked_at is not None
    assert "revoked" in text_of(asked.get(page(issued.key)))
    assert actions()[-1] == "key.revoked"


def test_revoking_twice_changes_nothing_more() -> None:
    issued = make_key(make_installation())
    asked = visitor(Role.ADMIN)

    asked.post(page(issued.key, "revoke"))
    first = the_key().revoked_at
    asked.post(page(issued.key, "revoke"))

    assert the_key().revoked_at == first


def test_a_key_that_has_ended_is_not_rotated() -> None:
    issued = make_key(make_installation())
    asked = visitor(Role.ADMIN)
    asked.post(page(issued.key, "revoke"))

    response = asked.post(page(issued.key, "rotate"))

    assert response.status_code == 409
    assert the_key() == issued.key


@pytest.mark.parametrize("role", roles_without("key.manage"))
@pytest.mark.parametrize("name", ["revoke", "rotate"])
def test_who_may_not_manage_keys_ends_none(role: Role, name: str) -> None:
    key = make_key(make_installation()).key
    asked = visitor(role)

    assert_denied("key.manage", lambda: asked.post(page(key, name)))


@pytest.mark.parametrize("name", ["change", "revoke", "rotate"])
def test_another_tenants_key_is_not_found(name: str) -> None:
    key = make_key(make_installation()).key
    asked = visitor(Role.ADMIN, make_tenant())

    assert asked.get(page(key, name)).status_code == 404
    assert asked.post(page(key, name)).status_code in (403, 404)
    assert the_key().revoked_at is None


def test_a_personal_key_is_seen_and_revoked_by_its_owner_alone() -> None:
    asked, other = visitor(Role.ANALYST), visitor(Role.ANALYST)
    user = make_user()
    asked.client.force_login(user)
    make_membership(user, Role.ANALYST)
    with tenant_context(ALL, user_id=user.pk):
        key = issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop").key

    assert "Laptop" in text_of(asked.get("/studio/api-keys/"))
    assert other.get(page(key)).status_code in (403, 404)
    assert other.post(page(key, "revoke")).status_code in (403, 404)
    asked.post(page(key, "revoke"))
    with tenant_context(ALL, user_id=user.pk):
        key.refresh_from_db()
    assert key.revoked_at is not None


# The list


def test_the_list_says_which_keys_work() -> None:
    installation = make_installation()
    now = timezone.now()
    make_key(installation, Scope.INGEST, name="Forever")
    make_key(installation, name="Soon", expires_at=now + timedelta(days=3))
    make_key(installation, name="Later", expires_at=now + timedelta(days=300))
    gone = make_key(installation, name="Gone").key
    past = make_key(installation, name="Past", expires_at=now + timedelta(seconds=60)).key
    with tenant_context(ALL):
        ApiKey.objects.filter(pk=gone.pk).update(revoked_at=now)
        ApiKey.objects.filter(pk=past.pk).update(expires_at=now - timedelta(days=1))
    asked = visitor(Role.VIEWER)

    found = {
        state: [row.name for row in asked.get("/studio/api-keys/", state=state).context["cl"].result_list]
        for state in ("active", "expires soon", "expired", "revoked")
    }

    assert found == {
        "active": ["Later", "Forever"],
        "expires soon": ["Soon"],
        "expired": ["Past"],
        "revoked": ["Gone"],
    }
