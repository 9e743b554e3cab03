"""Reading what an app passes as context."""

from typing import Any
from uuid import UUID

import pytest

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Context, Violation
from telemetry.sdk.contexts import read_context, usual_context


def test_no_context_is_an_empty_one() -> None:
    assert read_context(None) == (Context(), ())


def test_a_context_passes_as_it_is() -> None:
    context = Context(user_id="user-123", metadata={"plan": "pro"})

    assert read_context(context)[0] is context


@pytest.mark.parametrize(
    "given",
    [
        {"userId": "user-123", "tenantId": "acme", "metadata": {"plan": "pro"}},
        {"user_id": "user-123", "tenant_id": "acme", "metadata": {"plan": "pro"}},
    ],
)
def test_a_mapping_may_spell_its_keys_either_way(given: dict[str, Any]) -> None:
    expected = Context(user_id="user-123", tenant_id="acme", metadata={"plan": "pro"})

    assert read_context(given) == (expected, ())


@pytest.mark.parametrize("wrap", [lambda fields: fields, lambda fields: Context(**fields)], ids=["mapping", "context"])
def test_numbers_and_uuids_become_text(wrap: Any) -> None:
    given = wrap({"user_id": 42, "session_id": UUID(int=7)})

    context, violations = read_context(given)

    assert context == Context(user_id="42", session_id="00000000-0000-0000-0000-000000000007")
    assert violations == ()


def test_what_is_no_text_is_left_out_and_reported_without_its_value() -> None:
    context, violations = read_context({"userId": ["alice@example.com"], "sessionId": True, "channel": "web"})

    assert context == Context(channel="web")
    message = "must be text, a whole number or a UUID"
    assert violations == (
        Violation(code=ViolationCode.WRONG_TYPE, path="context.userId", message=message),
        Violation(code=ViolationCode.WRONG_TYPE, path="context.sessionId", message=message),
    )


def test_metadata_that_is_no_mapping_is_left_out_and_reported() -> None:
    context, violations = read_context({"metadata": "alice@example.com"})

    assert context == Context()
    assert violations == (
        Violation(code=ViolationCode.WRONG_TYPE, path="context.metadata", message="must be a mapping"),
    )


@pytest.mark.parametrize("key", ["alice@example.com", "userid", 7, None])
def test_an_unknown_key_is_left_out_and_reported_without_its_name(key: Any) -> None:
    context, violations = read_context({key: "alice@example.com", "user_id": "user-123"})

    assert context == Context(user_id="user-123")
    assert violations == (
        Violation(code=ViolationCode.UNDECLARED_CONTEXT, path="context", message="has a key it does not know"),
    )


def test_a_context_of_another_type_counts_as_none_and_is_reported() -> None:
    context, violations = read_context("alice@example.com")

    assert context == Context()
    assert [violation.path for violation in violations] == ["context"]


def test_keys_that_are_none_are_absent() -> None:
    assert read_context({"userId": None, "metadata": None}) == (Context(), ())


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"userId": "user-1"},
        {"user_id": "user-1", "channel": "web"},
        {"userId": "first", "user_id": "second"},
        Context(user_id="user-1"),
    ],
)
def test_usual_contexts_are_read_quickly_to_the_same(given: Any) -> None:
    for _ in range(2):
        assert usual_context(given) == read_context(given)[0]


@pytest.mark.parametrize(
    "given",
    [
        {"userId": 7},
        {"userId": True},
        {"userId": None},
        {"userId": ["a"]},
        {"nope": "a"},
        {"metadata": {"a": 1}},
        {"metadata": "a"},
        {7: "a"},
        [("userId", "a")],
        "user-1",
        type("Mine", (dict,), {})(userId="user-1"),
        {"userId": type("Mine", (str,), {"__hash__": None})("user-1")},
    ],
)
def test_all_other_contexts_are_left_to_the_long_way(given: Any) -> None:
    # What equals it, but is of plain text, was there before.
    usual_context({"userId": "7"})

    assert usual_context(given) is None
