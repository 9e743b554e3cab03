"""The text of a key: made, read, and refused without asking anybody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.enums import Environment
from telemetry.core.errors import NotAuthenticated
from tenants.keys import REFUSAL, digest_of, mint, parse

# A key as any implementation of the format must read it.
EXAMPLE = "tgs_prd_app_AAAAAAAA_0000000000000000000000000000000000000000000"
EXAMPLE_CHECKSUM = "4Qze0n"


def refusal_of(text: str) -> str:
    with pytest.raises(NotAuthenticated) as refusal:
        parse(text)
    assert str(refusal.value) == REFUSAL
    assert refusal.value.errors == ()
    return refusal.value.reason


def test_a_new_key_has_the_documented_form() -> None:
    key = mint(Environment.STAGING, "app")

    assert re.fullmatch(r"tgs_stg_app_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", key.text)
    assert key.text[12:20] == key.lookup


@pytest.mark.parametrize(
    ("environment", "word"),
    [(Environment.DEVELOPMENT, "dev"), (Environment.STAGING, "stg"), (Environment.PRODUCTION, "prd")],
)
def test_a_key_says_for_which_environment_it_is(environment: Environment, word: str) -> None:
    assert mint(environment, "app").text.startswith(f"tgs_{word}_app_")


def test_the_parts_of_a_new_key_are_read_back() -> None:
    key = mint(Environment.PRODUCTION, "usr")

    assert parse(key.text) == key


def test_no_two_keys_are_alike() -> None:
    keys = [mint(Environment.PRODUCTION, "app") for _ in range(200)]

    assert len({key.text for key in keys}) == 200
    assert len({key.lookup for key in keys}) == 200


def test_the_checksum_is_the_crc_32_of_everything_before_it() -> None:
    assert parse(EXAMPLE + EXAMPLE_CHECKSUM).lookup == "AAAAAAAA"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tgs_",
        "Bearer " + EXAMPLE + EXAMPLE_CHECKSUM,
        EXAMPLE + EXAMPLE_CHECKSUM + "\n",
        EXAMPLE + EXAMPLE_CHECKSUM + "0",
        EXAMPLE.replace("prd", "xyz") + EXAMPLE_CHECKSUM,
        EXAMPLE.replace("app", "adm") + EXAMPLE_CHECKSUM,
        EXAMPLE.replace("AAAAAAAA", "AAAA\u0410AAA") + EXAMPLE_CHECKSUM,
        "\ud800" * 10,
        "x" * 1_000_000,
    ],
)
def test_text_of_another_form_is_malformed(text: str) -> None:
    assert refusal_of(text) == "malformed"


@pytest.mark.parametrize("position", [4, 8, 12, 25, 62, 69])
def test_one_wrong_letter_breaks_the_form_or_the_checksum(position: int) -> None:
    text = mint(Environment.PRODUCTION, "app").text
    wrong = "1" if text[position] != "1" else "2"

    assert refusal_of(text[:position] + wrong + text[position + 1 :]) in {"malformed", "checksum"}


@given(st.text())
def test_no_text_gets_through_or_fails_otherwise(text: str) -> None:
    assert refusal_of(text) in {"malformed", "checksum"}


def test_a_digest_depends_on_the_text_and_on_the_pepper() -> None:
    # HMAC-SHA-256, RFC 4231, test case 2.
    assert digest_of("what do ya want for nothing?", "Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert digest_of("what do ya want for nothing?", "Other") != digest_of("what do ya want for nothing?", "Jefe")


def test_a_key_in_a_log_shows_its_lookup_alone() -> None:
    key = mint(Environment.PRODUCTION, "app")

    assert repr(key) == f"KeyText({key.lookup})"
    assert f"{key}" == repr(key)
