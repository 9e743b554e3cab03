"""JSON Patch: made, applied, moved, and refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.plain import to_plain
from telemetry.core.proposals.patch import PatchConflict, apply_patch, make_patch, rebase_patch
from tests.core.builders import make_event, make_spec

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.text("ab/~", max_size=2), values, max_size=4)


@given(documents, documents)
def test_what_is_made_of_two_documents_turns_the_one_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    untouched = repr(before)

    changed = apply_patch(before, make_patch(before, after))

    assert json.dumps(changed, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert repr(before) == untouched


@given(documents)
def test_equal_documents_need_no_operation(document: dict[str, Any]) -> None:
    assert make_patch(document, document) == []


def document_of(*names: str, days: int | None = None) -> dict[str, Any]:
    plain: Any = to_plain(make_spec(*(make_event(name) for name in names)))
    if days is not None:
        plain["events"][0]["retention"] = {"days": days}
    return dict(plain)


def test_a_change_of_an_event_says_first_which_event_it_is() -> None:
    patch = make_patch(document_of("step"), document_of("step", days=7))

    assert patch == [
        {"op": "test", "path": "/events/0/name", "value": "step"},
        {"op": "test", "path": "/events/0/version", "value": 1},
        {"op": "add", "path": "/events/0/retention", "value": {"days": 7}},
    ]


def test_a_patch_finds_its_event_where_others_were_added_before_it() -> None:
    patch = make_patch(document_of("step"), document_of("step", days=7))
    moved = document_of("first", "second", "step")

    changed = apply_patch(moved, rebase_patch(patch, moved))

    assert changed["events"][2]["retention"] == {"days": 7}
    assert "retention" not in changed["events"][0]


def test_a_patch_of_an_event_that_is_gone_is_refused() -> None:
    patch = make_patch(document_of("step"), document_of("step", days=7))

    with pytest.raises(PatchConflict) as refused:
        rebase_patch(patch, document_of("other"))

    assert "no event step with version 1" in refused.value.message


@pytest.mark.parametrize(
    ("operation", "path", "word"),
    [
        ({"op": "move", "path": "/a", "from": "/b"}, "patch[0].op", "must be"),
        ({"op": "replace", "path": "/a"}, "patch[0].value", "missing"),
        ({"op": "replace", "path": "a", "value": 1}, "patch[0].path", "Pointer"),
        ({"op": "replace", "path": "", "value": 1}, "patch[0].path", "inside"),
        ({"op": "replace", "path": "/b", "value": 1}, "patch[0].path", "does not have"),
        ({"op": "remove", "path": "/list/2"}, "patch[0].path", "not there"),
        ({"op": "add", "path": "/list/4", "value": 1}, "patch[0].path", "not there"),
        ({"op": "add", "path": "/list/-1", "value": 1}, "patch[0].path", "not there"),
        ({"op": "add", "path": "/a/b/c", "value": 1}, "patch[0].path", "does not have"),
        ({"op": "test", "path": "/a", "value": True}, "patch[0]", "made for"),
        ({"op": "test", "path": "/list/0", "value": "1"}, "patch[0]", "made for"),
        ({}, "patch[0].op", "must be"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_with_its_place(operation: dict[str, Any], path: str, word: str) -> None:
    document = {"a": 1, "list": [1, 2]}

    with pytest.raises(PatchConflict) as refused:
        apply_patch(document, [operation])

    [error] = refused.value.errors
    assert error.path == path
    assert word in error.message
    assert document == {"a": 1, "list": [1, 2]}


def test_lists_take_values_at_any_place_and_at_their_end() -> None:
    patch = [
        {"op": "add", "path": "/list/0", "value": "first"},
        {"op": "add", "path": "/list/-", "value": "last"},
        {"op": "replace", "path": "/list/1", "value": "second"},
    ]

    assert apply_patch({"list": ["x"]}, patch) == {"list": ["first", "second", "last"]}


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(PatchConflict):
        apply_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 1}] * 501)
