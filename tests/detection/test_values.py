"""What is recognised in single values, and what only looks like it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.detection.detector import Detector
from telemetry.detection.values import detect, detect_text

FOUND = {
    Detector.EMAIL: (
        "alice@example.com",
        "reply to Alice.O'Neil+news@mail.example.co.uk, please",
        "https://shop.example/reset?mail=alice%40example.com&step=2",
        "josé@müller.example",
        "<alice@xn--mller-kva.example>",
    ),
    Detector.PHONE: (
        "+49 30 901820",
        "call (+1 415-555-2671) tomorrow",
        "0049 30 901820",
        "(415) 555-2671",
        "01 42 68 53 00",
        "\uff0b81 3-3212-5678",
    ),
    Detector.PAYMENT_CARD: ("4111111111111111", "5500-0055-5555-5559", "card 3782 822463 10005 declined"),
    Detector.IBAN: ("DE89370400440532013000", "pay to GB82 WEST 1234 5698 7654 32 today", "nl91abna0417164300"),
    Detector.IP_ADDRESS: (
        "91.34.77.120",
        "from 192.168.178.23:51234",
        "http://91.34.77.120/start",
        "2a02:8109:aa80:1234::17",
        "fe80::1ff:fe23:4567:890a%eth0",
    ),
    Detector.SECRET: (
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "key is AKIAIOSFODNN7EXAMPLE",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2lnbmF0dXJl",
        "postgres://app:hunter2hunter2@db.example.com/app",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA",
        "npm_0123456789abcdefghijABCDEFGHIJ012345",
    ),
    Detector.COORDINATES: (
        "52.52001, 13.40501",
        "geo:-33.86882,151.20929",
        "40°42'46.0\"N 74°00'21.6\"W",
        {"lat": 52.52, "lng": 13.405},
        {"type": "Point", "coordinates": [13.40501, 52.52001]},
    ),
    Detector.NATIONAL_ID: (
        "RSSMRA85T10A562S",
        "131052-308T",
        "2 95 10 99 126 111 93",
        "11010519491231002X",
        "756.9217.0769.85",
        "390.533.447-05",
        "536-90-4399",
        "X-2482300-W",
    ),
}


@pytest.mark.parametrize(("detector", "value"), [(one, value) for one, values in FOUND.items() for value in values])
def test_what_is_personal_is_recognised_for_what_it_is(detector: Detector, value: Any) -> None:
    assert detect("value", value) == {detector}


@pytest.mark.parametrize(
    "value",
    [
        # Signs of mailboxes that belong to none.
        *("logo@2x.png", "@acme/cart@1.2.3", "git@code.example.com:acme/cart.git", "@alice", "root@localhost"),
        # Digits that are no number of anybody.
        *("4111111111111112", "2026-11-22T10:00:00.123456+01:00", "1732269600000", "1,234,567.89", "1920x1080"),
        *("123e4567-e89b-12d3-a456-426614174000", "978-3-16-148410-0", "ORD-2026-004711", "d41d8cd98f00b204e9800998"),
        *("536-00-4399", "DE89370400440532013001", "131052-308U", "+1 23"),
        # Versions, machines themselves, times, code.
        *("10.0.22621.3007", "Chrome/120.0.0.0 Safari/537.36", "firmware 88.17.203.41", "1.2.3.4", "127.0.0.1", "::1"),
        *("12:30:45", "00:1b:44:11:3a:b7", "std::vector::push_back", "999.34.77.120"),
        # Shares of a screen, three numbers in a row, numbers without enough places.
        *("0.123456,0.654321", "52.52001,13.40501,99.12345", "52.5,13.4", "193.12345,99.12345"),
        *("onboarding", "verify_email", "", "a", True, None, 42, 3.14, [], {}, {"x": 0.25, "y": 0.75}),
    ],
)
def test_what_only_looks_like_it_is_passed_over(value: Any) -> None:
    assert detect("value", value) == frozenset()


@pytest.mark.parametrize(
    ("name", "value", "detector"),
    [
        ("phoneNumber", "030 901820", Detector.PHONE),
        ("tel", 30901820, Detector.PHONE),
        ("pesel", "44051401359", Detector.NATIONAL_ID),
        ("taxId", "36574261809", Detector.NATIONAL_ID),
        ("apiKey", "q8Zr1Lw0Vx7Tn3Ky5Bm9", Detector.SECRET),
    ],
)
def test_a_telling_name_vouches_for_what_its_value_alone_does_not_say(
    name: str, value: Any, detector: Detector
) -> None:
    assert detect(name, value) == {detector}
    assert detect("value", value) == frozenset()


def test_a_name_of_versions_vouches_against_addresses() -> None:
    assert detect("appVersion", "91.34.77.120") == frozenset()


def test_every_kind_in_one_text_is_named() -> None:
    text = "alice@example.com from 91.34.77.120 paid with 4111 1111 1111 1111"

    assert detect_text(text) == {Detector.EMAIL, Detector.IP_ADDRESS, Detector.PAYMENT_CARD}


def test_json_is_searched_to_its_depth_and_no_further() -> None:
    nested: Any = "alice@example.com"
    for _ in range(7):
        nested = {"part": [nested][0]}

    assert detect("profile", {"people": [{"contact": "alice@example.com"}]}) == {Detector.EMAIL}
    assert detect("profile", nested) == {Detector.EMAIL}
    assert detect("profile", {"part": {"part": nested}}) == frozenset()


def test_of_a_long_list_the_first_values_are_searched() -> None:
    assert detect("rows", ["row"] * 199 + ["alice@example.com"]) == {Detector.EMAIL}
    assert detect("rows", ["row"] * 200 + ["alice@example.com"]) == frozenset()


def test_of_a_long_text_the_beginning_is_searched() -> None:
    assert detect_text("x " * 900 + "alice@example.com") == {Detector.EMAIL}
    assert detect_text("x " * 1000 + "alice@example.com") == frozenset()


@given(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
)
def test_nothing_that_an_event_may_hold_is_too_much(name: str, value: Any) -> None:
    assert detect(name, value) <= set(Detector)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 65_536,
        "a@" * 32_768,
        "1.1," * 16_384,
        ":" * 65_536,
        "+1 " * 20_000,
        "AB12 " * 13_000,
        "-" * 65_536,
        "°'" * 30_000,
    ],
)
def test_no_text_is_searched_for_longer_than_its_first_characters_take(text: str) -> None:
    # Not timed: what is beyond the limit must not change the answer, so it was not read.
    assert detect_text(text) == detect_text(text[:2_000])
