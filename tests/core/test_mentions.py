"""Ids are found inside texts where they stand alone, and nowhere else."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.mentions import LONGEST_ID, MOST_RUNS, folded, is_told_apart, mentions_in
from tests.core import strategies

assert strategies  # Its import sets the profile of the property tests.

_LETTERS = string.ascii_letters + string.digits
_SIGNS = "-_.@:/|=~#!$&*"
_RUNS = st.text(_LETTERS, min_size=1, max_size=12)


@st.composite
def ids(draw: st.DrawFn) -> str:
    """Runs of letters and digits with signs between them, which together are told apart from words and numbers."""
    runs = draw(st.lists(_RUNS, min_size=2, max_size=MOST_RUNS - 1))
    return "".join(run + draw(st.sampled_from(_SIGNS)) for run in runs) + "x7y8z9"


@given(ids(), st.text(), st.text())
def test_an_id_that_stands_alone_is_found_in_any_text(text: str, before: str, after: str) -> None:
    assert text in set(mentions_in(f"{before} {text} {after}"))


@given(ids())
def test_an_id_inside_an_address_is_found_encoded_or_not(text: str) -> None:
    assert text in set(mentions_in(f"https://example.com/?to={text}"))
    assert text in set(mentions_in(f"https://example.com/?a=1&to={quote(text, safe='')}&b=2"))


@given(ids(), st.sampled_from(_LETTERS), st.booleans())
def test_an_id_that_a_letter_or_digit_stands_against_is_not_found(text: str, letter: str, is_before: bool) -> None:
    longer = letter + text if is_before else text + letter

    found = set(mentions_in(f"said {longer} yesterday"))

    assert (longer in found, text in found) == (True, False)


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("user 184-223-07 called", "184-223-07"),
        ("call +4915112345678 back", "+4915112345678"),
        ("tel:+4915112345678", "4915112345678"),
        ("Anna <anna@example.com> wrote", "anna@example.com"),
        ("mail to anna@example.com.", "anna@example.com"),
        ('{"user":"auth0|5f7c8ec7c33c"}', "auth0|5f7c8ec7c33c"),
        ("auth0%7C5f7c8ec7c33c", "auth0|5f7c8ec7c33c"),
        ("連絡先はanna@example.comです", "anna@example.com"),
        ("see_12345678_avatar.png", "12345678"),
        ("id=3f2504e0-4f89-11d3-9a0c-0305e82c3301;", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
    ],
)
def test_ids_as_people_and_programs_write_them_are_found(text: str, mention: str) -> None:
    assert mention in set(mentions_in(text))


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("a-b12", False),
        ("a-b123", True),
        ("1234567", False),
        ("12345678", True),
        ("robertsonfamily", False),
        ("robertsonfamilys", True),
        ("anna@x", True),
    ],
)
def test_short_words_and_numbers_are_not_told_apart_from_others(text: str, is_told: bool) -> None:
    assert is_told_apart(text) is is_told
    assert (text in set(mentions_in(f"a {text} b"))) is is_told


def test_addresses_alone_are_compared_in_small_letters() -> None:
    assert (folded("Anna@Example.com"), folded("User-12A")) == ("anna@example.com", "User-12A")


def test_a_hostile_text_of_many_runs_costs_a_bounded_number_of_parts_for_each_of_them() -> None:
    text = "a-" * 5_000 + "b" * (LONGEST_ID + 1)

    assert sum(1 for _ in mentions_in(text)) <= MOST_RUNS * 5_001
