"""Names that people take for each other are found, whatever their number."""

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.lint.likeness import find_alike
from tests.core import strategies


@pytest.mark.parametrize(
    ("first", "second", "likeness"),
    [
        ("order_placed", "orderPlaced", "spelling"),
        ("order_placed", "Order Placed", "spelling"),
        ("sign_up", "signup", "spelling"),
        ("order_placed", "placed_order", "order"),
        ("order_placed", "orders_placed", "letter"),
        ("order_placed", "order_plased", "letter"),
        ("order_placed", "order_palced", "letter"),
        ("shop.cart.viewed", "shop.card.viewed", "letter"),
    ],
)
def test_what_is_alike_is_found_and_named(first: str, second: str, likeness: str) -> None:
    assert find_alike([first, "something_else", second]) == {second: (first, likeness)}
    assert find_alike([second, first]) == {first: (second, likeness)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("order_placed", "order_placed"),
        ("order_placed", "order_paid"),
        ("step_1_done", "step_2_done"),
        ("item2024sold", "item2025sold"),
        ("get_user", "set_user"),
        ("variant_a", "variant_b"),
        ("imports_done", "exports_done"),
        ("orders_places", "order_placed"),
        ("_$", "$_"),
    ],
)
def test_what_differs_on_purpose_is_not(first: str, second: str) -> None:
    assert find_alike([first, second]) == {}


def test_each_name_is_told_once_beside_the_earliest_that_it_is_like() -> None:
    names = ["order_placed", "orderPlaced", "orders_placed", "OrderPlaced"]

    assert find_alike(names) == {
        "orderPlaced": ("order_placed", "spelling"),
        "orders_placed": ("order_placed", "letter"),
        "OrderPlaced": ("order_placed", "spelling"),
    }


def test_a_great_many_names_under_one_key_do_not_hide_the_others() -> None:
    # Every name of four letters that ends alike shares keys with hundreds of others.
    names = ["".join(letters) + "x" for letters in itertools.product("abcdefgh", repeat=3)]

    alike = find_alike(names)

    assert alike["bbbx"][1] == "letter"
    assert set(alike) <= set(names)


@given(st.lists(strategies.event_names(), max_size=6))
def test_only_given_names_are_named_and_always_an_earlier_one(names: list[str]) -> None:
    for name, (other, _) in find_alike(names).items():
        assert names.index(other) < names.index(name)


@given(st.text(string.ascii_lowercase, min_size=4, max_size=9), st.data())
def test_one_slip_of_a_letter_is_always_found(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word)))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    slip = data.draw(st.sampled_from((word[:place] + letter + word[place:], word[:place] + letter + word[place + 1 :])))

    expected = {} if slip == word else {f"area_{slip}": (f"area_{word}", "letter")}
    assert find_alike([f"area_{word}", f"area_{slip}"]) == expected
