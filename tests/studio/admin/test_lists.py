"""What holds for the list of every noun."""

from collections.abc import Callable
from itertools import count

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from studio.admin.navigation import SECTIONS
from studio.admin.nouns import site
from telemetry.core.config import PrivacyFloor
from telemetry.core.spec import TelemetrySpec
from telemetry.services.event_specs import import_event_spec
from telemetry.services.reviews import comment, submit_for_review
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_meta
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_draft, make_published
from tests.tenants import factories as tenants

pytestmark = pytest.mark.django_db

_numbers = count(1)


def new_spec() -> TelemetrySpec:
    number = next(_numbers)
    return TelemetrySpec(meta=make_meta(f"spec{number}"), events=(make_event(f"event{number}"),))


def add_floor() -> None:
    with tenant_context(ALL):
        app = App.objects.get(pk=tenants.make_app().pk)
        save_floor(actor=SYSTEM, app=app, floor=PrivacyFloor(), expected_revision=0)


def add_event() -> None:
    record = make_draft(new_spec())
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("another", tags=("one", "two")))


def add_review() -> None:
    record = make_draft(new_spec())
    with tenant_context(ALL):
        review = submit_for_review(actor=SYSTEM, spec_name=record.name, expected_revision=1, summary="New")
        comment(actor=SYSTEM, review_id=review.pk, text="Looks good")


def add_event_spec() -> None:
    record = make_draft(new_spec())
    with tenant_context(ALL):
        name = record.events.get().name
        document = f'{{"meta": {{"name": "{name}", "version": 1, "domain": "d", "title": "T"}}, "payload": {{}}}}'
        import_event_spec(actor=SYSTEM, document=document)


# One more row of each noun, with everything that its columns show.
ADD: dict[str, Callable[[], object]] = {
    "specs": lambda: make_published(new_spec()),
    "events": add_event,
    "reviews": add_review,
    "versions": lambda: make_published(new_spec()),
    "tenants": lambda: tenants.make_installation(tenants.make_tenant()),
    "apps": lambda: tenants.make_installation(app=tenants.make_app()),
    "installations": lambda: tenants.make_published_config(tenants.make_installation()),
    "configs": lambda: tenants.make_published_config(tenants.make_installation()),
    "api-keys": lambda: tenants.make_key(tenants.make_installation()),
    "event-specs": add_event_spec,
    "floors": add_floor,
    "floor-exceptions": lambda: tenants.make_floor_exception(tenants.make_installation()),
    "people": lambda: tenants.make_membership(tenants.make_user(), Role.ANALYST, tenants.make_tenant()),
    "roles": lambda: tenants.make_membership(tenants.make_user(), Role.ANALYST, tenants.make_tenant()),
    "audit": tenants.make_tenant,
}


def test_every_noun_is_listed_here() -> None:
    assert {f"{name}/" for name in ADD} == {model_admin.address for model_admin in site._registry.values()}


@pytest.mark.parametrize("name", ADD)
def test_a_list_takes_as_many_queries_for_four_rows_as_for_one(name: str) -> None:
    asked = visitor(is_superuser=True)
    ADD[name]()
    one = asked.cost_of(f"/studio/{name}/")

    for _ in range(3):
        ADD[name]()

    assert asked.cost_of(f"/studio/{name}/") == one


@pytest.mark.parametrize("name", [name for name in ADD if name not in ("people", "audit")])
def test_an_empty_list_says_what_it_is_for(name: str) -> None:
    asked = visitor(is_superuser=True)
    model_admin = next(each for each in site._registry.values() if each.address == f"{name}/")

    text = text_of(asked.get(f"/studio/{name}/"))

    assert model_admin.empty_state.title in text
    assert model_admin.empty_state.text in text


@pytest.mark.parametrize("name", ADD)
def test_a_search_that_finds_nothing_says_so(name: str) -> None:
    ADD[name]()
    asked = visitor(is_superuser=True)

    response = asked.get(f"/studio/{name}/", q="nothing is called like this")

    searches = bool(next(each for each in site._registry.values() if each.address == f"{name}/").search_fields)
    assert ("Nothing matches" in text_of(response)) == searches


HOSTILE = ["\x00", "%", "'; DROP TABLE tenants_tenant; --", "a" * 10_000, "\U0001f600", "(", "\\"]


@pytest.mark.parametrize("name", ADD)
@pytest.mark.parametrize(
    "parameter", ["q", "o", "p", "all", "e", "_to_field", "state", "id__exact", "tenant__id__exact"]
)
def test_no_query_string_breaks_a_list(name: str, parameter: str) -> None:
    ADD[name]()
    asked = visitor(is_superuser=True)

    statuses = {asked.get(f"/studio/{name}/", **{parameter: value}).status_code for value in HOSTILE}

    assert statuses <= {200, 302, 400}


