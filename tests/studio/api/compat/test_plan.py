"""Where names and values of other clients belong in a spec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.plan import event_name, place, slug
from telemetry.core.compiled import compile_config
from telemetry.core.resolution import resolve_config
from tests.core.builders import make_event, make_installation, make_spec
from tests.studio.api.compat.plans import make_plan


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        ("order-completed", "order_completed"),
        ("  ORDER  COMPLETED!", "order_completed"),
        ("$pageview", "pageview"),
        ("HTTPRequest2xx", "httprequest2xx"),
        ("été", "t"),
        ("", ""),
    ],
)
def test_a_slug_is_made_of_lower_case_words(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text())
def test_a_slug_is_its_own_slug(name: str) -> None:
    assert slug(slug(name)) == slug(name)


@pytest.mark.parametrize("name", ["Order Completed", "order_completed", "OrderCompleted", "order.completed"])
def test_an_event_is_found_by_its_name_or_its_slug(name: str) -> None:
    assert event_name(name, make_plan()) == "Order Completed"


def test_a_name_that_the_spec_has_is_never_taken_for_another() -> None:
    config = compile_config(
        resolve_config(
            make_spec(make_event("order_completed"), make_event("Order Completed")),
            installation=make_installation(),
            revision=1,
        )
    )

    assert event_name("order_completed", config) == "order_completed"
    assert event_name("Order Completed", config) == "Order Completed"
    # Two events could be meant: neither is.
    assert event_name("orderCompleted", config) == "orderCompleted"


def test_a_name_that_no_event_has_stays_as_it_is() -> None:
    assert event_name("Cart Viewed", make_plan()) == "Cart Viewed"
    assert event_name("!!!", make_plan()) == "!!!"


def test_what_a_library_added_is_kept_only_where_the_spec_declares_it() -> None:
    added = {"$current_url": "https://shop.example", "$browser": "Firefox", "$os": "Linux", "page": {"url": "/a"}}

    placed = place({"total": 1, "stray": 2}, added, make_plan().find("Order Completed", 2))

    assert placed.properties == {"total": 1, "stray": 2, "$current_url": "https://shop.example"}
    assert placed.metadata == {"$browser": "Firefox", "page.url": "/a"}
    assert placed.left_out == 1


def test_what_the_app_gave_wins_over_what_its_library_added() -> None:
    placed = place({"$current_url": "own"}, {"$current_url": "added"}, make_plan().find("$pageview", 1))

    assert placed.properties == {"$current_url": "own"}


def test_nothing_that_was_added_to_an_unknown_event_is_kept() -> None:
    placed = place({"total": 1}, {"$browser": "Firefox"}, None)

    assert placed == ({"total": 1}, {}, 1)
