"""The catalog finds events by whatever people remember of them, and counts what else there is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.enums import PrivacyLevel, Stability
from telemetry.core.spec import Deprecation, EventDefinition, Semantics, TelemetryMeta, TelemetrySpec
from telemetry.models import EventRecord
from telemetry.selectors.catalog import CatalogFilter, CatalogOrder, CatalogPage, catalog_page, catalog_rows
from telemetry.services.specs import save_event, save_meta
from tenants.actors import SYSTEM
from tenants.context import tenant_context
from tests.core.builders import make_event, make_property
from tests.telemetry.factories import (
    ingest,
    make_days,
    make_draft,
    make_incoming,
    make_installation,
    make_published,
)

pytestmark = pytest.mark.usefixtures("workspace")

DAY = "2026-12-31"
TODAY = datetime.now(UTC).date()


def add(name: str, *events: EventDefinition, **meta: Any) -> None:
    """A draft of a spec with these events."""
    made = TelemetryMeta(**{"name": name, "version": 1, "title": name, **meta})
    make_draft(TelemetrySpec(meta=made, events=events))


def look(order: CatalogOrder = "name", *, limit: int = 50, offset: int = 0, **wanted: Any) -> CatalogPage:
    return catalog_page(CatalogFilter(**wanted), order, today=TODAY, limit=limit, offset=offset)


def names(order: CatalogOrder = "name", **wanted: Any) -> list[str]:
    page = look(order, **wanted)
    assert page.total == len(page.events)
    return [event.name for event in page.events]


def counts(facet: str, **wanted: Any) -> dict[str, int]:
    """The values of one facet and how many events have them."""
    (found,) = [each for each in look(**wanted).facets if each.name == facet]
    return {each.value: each.events for each in found.counts}


@pytest.fixture
def shop(workspace: None) -> None:
    """Two specs: what a shop sells, and what its people do."""
    add(
        "shop.orders",
        make_event(
            "Order Completed",
            semantics=Semantics(what="Somebody bought", why="Revenue"),
            properties={"totalCents": make_property("number")},
            owners=("@team.shop", "@team.billing"),
            tags=("revenue", "checkout"),
        ),
        make_event("Order Cancelled", 2, tags=("checkout",), privacy=PrivacyLevel.PII),
        owners=("@team.orders",),
        stability=Stability.STABLE,
    )
    add(
        "people",
        make_event(
            "order_history_opened", privacy=PrivacyLevel.PUBLIC, properties={}, deprecation=Deprecation(reason="Nobody")
        ),
        make_event("signed_up", privacy=PrivacyLevel.PII, review_by=DAY),
    )


# What an event is found by


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order", ["Order Cancelled", "Order Completed", "order_history_opened"]),
        ("ORDER comp", ["Order Completed"]),
        ("bought", ["Order Completed"]),
        ("revenue somebody", ["Order Completed"]),
        ("cents", ["Order Completed"]),
        ("@team.billing", ["Order Completed"]),
        ("team.orders", ["Order Cancelled"]),
        ("checkout", ["Order Cancelled", "Order Completed"]),
        ('"order completed"', ["Order Completed"]),
        ("order nothing", []),
        ("%", []),
        ("o_d", []),
        ("a\x00b", []),
    ],
)
@pytest.mark.usefixtures("shop")
def test_every_word_has_to_occur_somewhere(text: str, found: list[str]) -> None:
    assert names(text=text) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"privacy": (PrivacyLevel.PII,)}, ["Order Cancelled", "signed_up"]),
        ({"privacy": (PrivacyLevel.PUBLIC, PrivacyLevel.INTERNAL)}, ["Order Completed", "order_history_opened"]),
        ({"spec": ("people",)}, ["order_history_opened", "signed_up"]),
        ({"owner": ("@team.orders",)}, ["Order Cancelled"]),
        ({"owner": ("@team.orders", "@team.shop")}, ["Order Cancelled", "Order Completed"]),
        ({"tag": ("revenue",)}, ["Order Completed"]),
        ({"stability": (Stability.STABLE,)}, ["Order Cancelled", "Order Completed"]),
        ({"deprecated": True}, ["order_history_opened"]),
        ({"deprecated": False, "spec": ("people",)}, ["signed_up"]),
        ({"privacy": (PrivacyLevel.PII,), "tag": ("checkout",), "text": "order"}, ["Order Cancelled"]),
        ({"spec": ("nothing",)}, []),
        ({"tag": ("a\x00",)}, []),
    ],
)
@pytest.mark.usefixtures("shop")
def test_filters_narrow_down_together(wanted: dict[str, Any], found: list[str]) -> None:
    assert names(**wanted) == found


@pytest.mark.usefixtures("shop")
def test_findings_are_known_or_not() -> None:
    EventRecord.objects.update(finding_count=None)
    EventRecord.objects.filter(name="Order Completed").update(finding_count=2)
    EventRecord.objects.filter(name="signed_up").update(finding_count=0)

    assert names(has_findings=True) == ["Order Completed"]
    assert names(has_findings=False) == ["signed_up"]
    assert counts("has_findings") == {"true": 1, "false": 1}


@pytest.mark.usefixtures("shop")
def test_an_event_says_what_a_list_shows() -> None:
    (event,) = look(text="completed").events
    row = EventRecord.objects.get(name="Order Completed")

    assert event._asdict() == {
        "event_id": row.pk,
        "spec_id": row.spec_id,
        "name": "Order Completed",
        "version": 1,
        "what": "Somebody bought",
        "spec": "shop.orders",
        "privacy": "internal",
        "owners": ["@team.shop", "@team.billing"],
        "tags": ["revenue", "checkout"],
        "stability": "stable",
        "is_deprecated": False,
        "replaced_by": None,
        "review_by": None,
        "finding_count": 2,
        "property_count": 1,
    }


@pytest.mark.usefixtures("shop")
def test_owners_of_a_spec_are_those_of_its_events_without_any() -> None:
    save_meta(
        actor=SYSTEM,
        meta=TelemetryMeta(name="people", version=1, title="people", owners=("@team.people",)),
        config=None,
    )

    assert names(text="@team.people") == names(owner=("@team.people",)) == ["order_history_opened", "signed_up"]


def test_a_changed_event_is_found_by_what_it_says_now() -> None:
    add("shop", make_event("a"))
    changed = make_event("b", semantics=Semantics(what="Bought"), tags=("new",))
    save_event(actor=SYSTEM, spec_name="shop", event=changed, replaces=("a", 1))

    assert names(text="bought new b") == ["b"]
    assert names(text="executed") == []


# Order and pages


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("name", ["Order Cancelled", "Order Completed", "order_history_opened", "signed_up"]),
        ("-name", ["signed_up", "order_history_opened", "Order Completed", "Order Cancelled"]),
        ("spec", ["order_history_opened", "signed_up", "Order Cancelled", "Order Completed"]),
        ("privacy", ["order_history_opened", "Order Completed", "Order Cancelled", "signed_up"]),
        ("-privacy", ["Order Cancelled", "signed_up", "Order Completed", "order_history_opened"]),
        ("findings", ["signed_up", "order_history_opened", "Order Cancelled", "Order Completed"]),
    ],
)
@pytest.mark.usefixtures("shop")
def test_the_list_comes_in_the_order_that_is_asked_for(order: CatalogOrder, found: list[str]) -> None:
    EventRecord.objects.update(finding_count=None)
    EventRecord.objects.filter(name="signed_up").update(finding_count=2)
    EventRecord.objects.filter(name="order_history_opened").update(finding_count=0)

    assert [event.name for event in look(order).events] == found


def test_names_that_fit_come_before_events_that_only_mention_the_word() -> None:
    mention = Semantics(what="About an order")
    add("a", make_event("aaa", semantics=mention), make_event("reorder"), make_event("order_paid"), make_event("order"))

    assert names("relevance", text="Order") == ["order", "order_paid", "reorder", "aaa"]


@pytest.mark.usefixtures("shop")
def test_pages_are_parts_of_one_order() -> None:
    pages = [look(limit=3, offset=offset) for offset in (0, 3, 6)]

    assert [[event.name for event in page.events] for page in pages] == [
        ["Order Cancelled", "Order Completed", "order_history_opened"],
        ["signed_up"],
        [],
    ]
    assert {page.total for page in pages} == {4}


# Facets


@pytest.mark.usefixtures("shop")
def test_facets_count_what_there_is() -> None:
    assert counts("privacy") == {"pii": 2, "internal": 1, "public": 1}
    assert counts("spec") == {"people": 2, "shop.orders": 2}
    assert counts("owner") == {"@team.billing": 1, "@team.orders": 1, "@team.shop": 1}
    assert counts("tag") == {"checkout": 2, "revenue": 1}
    assert counts("stability") == {"experimental": 2, "stable": 2}
    assert counts("deprecated") == {"false": 3, "true": 1}
    assert counts("has_findings") == {"true": 4}


@pytest.mark.usefixtures("shop")
def test_a_facet_disregards_its_own_choice_and_no_other() -> None:
    wanted = {"privacy": (PrivacyLevel.PII,), "text": "order"}

    assert counts("privacy", **wanted) == {"internal": 1, "pii": 1, "public": 1}
    assert counts("spec", **wanted) == {"shop.orders": 1}


@pytest.mark.usefixtures("shop")
def test_a_choice_that_no_event_has_can_still_be_undone() -> None:
    (tag,) = [facet for facet in look(tag=("gone",)).facets if facet.name == "tag"]

    assert [(each.value, each.events, each.is_chosen) for each in tag.counts] == [
        ("checkout", 2, False),
        ("revenue", 1, False),
        ("gone", 0, True),
    ]


def test_a_value_that_stands_twice_counts_once() -> None:
    add("shop", make_event("a", tags=("x", "x")))

    assert counts("tag") == {"x": 1}


@pytest.mark.usefixtures("shop")
def test_rare_values_are_left_out_but_never_chosen_ones() -> None:
    page = catalog_page(CatalogFilter(tag=("revenue",)), "name", today=TODAY, limit=1, offset=0, facet_size=1)

    (tag,) = [facet for facet in page.facets if facet.name == "tag"]
    (owner,) = [facet for facet in page.facets if facet.name == "owner"]
    assert [each.value for each in tag.counts] == ["checkout", "revenue"]
    assert (tag.more, [each.value for each in owner.counts], owner.more) == (0, ["@team.billing"], 1)


# All at once, and what it costs


@pytest.mark.usefixtures("shop")
def test_all_rows_come_one_by_one() -> None:
    make_days(make_installation(), [2, 3], name="Order Completed")

    rows = list(catalog_rows(CatalogFilter(text="order"), "name", today=TODAY))

    assert [row.event.name for row in rows] == ["Order Cancelled", "Order Completed", "order_history_opened"]
    assert [row.volume for row in rows] == [0, 5, 0]
    assert [row.last_received_at is not None for row in rows] == [False, True, False]
    assert list(catalog_rows(CatalogFilter(text="\x00"), "name", today=TODAY)) == []


# What came of them


@pytest.mark.usefixtures("shop")
def test_a_page_tells_what_came_of_its_events_by_the_day() -> None:
    acme, globex = make_installation("acme"), make_installation("globex")
    make_days(acme, [1, 0, 5], name="Order Completed")
    make_days(globex, [2], name="Order Completed")
    make_days(globex, [7] + [0] * 30, name="signed_up")

    page = look(text="order")

    (volume,) = page.volumes.values()
    assert list(page.volumes) == [("Order Completed", 1)]
    assert (volume.by_day[-4:], volume.total) == ((0, 1, 0, 7), 8)
    assert len(volume.by_day) == 30
    assert volume.last_received_at is not None
    assert volume.last_received_at.date() == TODAY
    # What came a month ago is not among what came in thirty days.
    assert ("signed_up", 1) not in look().volumes


@pytest.mark.usefixtures("shop")
def test_only_what_came_to_installations_in_sight_is_told() -> None:
    mine, theirs = make_installation("mine"), make_installation("theirs")
    make_days(mine, [3], name="signed_up")
    make_days(theirs, [9], name="signed_up")

    with tenant_context([mine.tenant_id]):
        page = look("volume")
        rows = list(catalog_rows(CatalogFilter(), "volume", today=TODAY))

    assert page.volumes["signed_up", 1].total == 3
    assert rows[0].volume == 3


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("volume", ["signed_up", "Order Completed", "Order Cancelled", "order_history_opened"]),
        ("last_seen", ["Order Completed", "signed_up", "Order Cancelled", "order_history_opened"]),
        ("-last_seen", ["Order Cancelled", "order_history_opened", "signed_up", "Order Completed"]),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_came_most_or_last_comes_first(order: CatalogOrder, found: list[str]) -> None:
    installation = make_installation()
    make_days(installation, [100, 0, 0], name="signed_up")
    make_days(installation, [1, 1, 1], name="Order Completed")
    # Another version of a name is another event.
    make_days(installation, [500], name="order_history_opened", version=9)

    assert [event.name for event in look(order).events] == found
    assert [row.event.name for row in catalog_rows(CatalogFilter(), order, today=TODAY)] == found


def test_what_is_not_merged_yet_counts_too() -> None:
    make_published()
    installation = make_installation()
    ingest(installation, make_incoming(), make_incoming())
    add("another", make_event("unsent"))

    page = look("volume")
    row = next(iter(catalog_rows(CatalogFilter(), "volume", today=TODAY)))

    assert [event.name for event in page.events] == ["sigil.telemetry.workflow_step", "unsent"]
    assert page.volumes["sigil.telemetry.workflow_step", 1].total == row.volume == 2


@pytest.mark.parametrize("order", ["relevance", "volume"])
@pytest.mark.parametrize("events", [1, 40])
def test_a_page_of_a_large_catalog_takes_three_queries(
    events: int, order: CatalogOrder, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    add("shop", *(make_event(f"event_{number}") for number in range(events)))

    with django_assert_num_queries(3):
        page = look(order, text="event", tag=(), limit=5)

    assert page.total == events