@pytest.mark.parametrize("name", ADD)
@pytest.mark.parametrize(
    "lookup", ["user__password__startswith", "digest__startswith", "tenant__sampling_salt__startswith"]
)
def test_lists_cannot_be_filtered_by_secrets(name: str, lookup: str) -> None:
    ADD[name]()

    response = visitor(is_superuser=True).get(f"/studio/{name}/", **{lookup: "a"})

    # Django leads back to the list with ?e=1, or refuses the lookup.
    assert response.status_code in (302, 400)


@pytest.mark.parametrize("identifier", ["0", "999999999", "99999999999999999999999", "x", "%00", "1/../2", "-1"])
@pytest.mark.parametrize("name", ADD)
def test_a_row_that_does_not_exist_is_not_found(name: str, identifier: str) -> None:
    response = visitor(is_superuser=True).get(f"/studio/{name}/{identifier}/change/")

    assert response.status_code == 404


@pytest.mark.parametrize("name", ADD)
@pytest.mark.parametrize("page", ["history", "delete"])
def test_djangos_own_pages_of_a_row_are_closed(name: str, page: str) -> None:
    ADD[name]()
    asked = visitor(is_superuser=True)

    assert asked.get(f"/studio/{name}/1/{page}/").status_code in (403, 404)
    assert asked.post(f"/studio/{name}/1/{page}/", post="yes").status_code in (403, 404)


# The side bar


def sections_for(role: Role | None, *, in_tenant: bool = False) -> list[str]:
    tenant = tenants.make_tenant() if in_tenant else None
    response = visitor(role, tenant).get("/studio/")
    return [item["title"] for group in response.context["sidebar_navigation"] for item in group["items"]]


READ = [
    *("Overview", "Specs", "Catalog", "Reviews", "Proposals", "Versions", "EventSpecs"),
    *("Tenants", "Apps", "Installations", "Configs", "API keys"),
    *("Live", "Incidents", "Alerts", "Violations", "Quarantine", "Balance", "Privacy inbox"),
    *("Retention", "Purges", "Archive", "Re-scrub", "Receipts"),
]
# Who protects personal data holds it, too.
HOLDING = [*READ[:-1], "Legal holds", "Receipts"]


# What only those see, too, who handle what people ask for about themselves.
WISHES = ["Privacy floors", "Exceptions", "Erasure", "Access requests"]


@pytest.mark.parametrize(
    ("role", "in_tenant", "entries"),
    [
        (None, False, ["Overview"]),
        (Role.VIEWER, False, [*READ, "Privacy floors", "Exceptions", "Providers"]),
        (Role.ANALYST, True, [*READ, "Privacy floors", "Exceptions", "Providers"]),
        (Role.PRIVACY_OFFICER, False, [*HOLDING, *WISHES, "Providers", "Audit log"]),
        (Role.PUBLISHER, True, [*READ, "Privacy floors", "Exceptions", "Providers"]),
        (Role.ADMIN, True, [*HOLDING, *WISHES, "Roles", "Providers", "Audit log"]),
        (
            Role.ADMIN,
            False,
            [*HOLDING, *WISHES, "People", "Roles", "Providers", "Audit log"],
        ),
    ],
)
def test_the_side_bar_shows_what_the_person_may_see(role: Role | None, in_tenant: bool, entries: list[str]) -> None:
    assert sections_for(role, in_tenant=in_tenant) == entries


@pytest.mark.parametrize("role", list(Role))
def test_every_entry_of_the_side_bar_opens(role: Role) -> None:
    asked = visitor(role)
    navigation = asked.get("/studio/").context["sidebar_navigation"]

    assert {asked.get(item["link"]).status_code for group in navigation for item in group["items"]} == {200}


@pytest.mark.parametrize("role", list(Role))
def test_what_the_side_bar_leaves_out_does_not_open(role: Role) -> None:
    asked = visitor(role)
    shown = {i["link"] for group in asked.get("/studio/").context["sidebar_navigation"] for i in group["items"]}
    everything = {entry.address for entries in SECTIONS.values() for entry in entries}

    assert {asked.get(address).status_code for address in everything - shown} <= {403}


def test_somebody_without_a_role_is_told_what_to_do() -> None:
    asked = visitor()

    text = text_of(asked.get("/studio/"))

    assert "You have no role yet" in text
    assert asked.username in text
    assert {asked.get(f"/studio/{name}/").status_code for name in ADD} == {403}


def test_signing_in_does_not_need_djangos_staff_flag() -> None:
    User.objects.create_user("ana", password="a long enough password", is_staff=False)
    client = visitor().client
    client.logout()

    response = client.post(reverse("admin:login"), {"username": "ana", "password": "a long enough password"})

    assert (response.status_code, response["Location"]) == (302, "/studio/")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(elsewhere: str) -> None:
    User.objects.create_user("ana", password="a long enough password")
    client = visitor().client
    client.logout()

    response = client.post(
        f"/studio/login/?next={elsewhere}",
        {"username": "ana", "password": "a long enough password", "next": elsewhere},
    )

    assert (response.status_code, response["Location"]) == (302, "/studio/")
