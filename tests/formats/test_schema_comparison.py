"""Comparing two schemas of one event: each change has the class of its rule, and no breaking one is missed."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from telemetry.core.enums import ChangeClass
from telemetry.formats.json_schema import SCHEMA_RULES, EventSchema, VersionPart, compare_schemas, read_schema
from tests.core import strategies  # noqa: F401 - sets how many examples there are
from tests.formats.schemas import IGLU, make_schema, with_value

Case = tuple[str, EventSchema, EventSchema, str]
A: dict[str, Any] = {"a": {"type": "string"}}
TEXT = {"type": "string"}
CLOSED, OPEN = make_schema(additionalProperties=False), make_schema(additionalProperties=True)


def number(**keywords: Any) -> EventSchema:
    """A number with these keywords."""
    return with_value(type="number", **keywords)


def integer(**keywords: Any) -> EventSchema:
    """A whole number with these keywords."""
    return with_value(type="integer", **keywords)


def values(**keywords: Any) -> EventSchema:
    """A list of values with these keywords."""
    return with_value(type="array", items=keywords)


# Rule, before, after, and the path of the only change.
CASES: list[Case] = [
    # Types
    ("type_removed", with_value(type=["string", "integer"]), with_value(type="string"), "value.type"),
    ("type_removed", number(), integer(), "value.type"),
    ("type_removed", with_value(), with_value(type="string"), "value.type"),
    ("type_removed", values(type=["string", "boolean"]), values(type="string"), "value[].type"),
    ("type_added", with_value(type="string"), with_value(type=["string", "integer"]), "value.type"),
    ("type_added", integer(), number(), "value.type"),
    (
        "stored_type_changed",
        integer(minimum=0, maximum=32767),
        integer(minimum=0, maximum=32768),
        "value.type",
    ),
    ("null_removed", with_value(type=["string", "null"]), with_value(type="string"), "value.type"),
    ("null_added", with_value(type="string"), with_value(type=["null", "string"]), "value.type"),
    ("null_added", with_value(enum=["a"]), with_value(enum=["a", None]), "value.type"),
    # Properties
    ("required_property_added", make_schema(), make_schema(properties=A, required=["a"]), "a"),
    ("became_required", make_schema(properties=A), make_schema(properties=A, required=["a"]), "a"),
    ("became_required", make_schema(), make_schema(required=["undeclared"]), "undeclared"),
    ("required_property_removed", make_schema(properties=A, required=["a"]), make_schema(), "a"),
    (
        "closed_property_removed",
        make_schema(properties=A, additionalProperties=False),
        CLOSED,
        "a",
    ),
    ("optional_property_added", make_schema(), make_schema(properties=A), "a"),
    ("optional_property_removed", make_schema(properties=A), make_schema(), "a"),
    ("became_optional", make_schema(properties=A, required=["a"]), make_schema(properties=A), "a"),
    # Objects
    ("object_closed", make_schema(), CLOSED, "additionalProperties"),
    ("object_closed", make_schema(), make_schema(additionalProperties=TEXT), "additionalProperties"),
    ("object_opened", CLOSED, make_schema(), "additionalProperties"),
    (
        "object_opened",
        make_schema(additionalProperties=False),
        make_schema(additionalProperties=TEXT),
        "additionalProperties",
    ),
    (
        "object_opened",
        make_schema(additionalProperties=TEXT),
        make_schema(additionalProperties=True),
        "additionalProperties",
    ),
    # Values
    ("values_narrowed", with_value(**TEXT), with_value(**TEXT, format="email"), "value.format"),
    ("values_narrowed", with_value(**TEXT, format="email"), with_value(**TEXT, format="hostname"), "value.format"),
    ("values_narrowed", with_value(**TEXT), with_value(**TEXT, pattern="^a"), "value.pattern"),
    ("values_narrowed", with_value(**TEXT), with_value(**TEXT, minLength=1), "value.minLength"),
    ("values_narrowed", with_value(**TEXT, maxLength=9), with_value(**TEXT, maxLength=8), "value.maxLength"),
    ("values_narrowed", with_value(**TEXT, enum=["a", "b"]), with_value(**TEXT, enum=["b", "c"]), "value.enum"),
    ("values_narrowed", with_value(**TEXT), with_value(**TEXT, enum=["b"]), "value.enum"),
    ("values_narrowed", number(), number(minimum=0), "value.minimum"),
    ("values_narrowed", number(maximum=9), number(maximum=8.5), "value.maximum"),
    (
        "values_narrowed",
        number(),
        number(exclusiveMinimum=0),
        "value.exclusiveMinimum",
    ),
    (
        "values_narrowed",
        number(maximum=1),
        number(maximum=1, exclusiveMaximum=True),
        "value.exclusiveMaximum",
    ),
    ("values_narrowed", number(), number(multipleOf=0.1), "value.multipleOf"),
    (
        "values_narrowed",
        number(multipleOf=2),
        number(multipleOf=3),
        "value.multipleOf",
    ),
    ("values_narrowed", with_value(type="array"), with_value(type="array", maxItems=3), "value.maxItems"),
    ("values_narrowed", with_value(type="array"), with_value(type="array", minItems=1), "value.minItems"),
    ("values_narrowed", with_value(type="array"), with_value(type="array", uniqueItems=True), "value.uniqueItems"),
    ("values_narrowed", make_schema(), make_schema(minProperties=1), "minProperties"),
    ("values_narrowed", make_schema(maxProperties=3), make_schema(maxProperties=2), "maxProperties"),
    ("values_narrowed", make_schema(properties={"a": True}), make_schema(properties={"a": False}), "a"),
    ("values_widened", with_value(**TEXT, format="email"), with_value(**TEXT), "value.format"),
    ("values_widened", with_value(**TEXT, enum=["a"]), with_value(**TEXT, enum=["b", "a"]), "value.enum"),
    ("values_widened", with_value(**TEXT, maxLength=8), with_value(**TEXT), "value.maxLength"),
    (
        "values_widened",
        number(multipleOf=0.3),
        number(multipleOf=0.1),
        "value.multipleOf",
    ),
    ("values_widened", number(minimum=1), number(minimum=0), "value.minimum"),
    ("values_widened", make_schema(properties={"a": False}), make_schema(properties={"a": True}), "a"),
    ("restated", with_value(**TEXT, enum=["a", "b"]), with_value(**TEXT, enum=["b", "a"]), "value.enum"),
    ("restated", with_value(**TEXT), with_value(**TEXT, minLength=0), "value.minLength"),
    ("restated", with_value(**TEXT, format="ipv4"), with_value(**TEXT, format="ipv4", maxLength=15), "value.maxLength"),
    ("unknown_keyword_changed", make_schema(), make_schema(oneOf=[{"required": ["a"]}]), "oneOf"),
    ("unknown_keyword_changed", make_schema(), make_schema(patternProperties={"^a": TEXT}), "patternProperties"),
    ("unknown_keyword_changed", with_value(type="array", items=[TEXT]), with_value(type="array", items=[]), "value[]"),
    # The rest
    ("wording_changed", with_value(**TEXT), with_value(**TEXT, description="New"), "value.description"),
    ("wording_changed", make_schema(), make_schema(_supersedes=["1-0-0"]), "$supersedes"),
]


@pytest.mark.parametrize(("rule", "before", "after", "path"), CASES, ids=[f"{case[0]}-{case[3]}" for case in CASES])
def test_a_change_has_the_class_of_its_rule(rule: str, before: EventSchema, after: EventSchema, path: str) -> None:
    found = [change for change in compare_schemas(before, after).changes if change.rule == rule]

    [change] = found
    assert change.path == path
    assert (change.severity, change.part) == (SCHEMA_RULES[rule].severity, SCHEMA_RULES[rule].part)


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(SCHEMA_RULES)


def rules(before: EventSchema, after: EventSchema) -> list[str]:
    return [change.rule for change in compare_schemas(before, after).changes]


# Facts that take more than one keyword


def test_a_format_that_is_a_stored_type_of_its_own_is_part_of_the_type() -> None:
    assert rules(with_value(**TEXT, format="date-time"), with_value(**TEXT)) == [
        "stored_type_changed",
        "values_widened",
    ]
    assert rules(with_value(**TEXT), with_value(**TEXT, format="date")) == ["stored_type_changed", "values_narrowed"]
    assert rules(with_value(**TEXT, format="email"), with_value(**TEXT)) == ["values_widened"]


def test_a_whole_number_that_outgrows_its_column_changes_the_stored_type() -> None:
    small = with_value(type=["integer", "null"], minimum=-5, maximum=100)
    medium = with_value(type=["integer", "null"], minimum=-5, maximum=100_000)
    unbounded = with_value(type=["integer", "null"], maximum=100)

    assert rules(small, medium) == ["stored_type_changed", "values_widened"]
    assert rules(small, unbounded) == ["stored_type_changed", "values_widened"]
    assert rules(integer(minimum=0, maximum=9), integer(minimum=0, maximum=99)) == ["values_widened"]
    # The column is wide enough for the old values and the new ones.
    assert rules(medium, small) == ["values_narrowed"]


def test_a_length_that_the_format_held_already_refuses_nothing_more() -> None:
    address = with_value(**TEXT, format="ipv4")

    assert rules(address, with_value(**TEXT, maxLength=45)) == ["values_widened", "values_widened"]
    assert rules(address, with_value(**TEXT, maxLength=12)) == ["values_widened", "values_narrowed"]


def test_changes_inside_objects_and_lists_are_found() -> None:
    before = make_schema(properties={"a": {"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}})
    after = make_schema(
        properties={"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "boolean"}}}}}
    )

    found = [(change.path, change.rule) for change in compare_schemas(before, after).changes]

    assert found == [("a[].b.type", "type_removed"), ("a[].b.type", "type_added")]


def test_a_schema_for_undeclared_properties_judges_those_that_come_under_it_or_leave_it() -> None:
    texts = make_schema(additionalProperties=TEXT)
    number_of_texts = make_schema(additionalProperties=TEXT, properties={"a": {"type": "number"}})
    text_of_texts = make_schema(additionalProperties=TEXT, properties=A)

    assert rules(texts, number_of_texts) == ["optional_property_added", "type_removed", "type_added"]
    assert rules(number_of_texts, texts) == ["optional_property_removed", "type_removed", "type_added"]
    assert rules(texts, text_of_texts) == ["optional_property_added"]
    assert rules(text_of_texts, texts) == ["optional_property_removed"]


def test_the_verdict_is_that_of_the_worst_change() -> None:
    before = make_schema(properties=A, description="Old")
    after = make_schema(properties={"a": {"type": ["string", "null"], "maxLength": 5}}, description="New")

    comparison = compare_schemas(before, after)

    assert [change.rule for change in comparison.changes] == ["wording_changed", "null_added", "values_narrowed"]
    assert (comparison.severity, comparison.part) == (ChangeClass.BREAKING, VersionPart.REVISION)


def test_nothing_changed_is_an_addition() -> None:
    comparison = compare_schemas(make_schema(), make_schema(self={"vendor": "a", "name": "b", "version": "1-0-1"}))

    assert (comparison.changes, comparison.severity, comparison.part) == ((), ChangeClass.SAFE, VersionPart.ADDITION)


def test_a_raised_part_never_contradicts_the_class() -> None:
    assert all(
        (rule.severity is ChangeClass.BREAKING) is (rule.part is not VersionPart.ADDITION)
        for rule in SCHEMA_RULES.values()
    )
    assert [part.rank for part in (VersionPart.ADDITION, VersionPart.REVISION, VersionPart.MODEL)] == [0, 1, 2]


def test_messages_are_cut() -> None:
    [change] = compare_schemas(with_value(), with_value(description="a" * 1000)).changes

    assert re.fullmatch(r'nothing became "a{79}\.\.\.', change.message)


# Nothing that breaks senders is missed


SCALARS: list[Any] = [
    *("", "a", "ab", "abc", "abcd", "1.2.3.4", "2026-11-22"),
    *(-3, -2, -1, 0, 1, 2, 3, 0.5, 2.5),
    *(True, False, None),
]


def keywords(kind: str, depth: int) -> dict[str, st.SearchStrategy[Any]]:
    """What a schema of this type may say, in keywords that every validator knows."""
    numbers = {
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "exclusiveMinimum": st.integers(-2, 2),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
    }
    inner = st.booleans() | nodes(depth - 1) if depth else st.booleans()
    known: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "string": {
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 3),
            "format": st.sampled_from(["ipv4", "date"]),
            "pattern": st.sampled_from(["a", "b"]),
        },
        "integer": numbers,
        "number": numbers,
        "array": {
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "items": inner,
        },
        "object": {
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 2),
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": inner,
        },
    }
    values = st.lists(st.sampled_from(SCALARS), min_size=1, max_size=4)
    return {**known.get(kind, {}), "enum": values, "type": st.sampled_from([kind, [kind, "null"], [kind, "boolean"]])}


@st.composite
def nodes(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    """A schema of one type, mostly."""
    kind = draw(st.sampled_from(["string", "integer", "number", "boolean", *(["object", "array"] if depth else [])]))
    known = keywords(kind, depth)
    chosen = draw(st.sets(st.sampled_from(sorted(known)), max_size=3))
    return {"type": kind, **{keyword: draw(known[keyword]) for keyword in sorted(chosen)}}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[EventSchema, EventSchema]:
    """Two schemas whose property ``a``, or themselves, differ in a keyword or two."""
    kind = draw(st.sampled_from(["string", "integer", "number", "array", "object"]))
    known = keywords(kind, 2)
    said = draw(st.sets(st.sampled_from(sorted(known)), min_size=1, max_size=3))
    before = {"type": kind, **{keyword: draw(known[keyword]) for keyword in sorted(said)}}
    changed = draw(st.sets(st.sampled_from(sorted(said)), min_size=1, max_size=2))
    after = {**before, **{keyword: draw(known[keyword]) for keyword in sorted(changed)}}
    for keyword in draw(st.sets(st.sampled_from(sorted(said)), max_size=1)):
        del draw(st.sampled_from((before, after)))[keyword]
    if kind == "object" and draw(st.booleans()):
        return make_schema(**{**before, "type": "object"}), make_schema(**{**after, "type": "object"})
    return make_schema(properties={"a": before}), make_schema(properties={"a": after})


VALUES: list[Any] = [
    *SCALARS,
    *([], [1], [1, 1], [1, 2], ["a"], ["a", "a", "a"], [None], [[]], [{}], [0.5]),
    *({}, {"a": 1}, {"b": "a"}, {"a": 1, "b": 2}, {"a": None, "b": None, "c": None}, {"c": {}}, {"d": []}),
]
# Each value by itself and beside another, which is what objects, their bounds and their required names look at.
EVENTS: list[Any] = [{}, *({"a": value} for value in VALUES), *({"a": value, "b": "a", "c": 1} for value in VALUES)]


def validator(schema: EventSchema) -> Draft7Validator:
    return Draft7Validator(plain(schema.root), format_checker=FormatChecker())


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


@given(pairs())
def test_what_the_old_schema_takes_is_taken_by_the_new_one_unless_the_verdict_is_breaking(
    pair: tuple[EventSchema, EventSchema],
) -> None:
    before, after = pair

    # A property that was added narrows what an open object took under its name: apps do not send what is not planned.
    comparison = compare_schemas(before, after)
    added = {change.path for change in comparison.changes if change.rule == "optional_property_added"}

    if comparison.severity is not ChangeClass.BREAKING and not added:
        old, new = validator(before), validator(after)
        assert [event for event in EVENTS if old.is_valid(event) and not new.is_valid(event)] == []


@given(pairs())
def test_a_schema_does_not_differ_from_itself(pair: tuple[EventSchema, EventSchema]) -> None:
    assert compare_schemas(pair[0], pair[0]).changes == ()


@pytest.mark.skipif(not IGLU.is_dir(), reason="there are no schemas beside the checkout")
def test_real_schemas_are_understood_but_for_one_keyword() -> None:
    schemas = [read_schema(path.read_bytes()) for path in sorted(IGLU.glob("*/*/jsonschema/*"))]

    found = [change for before in schemas for after in schemas for change in compare_schemas(before, after).changes]

    assert {change.path for change in found if change.rule == "unknown_keyword_changed"} <= {"patternProperties"}
