"""What is claimed to be certain about a condition is so, whatever event comes."""

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from telemetry.core.conditions import compile_condition
from telemetry.core.enums import PropertyType
from telemetry.core.events import Context
from telemetry.core.lint.certainty import Variable, always_holds, never_holds
from telemetry.core.lint.formula import Comparison, Constant, Junction, Negation, Opaque, Presence, read_formula
from tests.core.builders import make_property

PLANS = ("free", "pro")
PROPERTIES = {
    "count": make_property("number"),
    "total": make_property("number", required=True),
    "plan": make_property(required=True, allowed_values=PLANS),
    "stars": make_property("number", required=True, allowed_values=(1.0, 2.0)),
    "kind": make_property(),
    "isNew": make_property("boolean", required=True),
    "isGift": make_property("boolean"),
    "cart": make_property("json"),
    "at": make_property("timestamp"),
    "Product Id": make_property(required=True),
}
VARIABLES = {
    f"properties.{name}": Variable(
        each.type,
        each.required,
        tuple(("text" if isinstance(value, str) else "number", value) for value in each.allowed_values),
    )
    for name, each in PROPERTIES.items()
} | {"context.channel": Variable(PropertyType.STRING)}
TYPES = {name: variable.type for name, variable in VARIABLES.items()}


def certain(condition: str) -> str:
    """``never``, ``always`` or nothing."""
    formula = read_formula(condition, TYPES)
    assert not (never_holds(formula, VARIABLES) and always_holds(formula, VARIABLES))
    return "never" * never_holds(formula, VARIABLES) + "always" * always_holds(formula, VARIABLES)


@pytest.mark.parametrize(
    "condition",
    [
        "properties.count > 5 && properties.count < 3",
        "properties.count >= 5 && properties.count < 5",
        "properties.count > 5 && !(properties.count > 4)",
        "properties.count == 5 && properties.count != 5",
        "properties.count == 5 && properties.count in [1, 2, 3]",
        "5 < properties.count && properties.count <= 5.0",
        "properties.count == -1 && properties.count > 0",
        'properties.kind == "a" && properties.kind == "b"',
        'properties.kind == "a" && properties.kind in ["b", \'c\']',
        'properties.kind == "a" && !has(properties.kind)',
        "has(properties.kind) && !has(properties.kind)",
        "!has(properties.total)",
        "properties.isNew && !properties.isNew",
        "properties.isGift != true && properties.isGift != false",
        'properties.plan == "gold"',
        "properties.stars > 2",
        'context.channel == "web" && context.channel == "app"',
        '(properties.kind == "a" || properties.kind == "b") && properties.kind == "c"',
        "properties.cart.total > 5 && properties.cart.total < 3",
        "properties.`Product Id` == 'a' && properties.`Product Id` == 'b'",
        "properties.kind.size() > 3 && !(properties.kind.size() > 3)",
        "1 > 2",
        "properties.total > 1 && size('abc') == 2",
        "1 / 0 > 2",
        "properties.count in []",
        "properties.count > 5 // a comment\n && properties.count < 3",
        "false",
    ],
)
def test_conditions_that_no_event_meets_are_told(condition: str) -> None:
    assert compile_condition(condition, PROPERTIES, {})
    assert certain(condition) == "never"


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "2 > 1",
        "properties.total > 5 || properties.total <= 5",
        "properties.total != 5 || properties.total == 5",
        'properties.plan in ["free", "pro", "team"]',
        "properties.plan != 'gold'",
        "properties.stars <= 2",
        "properties.isNew == true || !properties.isNew",
        "has(properties.kind) || !has(properties.kind)",
        "has(properties.total)",
        "true || properties.count > 5",
        "!(properties.stars > 2 && properties.stars < 1)",
    ],
)
def test_conditions_that_every_event_meets_are_told(condition: str) -> None:
    assert compile_condition(condition, PROPERTIES, {})
    assert certain(condition) == "always"


