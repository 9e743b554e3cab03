"""Events are found by words of any field, in any order and case."""

import pytest

from telemetry.core.search_text import search_text, search_words
from telemetry.core.spec import Semantics
from tests.core.builders import make_event, make_property


def test_everything_that_people_look_for_is_in_the_text() -> None:
    event = make_event(
        "Order.Completed",
        semantics=Semantics(what="Größe gewählt", who="Buyer", why="To Bill"),
        properties={"totalCents": make_property("number")},
        owners=("@team.Shop",),
        tags=("checkout",),
    )

    assert search_text(event) == "order.completed\ngrösse gewählt\nbuyer\nto bill\ntotalcents\n@team.shop\ncheckout"


def test_what_is_not_said_leaves_no_line() -> None:
    assert search_text(make_event("a", properties={})) == "a\nstep executed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  \t\n", ()),
        ("Order  paid", ("order", "paid")),
        ("order ORDER", ("order",)),
        ('"to bill" now', ("to bill", "now")),
        ('a "b', ("a", "b")),
        ("Straße", ("strasse",)),
        ("100% _", ("100%", "_")),
    ],
)
def test_a_question_is_cut_into_words(text: str, words: tuple[str, ...]) -> None:
    assert search_words(text) == words


def test_words_beyond_the_tenth_are_left_out() -> None:
    assert search_words(" ".join("abcdefghijklmnop")) == tuple("abcdefghij")
