"""Apps as a list."""

import pytest

from telemetry.core.config import AppBlueprint, SpecPointer
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, cost_of
from tests.tenants.factories import make_app, make_installation, make_key, make_tenant

pytestmark = pytest.mark.django_db

APPS = "/api/v1/apps"


def test_apps_come_by_slug_with_their_blueprints() -> None:
    make_app("shop", blueprint=AppBlueprint(spec=SpecPointer(name="sigil.telemetry"), default_sampling_rate=0.5))
    make_app("blog")

    answer = caller_with_role(Role.VIEWER, make_tenant()).get(APPS)

    assert answer.status_code == 200
    blog, shop = answer.json()["items"]
    assert (blog["slug"], blog["blueprint"]) == ("blog", {})
    assert shop["blueprint"] == {"spec": {"name": "sigil.telemetry"}, "defaultSamplingRate": 0.5}
    assert set(shop) == {"slug", "name", "description", "blueprint", "createdAt"}


def test_the_list_is_searched_and_cut() -> None:
    viewer = caller_with_role(Role.VIEWER)
    for slug in ("a-shop", "b-shop", "blog"):
        make_app(slug)

    answer = viewer.get(APPS, {"search": "SHOP", "pageSize": 1, "page": 2})

    assert [item["slug"] for item in answer.json()["items"]] == ["b-shop"]
    assert answer.json()["total"] == 2


@pytest.mark.parametrize("query", ["slug=a", "order=name", "installations__tenant__slug=a", "search=%00", "page=0"])
def test_the_list_refuses_what_it_does_not_know(query: str) -> None:
    assert caller_with_role(Role.VIEWER).get(f"{APPS}?{query}").status_code == 400


def test_the_list_costs_two_queries() -> None:
    for _ in range(10):
        make_app()

    assert cost_of(caller_with_role(Role.VIEWER), APPS) == 2


def test_people_without_a_role_and_apps_read_nothing() -> None:
    app = Caller(key=make_key(make_installation()).text)

    assert Caller().get(APPS).status_code == 401
    assert caller_with_role(None).get(APPS).status_code == 403
    assert app.get(APPS).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_apps_are_not_changed_here(method: str) -> None:
    assert caller_with_role(Role.ADMIN).send(method, APPS, b"{}").status_code == 405