@pytest.mark.parametrize(
    "condition",
    [
        # Without a value, no comparison holds.
        "properties.count > 5 || properties.count <= 5",
        "properties.isGift || !properties.isGift",
        "properties.kind != 'a'",
        "properties.count != 5 && properties.count != 6",
        "properties.count >= 5 && properties.count <= 5",
        "properties.cart.total > 5 || properties.cart.total <= 5",
        'properties.kind > "b" && properties.kind < "a"',
        r'properties.kind == "\u0061" && properties.kind == "a"',
        'properties.kind == "a" || properties.kind == "b"',
        "properties.isNew ? properties.count > 5 : properties.count < 3",
        "properties.count > properties.total && properties.count < 3",
        "properties.count + 1 > 5 && properties.count < 3",
        'properties.kind == "a && false"',
        "properties.cart.exists(x, x == 1)",
        "properties.at > timestamp('2026-01-01T00:00:00Z')",
        "properties.count > 0x10 && properties.count < 3",
        'properties.kind == """a""" && properties.kind == "a"',
    ],
)
def test_nothing_is_claimed_about_the_others(condition: str) -> None:
    assert compile_condition(condition, PROPERTIES, {})
    assert certain(condition) == ""


def test_conditions_are_read_with_their_precedence() -> None:
    kind = Comparison("properties.kind", "in", (("text", "a"),))

    assert read_formula('properties.kind == "a" || true && !has(properties.kind)', TYPES) == Junction(
        "||", (kind, Junction("&&", (Constant(True), Negation(Presence("properties.kind")))))
    )
    assert read_formula('!(properties.kind != "a")', TYPES) == Negation(Negation(kind))
    assert read_formula("3 <= properties.count", TYPES) == Comparison("properties.count", ">=", (("number", 3.0),))
    assert read_formula("properties.kind.size() > 2", TYPES) == Opaque("properties . kind . size ( ) > 2")


def test_too_many_alternatives_are_not_looked_at() -> None:
    either = " && ".join(f'(properties.kind == "{index}" || properties.kind == "x")' for index in range(20))

    assert certain(f"{either} && properties.kind == 'y'") == ""


ATOMS = (
    *("properties.count > 1", "properties.count <= 1", "2 >= properties.count", "properties.total == 2"),
    *("properties.total in [1, 2.0]", "properties.total < -1", 'properties.plan == "free"', "properties.plan != 'pro'"),
    *('properties.plan == "gold"', 'properties.kind in ["a", "b"]', 'properties.kind == "a"', "properties.stars > 1"),
    *("properties.stars == 3", "properties.isNew", "properties.isGift", "properties.isGift == false"),
    *("has(properties.kind)", "has(properties.total)", "has(properties.cart)", "properties.cart == 1"),
    *("properties.cart.total > 1", "properties.cart.total == 'a'", "properties.cart == true", "true", "false", "1 > 2"),
    *("1 / 0 == 1", 'context.channel == "web"', "size(properties.kind) > 1", "properties.count / 0 > 1"),
)
SIGNED = st.tuples(st.sampled_from(("{}", "!({})")), st.sampled_from(ATOMS)).map(lambda pair: pair[0].format(pair[1]))
CLAUSES = st.tuples(st.sampled_from((" && ", " || ")), st.lists(SIGNED, min_size=2, max_size=5)).map(
    lambda pair: f"({pair[0].join(pair[1])})"
)
CONDITIONS = st.one_of(
    CLAUSES,
    st.tuples(st.sampled_from(("{} && {}", "{} || {}", "!({} && {})", "!({} || {})")), CLAUSES, CLAUSES).map(
        lambda parts: parts[0].format(*parts[1:])
    ),
    st.tuples(SIGNED, CLAUSES, CLAUSES).map(lambda parts: "{} ? {} : {}".format(*parts)),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "total": st.sampled_from((-2, 1, 2, 2.5)),
    "plan": st.sampled_from(PLANS),
    "stars": st.sampled_from((1, 2.0)),
    "isNew": st.booleans(),
    "Product Id": st.just("p"),
}
OPTIONAL_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "count": st.sampled_from((0, 1, 1.5, 2, 3)),
    "kind": st.sampled_from(("a", "b", "", "long")),
    "isGift": st.booleans(),
    "cart": st.sampled_from((None, 1, True, "a", [], {}, {"total": 2}, {"total": "a"})),
}
EVENTS = st.lists(st.fixed_dictionaries(VALUES, optional=OPTIONAL_VALUES), min_size=8, max_size=8)


@settings(max_examples=300)
@given(CONDITIONS, EVENTS, st.sampled_from((None, "web", "app")))
def test_no_event_disagrees_with_what_is_certain(text: str, events: list[dict[str, Any]], channel: str | None) -> None:
    condition = compile_condition(text, PROPERTIES, {})
    answers = {condition.holds(properties, Context(channel=channel)) for properties in events}

    claim = certain(text)

    event(claim or "open")
    if claim:
        assert answers == {claim == "always"}
