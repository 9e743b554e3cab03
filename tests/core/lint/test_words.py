"""Names are cut into the words that people read in them."""

import pytest

from telemetry.core.lint.words import singular, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("userIPAddress", ("user", "ip", "address")),
        ("user_ip-address", ("user", "ip", "address")),
        ("User IP address", ("user", "ip", "address")),
        ("HTTPServer", ("http", "server")),
        ("userID", ("user", "id")),
        ("clientIPv6", ("client", "ipv6")),
        ("address2", ("address", "2")),
        ("$session.id", ("session", "id")),
        ("tooltip", ("tooltip",)),
        ("_$", ()),
        ("", ()),
    ],
)
def test_notations_do_not_matter(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("word", "expected"),
    [("emails", "email"), ("addresses", "address"), ("address", "address"), ("ips", "ips"), ("gas", "gas")],
)
def test_a_plain_plural_is_taken_off(word: str, expected: str) -> None:
    assert singular(word) == expected
