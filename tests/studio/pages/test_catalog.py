"""The catalog of all events: search, facets, pages, file."""

import re
from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Deprecation, Semantics
from telemetry.models import EventRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_days, make_draft, make_installation, make_large_catalog
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

PAGE, CSV = "/studio/catalog/", "/studio/catalog/csv/"


def names(response: Any) -> list[str]:
    return [event.name for event in response.context["found"].events]


def facet(response: Any, title: str) -> list[tuple[str, int, bool]]:
    [found] = [each for each in response.context["facets"] if each.title == title]
    return [(each.word, each.events, each.is_chosen) for each in (*found.counts, *found.rest)]


def a_few() -> None:
    make_draft(
        make_spec(
            make_event("order_placed", tags=("funnel",), owners=("@team.shop",)),
            make_event("order_paid", privacy=PrivacyLevel.PII, tags=("funnel", "money")),
            name="shop",
        )
    )
    old = make_event("signed_up", deprecation=Deprecation(reason="Two steps now", replaced_by="joined"))
    make_draft(make_spec(old, make_event("joined", semantics=Semantics(what="Somebody joined")), name="people"))


def test_the_catalog_lists_every_event_of_every_draft() -> None:
    a_few()

    response = visitor(Role.VIEWER).get(PAGE)

    text = text_of(response)
    assert names(response) == ["joined", "order_paid", "order_placed", "signed_up"]
    assert "4 events" in text
    assert "Somebody joined" in text
    assert "deprecated" in text


@pytest.mark.parametrize(
    ("searched", "found"),
    [
        ("joined", ["joined", "signed_up"][:1]),
        ("ORDER", ["order_paid", "order_placed"]),
        ("team.shop", ["order_placed"]),
        ("money", ["order_paid"]),
        ("durationMs order_paid", ["order_paid"]),
        ("nothing is called so", []),
    ],
)
def test_people_search_for_what_they_remember(searched: str, found: list[str]) -> None:
    a_few()

    assert names(visitor(Role.VIEWER).get(PAGE, q=searched)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"privacy": "pii"}, ["order_paid"]),
        ({"spec": "people"}, ["joined", "signed_up"]),
        ({"owner": "@team.shop"}, ["order_placed"]),
        ({"tag": ["money", "funnel"]}, ["order_paid", "order_placed"]),
        ({"deprecated": "true"}, ["signed_up"]),
        ({"deprecated": "false", "spec": "people"}, ["joined"]),
        ({"stability": "stable"}, []),
    ],
)
def test_facets_narrow_down(query: dict[str, Any], found: list[str]) -> None:
    a_few()

    assert names(visitor(Role.VIEWER).get(PAGE, **query)) == found


def test_facets_count_what_choosing_them_would_show_and_lead_there_and_back() -> None:
    a_few()
    asked = visitor(Role.VIEWER)

    response = asked.get(PAGE, q="order", privacy="pii")

    assert facet(response, "Privacy") == [("internal", 1, False), ("pii", 1, True)]
    assert facet(response, "Spec") == [("shop", 1, False)]
    [privacy] = [each for each in response.context["facets"] if each.title == "Privacy"]
    internal, chosen = privacy.counts
    assert names(asked.get(f"{PAGE}{internal.address}")) == ["order_paid", "order_placed"]
    assert chosen.address == "?q=order"


def test_an_empty_catalog_says_what_it_is_for_and_one_without_matches_too() -> None:
    asked = visitor(Role.VIEWER)

    empty = text_of(asked.get(PAGE))
    a_few()
    nothing = text_of(asked.get(PAGE, q="zzz"))

    assert "No event yet" in empty
    assert "Nothing matches" in nothing


@pytest.mark.parametrize("key", ["q", "privacy", "spec", "owner", "tag", "stability", "deprecated", "order", "page"])
def test_no_query_breaks_page_or_file(key: str) -> None:
    a_few()
    asked = visitor(Role.VIEWER)
    hostile: list[str] = [
        "\x00",
        "%",
        "' OR 1=1 --",
        "a" * 5_000,
        "\U0001f600",
        "{",
        "-1",
        "9" * 40,
        "\ufffd",
    ]

    statuses = {asked.get(address, **{key: value}).status_code for address in (PAGE, CSV) for value in hostile}

    assert statuses == {200}


