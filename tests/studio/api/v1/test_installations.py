"""Installations as a list, one by one, and what holds at them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import Environment
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.studio.api.calls import Caller, caller_with_key, caller_with_role, cost_of
from tests.telemetry.factories import make_installation as make_bound_installation
from tests.telemetry.factories import make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import (
    make_app,
    make_installation,
    make_key,
    make_membership,
    make_published_config,
    make_tenant,
    make_user,
)

pytestmark = pytest.mark.django_db

INSTALLATIONS = "/api/v1/installations"
STEP = "sigil.telemetry.workflow_step"


def places_of(answer: Any) -> list[tuple[str, str, str]]:
    return [(item["tenant"], item["app"], item["environment"]) for item in answer.json()["items"]]


@pytest.fixture
def viewer() -> Caller:
    return caller_with_role(Role.VIEWER)


@pytest.fixture
def four_installations() -> list[Installation]:
    acme, beta, shop, blog = make_tenant("acme"), make_tenant("beta"), make_app("shop"), make_app("blog")
    return [
        make_installation(acme, blog),
        make_installation(acme, shop, Environment.PRODUCTION),
        make_installation(acme, shop, Environment.STAGING),
        make_installation(beta, shop),
    ]


# The list


def test_installations_come_by_tenant_app_and_environment(
    viewer: Caller, four_installations: list[Installation]
) -> None:
    answer = viewer.get(INSTALLATIONS)

    assert answer.status_code == 200
    assert places_of(answer) == [
        ("acme", "blog", "production"),
        ("acme", "shop", "production"),
        ("acme", "shop", "staging"),
        ("beta", "shop", "production"),
    ]
    assert [item["id"] for item in answer.json()["items"]] == [str(each.public_id) for each in four_installations]
    assert set(answer.json()["items"][0]) == {"id", "tenant", "app", "environment", "createdAt"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"tenant": "acme"}, 3),
        ({"app": "shop"}, 3),
        ({"environment": "staging"}, 1),
        ({"tenant": "acme", "app": "shop", "environment": "production"}, 1),
        ({"tenant": "unknown"}, 0),
        ({"tenant": "%"}, 0),
        ({"tenant": "' OR 1=1 --"}, 0),
        ({"tenant": ""}, 0),
    ],
)
def test_the_list_is_filtered(
    viewer: Caller, four_installations: list[Installation], query: dict[str, str], count: int
) -> None:
    answer = viewer.get(INSTALLATIONS, query)

    assert len(places_of(answer)) == answer.json()["total"] == count


@pytest.mark.parametrize(
    "query",
    ["environment=qa", "environment=", "tenant__slug=a", "tenant=%00", "tenant=a&tenant=b", "tenant_id=1", "order=id"],
)
def test_the_list_refuses_what_it_does_not_know(viewer: Caller, query: str) -> None:
    assert viewer.get(f"{INSTALLATIONS}?{query}").status_code == 400


def test_a_role_in_one_tenant_shows_that_ones_installations(four_installations: list[Installation]) -> None:
    user = make_user()
    make_membership(user, Role.VIEWER, four_installations[3].tenant)
    local = caller_with_key(user)

    assert places_of(local.get(INSTALLATIONS)) == [("beta", "shop", "production")]
    assert local.get(INSTALLATIONS, {"tenant": "acme"}).json()["total"] == 0


def test_the_list_costs_two_queries(viewer: Caller, four_installations: list[Installation]) -> None:
    assert cost_of(viewer, INSTALLATIONS) == 2


# One


def test_one_installation_is_shown_by_its_public_id(viewer: Caller) -> None:
    installation = make_installation(make_tenant("acme"), make_app("shop"))
    address = f"{INSTALLATIONS}/{installation.public_id}"

    answer = viewer.get(address)

    assert answer.status_code == 200
    assert answer.json() == viewer.get(INSTALLATIONS).json()["items"][0]
    assert cost_of(viewer, address) == 1


@pytest.mark.parametrize(
    "public_id",
    ["7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11", "1", "acme", "%00", "../specs", "00000000-0000-0000-0000-00000000000g"],
)
def test_an_installation_that_does_not_exist_is_not_found(viewer: Caller, public_id: str) -> None:
    make_installation()

    assert viewer.get(f"{INSTALLATIONS}/{public_id}").status_code == 404


def test_row_ids_are_no_addresses(viewer: Caller) -> None:
    installation = make_installation()

    assert viewer.get(f"{INSTALLATIONS}/{installation.pk}").status_code == 404


# What holds


def test_people_see_what_the_apps_fetch(viewer: Caller) -> None:
    make_published()
    installation = make_bound_installation()
    app = Caller(key=make_key(installation).text)
    address = f"{INSTALLATIONS}/{installation.public_id}/effective-config"

    answer = viewer.get(address)

    assert answer.status_code == 200
    assert answer.content == app.get("/api/v1/config").content
    assert answer["ETag"] == app.get("/api/v1/config")["ETag"]
    assert viewer.get(address, If_None_Match=answer["ETag"]).status_code == 304
    assert cost_of(viewer, address) == 2


def test_people_see_which_layer_said_so(viewer: Caller) -> None:
    make_published()
    override = TenantOverride(events={STEP: EventOverride(enabled=False)})
    installation = make_bound_installation(override=override)

    answer = viewer.get(f"{INSTALLATIONS}/{installation.public_id}/effective-config", {"explain": 1})

    config = answer.json()
    assert config["events"][0]["enabled"] is False
    assert config["provenance"][f"events[{STEP}@1].enabled"]["layer"] == "tenant"


def test_people_ask_what_was_in_force_at_an_instant(viewer: Caller) -> None:
    make_published()
    installation = make_bound_installation(override=TenantOverride(events={STEP: EventOverride(enabled=False)}))
    pass_time(timedelta(days=2))
    make_published_config(installation)
    address = f"{INSTALLATIONS}/{installation.public_id}/effective-config"
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    then = viewer.get(address, {"at": yesterday, "explain": "1"}).json()
    now = viewer.get(address, {"event": STEP}).json()

    enabled = then["provenance"][f"events[{STEP}@1].enabled"]
    assert then["events"][0]["enabled"] is False
    assert (enabled["layer"], enabled["version"], enabled["without"]) == ("tenant", 1, True)
    assert [event["enabled"] for event in now["events"]] == [True]
    assert viewer.get(address, {"at": "2001-01-01T00:00:00Z"}).status_code == 409
    for wrong in ("yesterday", "2026-01-01T00:00:00"):
        assert viewer.get(address, {"at": wrong}).status_code == 400
    assert viewer.get(address, {"event": "no such event"}).json()["events"] == []


def test_people_never_see_the_pseudonym_key() -> None:
    make_published()
    installation = make_bound_installation()
    address = f"{INSTALLATIONS}/{installation.public_id}/effective-config"

    assert "pseudonymKey" not in caller_with_role(Role.ADMIN).get(address).json()


def test_without_a_bound_spec_the_answer_says_what_to_do(viewer: Caller) -> None:
    installation = make_installation()

    answer = viewer.get(f"{INSTALLATIONS}/{installation.public_id}/effective-config")

    assert answer.status_code == 409
    assert "no spec is bound" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["explain=yes", "explain=", "secret=1"])
def test_what_holds_refuses_what_it_does_not_know(viewer: Caller, query: str) -> None:
    installation = make_installation()

    assert viewer.get(f"{INSTALLATIONS}/{installation.public_id}/effective-config?{query}").status_code == 400


# Who may


@pytest.mark.parametrize("rest", ["", "/config", "/config/versions", "/effective-config"])
def test_the_key_of_an_app_reads_no_installation_not_even_its_own(rest: str) -> None:
    make_published()
    installation = make_bound_installation()
    make_published_config(installation)
    app = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET, Scope.INGEST).text)

    assert app.get(f"{INSTALLATIONS}/{installation.public_id}{rest}").status_code == 403
    assert Caller().get(f"{INSTALLATIONS}/{installation.public_id}{rest}").status_code == 401
