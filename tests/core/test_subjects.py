"""Events about a person are found by pseudonyms, and by the id as a value or inside a text."""

import json
from typing import Any

import pytest

from telemetry.core.events import PseudonymKey
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.core.subjects import SubjectMatcher

PROBE = pseudonymiser_for(PseudonymKey(epoch=3, secret=b"a secret of the tests, 32 bytes.."))


def matcher(*ids: str) -> SubjectMatcher:
    return SubjectMatcher([PROBE.pseudonym(text) for text in ids], PROBE)


@pytest.mark.parametrize(
    "value",
    [
        "user-184223",
        PROBE.pseudonym("user-184223"),
        f"the one whom you call {PROBE.pseudonym('user-184223')}",
        "user-184223 asked for a refund",
        {"user-184223": True},
        {"notes": [{"text": "refund (user-184223)"}]},
        "https://example.com/users/user-184223/orders?page=2",
        "a%20note%20about%20user-184223",
        "x " * 2_000 + "user-184223",
    ],
)
def test_a_value_that_is_or_mentions_the_person_is_about_them(value: Any) -> None:
    found = matcher("user-184223")

    assert found.holds_id(value)
    assert found.is_about("{}", json.dumps({"value": value}))


@pytest.mark.parametrize(
    "value",
    [
        "user-1842231",
        "superuser-184223",
        "user 184223",
        "USER-184223",
        PROBE.pseudonym("user-184224"),
        184223,
        None,
        "",
    ],
)
def test_a_value_of_somebody_else_is_not_about_the_person(value: Any) -> None:
    assert not matcher("user-184223").holds_id(value)


def test_a_short_id_is_found_as_a_value_and_not_inside_a_text() -> None:
    found = matcher("42")

    assert (found.holds_id(42), found.holds_id("42"), found.holds_id("42 items")) == (True, True, False)


@pytest.mark.parametrize("value", ["ANNA@Example.com", "From: Anna@example.com", "anna@example.com"])
def test_an_address_is_found_in_capitals_too(value: str) -> None:
    assert matcher("anna@example.com").holds_id(value)


def test_a_text_of_any_length_that_is_no_id_is_looked_through_and_not_remembered() -> None:
    found = matcher("user-184223")

    assert not found.holds_id("x" * 100_000)
    assert found._is_id.cache_info().currsize == 0