def test_the_file_has_what_the_page_found_and_no_formulas() -> None:
    make_draft(make_spec(make_event("alpha", semantics=Semantics(what="=1+1")), make_event("other"), name="shop"))

    response = visitor(Role.VIEWER).get(CSV, q="alpha")

    lines = response.content.decode().splitlines()
    assert response["Content-Disposition"] == 'attachment; filename="telemetry-catalog.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert len(lines) == 2
    assert lines[1].startswith("alpha,1,'=1+1,shop,internal,")


@pytest.mark.parametrize("role", list(Role))
def test_every_member_may_look(role: Role) -> None:
    a_few()

    assert visitor(role, make_tenant()).get(PAGE).status_code == 200
    assert visitor(role).get(CSV).status_code == 200


def test_somebody_without_a_role_sees_nothing() -> None:
    asked = visitor()

    assert {asked.get(PAGE).status_code, asked.get(CSV).status_code} == {403}


def test_only_who_may_edit_is_offered_a_new_event() -> None:
    a_few()

    assert "/studio/events/add/" in visitor(Role.ANALYST).get(PAGE).content.decode()
    assert "/studio/events/add/" not in visitor(Role.VIEWER).get(PAGE).content.decode()


def test_texts_are_shown_as_texts() -> None:
    make_draft(make_spec(make_event("step", semantics=Semantics(what="<script>alert(1)</script>")), name="shop"))

    assert "<script>alert" not in visitor(Role.VIEWER).get(PAGE).content.decode()


def test_ten_thousand_events_of_a_hundred_specs_take_as_many_queries_as_four() -> None:
    a_few()
    asked = visitor(Role.ANALYST)
    few_events = EventRecord.objects.order_by("pk")[0]
    pages = (PAGE, CSV, f"{PAGE}?q=order", f"{PAGE}?order=volume", f"{PAGE}?order=-last_seen", "/studio/specs/")
    # What a process remembers after its first page is not what a page costs.
    for address in pages_of(few_events):
        asked.get(address)
    few = {address: asked.cost_of(address) for address in pages}
    of_few = [asked.cost_of(address) for address in pages_of(few_events)]
    rows = make_large_catalog()

    many = {address: asked.cost_of(address) for address in few}
    of_many = [asked.cost_of(address) for address in pages_of(rows[5_000])]

    assert many == few
    assert of_many == of_few
    response = asked.get(PAGE, page="200")
    assert response.context["found"].total == 10_000 + EventRecord.objects.exclude(name__contains="thing_").count()
    assert len(names(response)) == 50
    assert names(asked.get(PAGE, q="area42.thing_95")) == ["area42.thing_95"]
    # A page past the last one is the last one.
    assert asked.get(PAGE, page="999").context["page"].number == 201


def pages_of(event: EventRecord) -> list[str]:
    """The pages on which people work with an event and its spec."""
    spec = f"/studio/specs/{event.spec_id}"
    return [f"/studio/events/{event.pk}/change/", f"{spec}/change/", f"{spec}/findings/", f"{spec}/compare/"]


def test_the_list_shows_what_came_of_each_event_and_when_last() -> None:
    a_few()
    event = EventRecord.objects.order_by("name")[0]
    make_days(make_installation(), [40, 0, 0, 0, 0, 0, 0, 2, 1], name=event.name, version=event.version)
    asked = visitor(Role.VIEWER)

    response = asked.get(PAGE, order="volume")

    (first, *others) = response.context["events"]
    assert first.event.name == event.name
    assert (text_in(first.volume), first.week) == ("43", "3 in 7 days")
    assert "By day, the last 30 days; at most 40 in one" in first.line
    assert "now" in first.last_seen
    shown = {(text_in(each.volume), each.line, text_in(each.last_seen)) for each in others}
    assert shown == {("0", "", "not in 30 days")}


def text_in(html: str) -> str:
    return re.sub(r"<.*?>", "", html)


def test_a_property_is_found_by_its_name() -> None:
    make_draft(make_spec(make_event("step", properties={"basketValue": make_property("number")}), name="shop"))

    assert names(visitor(Role.VIEWER).get(PAGE, q="basketvalue")) == ["step"]
