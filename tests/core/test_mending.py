"""What a person says should have been sent becomes what is taken in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import convert_document
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Envelope
from telemetry.core.mending import Mending, described, mend, names_after
from tests.core.builders import make_context, make_envelope


def mending(*steps: dict[str, Any], **fields: Any) -> Mending:
    return convert_document({"steps": list(steps), **fields}, Mending, what="mending")


def mended(sent: dict[str, Any], *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return dict(mend(make_envelope(properties=sent), mending(*steps, **fields), declared=declared).properties)


def declared(name: str, version: int | None) -> tuple[frozenset[str], frozenset[str]] | None:
    return (frozenset({"step"}), frozenset({"page"})) if (name, version) == ("step", 2) else None


def step(kind: str, name: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"step": kind, **({} if name is None else {"property": name}), **fields}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("rename", "a", to="c")], {"b": 2, "c": 1}),
        ([step("rename", "a", to="b")], {"a": 1, "b": 2}),
        ([step("rename", "none", to="c")], {"a": 1, "b": 2}),
        ([step("drop", "a")], {"b": 2}),
        ([step("drop", "none")], {"a": 1, "b": 2}),
        ([step("drop", "b"), step("rename", "a", to="b")], {"b": 1}),
        ([step("cast", "a", type="string"), step("cast", "b", type="json")], {"a": "1", "b": 2}),
    ],
)
def test_steps_are_taken_in_their_order(steps: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert mended({"a": 1, "b": 2}, *steps) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("string", None, None),
        ("number", " 12 ", 12),
        ("number", "1.5", 1.5),
        ("number", "twelve", "twelve"),
        ("number", [1], [1]),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("boolean", "maybe", "maybe"),
        ("boolean", 2, 2),
        ("timestamp", 1_732_276_800, "2024-11-22T12:00:00+00:00"),
        ("timestamp", 1_732_276_800_000, "2024-11-22T12:00:00+00:00"),
        ("timestamp", "2024-11-22T12:00:00", "2024-11-22T12:00:00Z"),
        ("timestamp", "2024-11-22T12:00:00+01:00", "2024-11-22T12:00:00+01:00"),
        ("timestamp", "yesterday", "yesterday"),
        ("timestamp", 1e300, 1e300),
        ("timestamp", True, True),
    ],
)
def test_a_value_is_read_as_another_type_where_that_can_be(kind: str, value: Any, expected: Any) -> None:
    found = mended({"a": value}, step("cast", "a", type=kind))["a"]

    assert (found, type(found)) == (expected, type(expected))


def test_a_number_that_cannot_be_written_stays() -> None:
    assert mended({"a": 10**5000}, step("cast", "a", type="string")) == {"a": 10**5000}


def test_name_and_version_are_those_that_should_have_been_sent() -> None:
    found = mend(make_envelope("stpe"), mending(event="step", version=2), declared=declared)

    assert (found.name, found.version) == ("step", 2)


def test_what_the_contract_does_not_declare_is_dropped_from_event_and_context() -> None:
    sent = make_envelope(
        "stpe",
        properties={"step": "a", "alice@example.com": 1},
        context=make_context(metadata={"page": "/", "other": 1}),
    )
    wanted = mending(step("drop_undeclared"), event="step", version=2)

    found = mend(sent, wanted, declared=declared)

    assert (found.properties, found.context.metadata) == ({"step": "a"}, {"page": "/"})
    assert sent.properties == {"step": "a", "alice@example.com": 1}
    # Without a contract nobody knows what is declared.
    assert mend(sent, mending(step("drop_undeclared")), declared=declared).properties == sent.properties


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"steps": [{"step": "rename", "property": "a"}]}, "steps[0].to"),
        ({"steps": [{"step": "drop"}]}, "steps[0].property"),
        ({"steps": [{"step": "drop", "property": "a", "to": "b"}]}, "steps[0].to"),
        ({"steps": [{"step": "cast", "property": "a"}]}, "steps[0].type"),
        ({"steps": [{"step": "drop_undeclared", "property": "a"}]}, "steps[0].property"),
        ({"steps": [{"step": "made_up"}]}, "steps[0].step"),
        ({"version": 0}, "version"),
        ({"event": "9"}, "event"),
    ],
)
def test_a_mending_that_makes_no_sense_is_refused_with_its_place(document: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        convert_document(document, Mending, what="mending")

    assert [error.path for error in refused.value.errors] == [path]


def test_names_are_followed_through_every_step() -> None:
    wanted = mending(
        step("rename", "a", to="x"),
        step("rename", "x", to="y"),
        step("drop", "b"),
        step("cast", "c", type="number"),
    )

    assert names_after(["a", "b", "c"], wanted) == {"a": "y", "c": "c"}


def test_the_trace_says_what_was_changed() -> None:
    wanted = mending(
        step("rename", "a", to="b"),
        step("drop", "c"),
        step("cast", "d", type="number"),
        step("drop_undeclared"),
        event="step",
        version=2,
    )

    assert described(wanted) == [
        "name it step",
        "take it for version 2",
        "rename a to b",
        "drop c",
        "read d as number",
        "drop what is not declared",
    ]


@given(st.dictionaries(st.sampled_from("abcde"), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_no_value_is_too_much_for_any_step(values: dict[str, Any]) -> None:
    steps = [step("cast", name, type=kind) for name in values for kind in ("number", "timestamp", "boolean", "string")]

    found = mend(make_envelope(properties=values), mending(*steps), declared=declared)

    assert isinstance(found, Envelope)
    assert set(found.properties) == set(values)
