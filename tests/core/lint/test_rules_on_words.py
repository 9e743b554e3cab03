"""Where rules about texts, names and types begin and end to apply; that they do is shown by their pages."""

import pytest

from telemetry.core.spec import (
    Deprecation,
    EventDefinition,
    Semantics,
)
from tests.core.builders import make_event, make_property
from tests.core.lint.cases import places

# Meaning


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        *(
            (text, True)
            for text in ("TODO", "todo: ask", "[TBD]", "n/a", "N/A.", "?", "...", "--", "xxx", "Lorem ipsum dolor")
        ),
        *(
            (text, False)
            for text in ("To do lists are shown", "A test was run", "Nobody", "Description of the plan", "x")
        ),
    ],
)
def test_placeholders_are_told_from_sentences(text: str, is_found: bool) -> None:
    event = make_event(
        semantics=Semantics(what="What", who="Who", why=text), properties={"x": make_property(description=text)}
    )

    assert places("placeholder_text", event, description=text) == (
        ["meta.description", "events[0].semantics.why", "events[0].properties.x.description"] * is_found
    )


# Naming


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        *((name, False) for name in ("step", "sigil.step", "sigil.workflow_step", "area2.step_1", "a.b.c")),
        *(
            (name, True)
            for name in ("Step", "sigil.workflowStep", "order placed", "$pageview", "a..b", "a_", "_a", "a__b")
        ),
        *((name, True) for name in ("a.1b", "a-b", "a:b", "a.")),
    ],
)
def test_event_names_are_snake_case_words_joined_by_dots(name: str, is_found: bool) -> None:
    assert places("event_name_grammar", make_event(name)) == ["events[0].name"] * is_found


@pytest.mark.parametrize(
    ("domain", "name", "is_found"),
    [
        ("sigil", "sigil.step", False),
        ("sigil", "sigilo.step", True),
        ("sigil", "step", True),
        ("Growth Team", "growth_team.step", False),
        ("growth-team", "growth.step", True),
        ("", "step", False),
        ("Prüfung", "step", False),
        # Reported by the grammar already.
        ("sigil", "Order Placed", False),
    ],
)
def test_event_names_begin_with_the_domain_where_it_can_be_part_of_one(domain: str, name: str, is_found: bool) -> None:
    assert places("event_name_prefix", make_event(name), domain=domain) == ["events[0].name"] * is_found


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        *((name, True) for name in ("order_v2", "order.v1", "order_version_3", "order-ver2", "Order v2")),
        *((name, False) for name in ("order_2", "ipv4", "dev2", "v2.order", "order_value")),
    ],
)
def test_a_version_at_the_end_of_a_name_is_told(name: str, is_found: bool) -> None:
    assert places("event_name_has_version", make_event(name)) == ["events[0].name"] * is_found


def test_the_usual_notation_is_that_of_most_properties_and_camel_case_in_doubt() -> None:
    def event(*names: str) -> EventDefinition:
        return make_event(properties={name: make_property() for name in names})

    assert places("property_name_style", event("a_b", "c_d", "eF", "one")) == ["events[0].properties.eF"]
    assert places("property_name_style", event("a_b", "cD", "one")) == ["events[0].properties.a_b"]
    assert places("property_name_style", event("Product Id", "$ip")) == [
        'events[0].properties["Product Id"]',
        "events[0].properties.$ip",
    ]


def test_tags_are_compared_throughout_the_spec() -> None:
    events = make_event("a", tags=("high-volume", "beta")), make_event("b", tags=("high_volume", "Beta", "beta"))

    assert places("tag_spelling", *events, tags=("BETA",)) == [
        "events[0].tags[1]",
        "events[1].tags[0]",
        "events[1].tags[1]",
        "events[1].tags[2]",
    ]


# Likeness


def test_a_deprecated_event_may_be_like_its_successor_and_versions_are_one_event() -> None:
    old = make_event("orders_placed", deprecation=Deprecation(reason="Renamed", replaced_by="order_placed"))
    new = make_event("order_placed"), make_event("order_placed", version=2)

    assert places("near_duplicate_event", old, *new) == []
    assert places("near_duplicate_event", make_event("orders_placed"), *new) == ["events[1].name", "events[2].name"]


def test_a_property_that_is_one_letter_away_matters_when_the_type_differs() -> None:
    def events(type_: str) -> tuple[EventDefinition, ...]:
        return (
            make_event("a", properties={"basket": make_property()}),
            make_event("b", properties={"baskets": make_property(type_)}),
        )

    assert places("near_duplicate_property", *events("string")) == []
    assert places("near_duplicate_property", *events("number")) == ["events[1].properties.baskets"]


def test_types_may_differ_between_versions_of_an_event_but_not_between_events() -> None:
    text, number = {"total": make_property()}, {"total": make_property("number")}
    versions = make_event("a", properties=text), make_event("a", version=2, properties=number)

    assert places("property_type_conflict", *versions) == []
    assert places("property_type_conflict", *versions, make_event("b", properties=number)) == [
        "events[2].properties.total.type"
    ]


# Properties


@pytest.mark.parametrize(("count", "is_found"), [(50, False), (51, True)])
def test_fifty_properties_are_enough(count: int, is_found: bool) -> None:
    event = make_event(properties={f"p{index}": make_property() for index in range(count)})

    assert places("too_many_properties", event) == ["events[0].properties"] * is_found


def test_a_blank_unit_is_none_and_other_types_need_none() -> None:
    properties = {
        "delay": make_property("number", unit=" "),
        "wait": make_property("number", unit="s"),
        "duration": make_property("json"),
    }

    assert places("unit_missing", make_event(properties=properties)) == ["events[0].properties.delay"]


def test_types_are_doubted_by_the_first_and_last_word() -> None:
    names = ("startedAt", "at", "unix_timestamp", "isNew", "is", "hasCoupon", "island", "format", "lookAtMe")
    properties = {name: make_property() for name in names} | {"wasSent": make_property("boolean")}
    event = make_event(properties=properties)

    path = "events[0].properties.{}.type"
    assert places("instant_of_other_type", event) == [path.format(name) for name in ("startedAt", "unix_timestamp")]
    assert places("truth_of_other_type", event) == [path.format(name) for name in ("isNew", "hasCoupon")]
