"""Tenants as a list, one by one, and new ones."""

from typing import Any

import pytest

from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_key, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored
from tests.tenants.factories import make_installation, make_key, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

TENANTS = "/api/v1/tenants"


def slugs_of(answer: Any) -> list[str]:
    return [item["slug"] for item in answer.json()["items"]]


@pytest.fixture
def admin() -> Caller:
    return caller_with_role(Role.ADMIN)


def test_a_role_in_the_workspace_shows_every_tenant(admin: Caller) -> None:
    make_tenant("beta", name="Beta Corporation")
    make_tenant("acme")

    answer = admin.get(TENANTS)

    assert answer.status_code == 200
    assert slugs_of(answer) == ["acme", "beta"]
    [_, beta] = answer.json()["items"]
    assert beta.pop("createdAt").endswith("Z")
    assert beta == {"slug": "beta", "name": "Beta Corporation", "isActive": True}


def test_a_role_in_some_tenants_shows_those_and_counts_no_others() -> None:
    user = make_user()
    for slug in ("acme", "beta", "other"):
        tenant = make_tenant(slug)
        if slug != "other":
            make_membership(user, Role.VIEWER, tenant)

    answer = caller_with_key(user).get(TENANTS)

    assert slugs_of(answer) == ["acme", "beta"]
    assert answer.json()["total"] == 2


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({"search": "ACME"}, ["acme"]),
        ({"search": "corporation"}, ["beta"]),
        ({"search": "%"}, []),
        ({"search": "' OR 1=1 --"}, []),
        ({"order": "-slug"}, ["beta", "acme"]),
        ({"order": "name"}, ["beta", "acme"]),
        ({"order": "-createdAt"}, ["beta", "acme"]),
        ({"page": 2, "pageSize": 1}, ["beta"]),
    ],
)
def test_the_list_is_searched_ordered_and_cut(admin: Caller, query: dict[str, object], slugs: list[str]) -> None:
    make_tenant("acme", name="Z")
    make_tenant("beta", name="A corporation")

    assert slugs_of(admin.get(TENANTS, query)) == slugs


@pytest.mark.parametrize(
    "query", ["slug=acme", "memberships__user__password__startswith=a", "order=pseudonym_salt", "page=x"]
)
def test_the_list_refuses_what_it_does_not_know(admin: Caller, query: str) -> None:
    assert admin.get(f"{TENANTS}?{query}").status_code == 400


def test_the_list_costs_two_queries(admin: Caller) -> None:
    for _ in range(10):
        make_tenant()

    assert cost_of(admin, TENANTS) == 2


def test_one_tenant_is_shown_by_slug(admin: Caller) -> None:
    make_tenant("acme")

    answer = admin.get(f"{TENANTS}/acme")

    assert answer.status_code == 200
    assert answer.json() == admin.get(TENANTS).json()["items"][0]
    assert cost_of(admin, f"{TENANTS}/acme") == 1


@pytest.mark.parametrize("slug", ["unknown", "Acme", "acme%00", "a/b", "..", "-a", "a" * 129])
def test_a_tenant_that_does_not_exist_is_not_found(admin: Caller, slug: str) -> None:
    make_tenant("acme")

    assert admin.get(f"{TENANTS}/{slug}").status_code == 404


def test_a_tenant_of_others_does_not_exist() -> None:
    make_tenant("other")
    stranger = caller_with_role(Role.ADMIN, make_tenant("acme"))

    theirs, nobodys = stranger.get(f"{TENANTS}/other"), stranger.get(f"{TENANTS}/unknown")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()


def test_an_app_may_not_read_its_own_tenant() -> None:
    installation = make_installation(make_tenant("acme"))
    app = Caller(key=make_key(installation).text)

    assert app.get(f"{TENANTS}/acme").status_code == 403
    assert app.get(TENANTS).status_code == 403


# New ones


def test_a_new_tenant_is_empty_and_active(admin: Caller) -> None:
    answer = admin.post(TENANTS, {"slug": "acme", "name": "Acme GmbH"})

    assert answer.status_code == 201
    assert answer["Location"] == f"{TENANTS}/acme"
    assert (answer.json()["slug"], answer.json()["name"], answer.json()["isActive"]) == ("acme", "Acme GmbH", True)
    assert admin.get(answer["Location"]).json() == answer.json()


def test_a_slug_can_be_taken_once(admin: Caller) -> None:
    make_tenant("acme")
    before = everything_stored()

    answer = admin.post(TENANTS, {"slug": "acme", "name": "Another"})

    assert answer.status_code == 409
    assert code_of(answer) == "conflict"
    assert everything_stored() == before


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"slug", "name"}),
        ({"slug": "acme"}, {"name"}),
        ({"slug": "Acme", "name": "a"}, {"slug"}),
        ({"slug": "acme\n", "name": "a"}, {"slug"}),
        ({"slug": "", "name": ""}, {"slug", "name"}),
        ({"slug": "a" * 129, "name": "a" * 201}, {"slug", "name"}),
        ({"slug": "acme", "name": "   "}, {"name"}),
        ({"slug": "acme", "name": "a\r\nSet-Cookie: b"}, {"name"}),
        ({"slug": "acme", "name": 1}, {"name"}),
        ({"slug": ["acme"], "name": {"a": 1}}, {"slug", "name"}),
        ({"slug": "acme", "name": "a", "isActive": False}, {"isActive"}),
        ({"slug": "acme", "name": "a", "samplingSalt": "0"}, {"samplingSalt"}),
    ],
)
def test_what_breaks_a_rule_is_named_and_not_saved(admin: Caller, body: dict[str, object], paths: set[str]) -> None:
    before = everything_stored()

    answer = admin.post(TENANTS, body)

    assert answer.status_code == 400
    assert {error["path"] for error in answer.json()["errors"]} == paths
    assert everything_stored() == before


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER, Role.PUBLISHER])
def test_only_admins_of_the_workspace_make_tenants(role: Role | None) -> None:
    assert caller_with_role(role).post(TENANTS, {"slug": "new", "name": "New"}).status_code == 403
    local = caller_with_role(Role.ADMIN, make_tenant("acme"))
    assert local.post(TENANTS, {"slug": "new", "name": "New"}).status_code == 403
    assert caller_with_role(Role.ADMIN).get(f"{TENANTS}/new").status_code == 404
