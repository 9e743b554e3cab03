"""What flags and levels demand, what each strategy lets through, and that nothing falls back to the raw value."""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from types import UnionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.config import EffectiveProperty
from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy, TimeUnit
from telemetry.core.events import PseudonymKey
from telemetry.core.redaction import DROPPED, redact, redact_value, required_redaction
from telemetry.core.spec import PropertyDefinition, Redaction
from telemetry.core.tightening import MASK
from tests.core.builders import make_property, make_redaction
from tests.core.strategies import property_values, redactions

KEY = PseudonymKey(epoch=3, secret=b"0123456789abcdef0123456789abcdef")
PSEUDONYM = re.compile(r"p3_[A-Za-z0-9_-]{22}")
TRUNCATE = make_redaction("truncate", length=3)
KINDS: dict[PropertyType, type | UnionType] = {
    PropertyType.STRING: str,
    PropertyType.NUMBER: int | float,
    PropertyType.BOOLEAN: bool,
    PropertyType.TIMESTAMP: str,
    PropertyType.JSON: object,
}


def hidden(
    value: object,
    type: str,  # noqa: A002 - the document's key
    strategy: str,
    key: PseudonymKey | None = KEY,
    **settings: float | TimeUnit,
) -> Any:
    return redact_value(value, PropertyType(type), make_redaction(strategy, **settings), key)


# What flags and levels demand


@pytest.mark.parametrize(
    ("definition", "public", "pii", "sensitive"),
    [
        (make_property("string"), None, MASK, MASK),
        (make_property("json"), None, MASK, MASK),
        (make_property("number"), None, None, MASK),
        (make_property("boolean"), None, None, MASK),
        (make_property("timestamp"), None, None, MASK),
        (make_property("string", pii=False), None, None, MASK),
        (make_property("string", pii=True), MASK, MASK, MASK),
        (make_property("number", pii=True), MASK, MASK, MASK),
        (make_property("string", redact=True), MASK, MASK, MASK),
        (make_property("string", pii=False, redact=True), MASK, MASK, MASK),
        (make_property("string", redaction=TRUNCATE), TRUNCATE, TRUNCATE, TRUNCATE),
        (make_property("string", pii=False, redaction=TRUNCATE), TRUNCATE, TRUNCATE, TRUNCATE),
    ],
)
def test_flags_and_level_say_what_is_redacted(
    definition: PropertyDefinition, public: Redaction | None, pii: Redaction | None, sensitive: Redaction | None
) -> None:
    demanded = {level: required_redaction(definition, level) for level in PrivacyLevel}

    assert demanded == {
        PrivacyLevel.PUBLIC: public,
        PrivacyLevel.INTERNAL: public,
        PrivacyLevel.PII: pii,
        PrivacyLevel.SENSITIVE: sensitive,
    }


@given(
    type=st.sampled_from(PropertyType),
    pii=st.sampled_from([None, True, False]),
    redact=st.booleans(),
    low=st.sampled_from(PrivacyLevel),
    high=st.sampled_from(PrivacyLevel),
)
def test_a_higher_level_never_demands_less(
    type: PropertyType,  # noqa: A002 - the document's key
    pii: bool | None,
    redact: bool,
    low: PrivacyLevel,
    high: PrivacyLevel,
) -> None:
    low, high = sorted((low, high), key=lambda level: level.rank)
    definition = make_property(type, pii=pii, redact=redact)

    assert required_redaction(definition, low) is None or required_redaction(definition, high) is not None


# Strategies


@pytest.mark.parametrize(
    ("value", "type", "mask"),
    [
        ("alice", "string", "REDACTED"),
        (2100, "number", 0),
        (True, "boolean", False),
        ("2026-11-22T10:00:00Z", "timestamp", "1970-01-01T00:00:00Z"),
        ({"name": "alice"}, "json", {}),
        (["alice"], "json", []),
        (("alice",), "json", []),
        ("alice", "json", "REDACTED"),
        (2100, "json", 0),
        (1.5, "json", 0),
        (True, "json", False),
        (None, "json", None),
    ],
)
def test_a_mask_is_a_harmless_value_of_the_same_type(value: object, type: str, mask: object) -> None:  # noqa: A002
    masked = hidden(value, type, "mask")

    assert masked == mask
    assert masked.__class__ is mask.__class__


def test_two_masks_of_json_are_not_the_same_object() -> None:
    first, second = (hidden({"name": "alice"}, "json", "mask") for _ in range(2))

    assert first is not second


def test_drop_leaves_nothing_and_null_leaves_null() -> None:
    assert hidden("alice", "string", "drop") is DROPPED
    assert hidden("alice", "string", "null") is None


def test_a_hash_is_the_same_for_the_same_value_key_and_epoch_only() -> None:
    one = hidden("user-123", "string", "hash")

    assert PSEUDONYM.fullmatch(one)
    assert hidden("user-123", "string", "hash") == one
    assert hidden("user-124", "string", "hash") != one
    assert hidden("user-123", "string", "hash", PseudonymKey(epoch=4, secret=KEY.secret)) != one
    assert hidden("user-123", "string", "hash", PseudonymKey(epoch=3, secret=b"x" * 16)) != one


@pytest.mark.parametrize("length", [16, 63, 64, 65, 200])
def test_a_hash_is_hmac_sha_256_cut_to_128_bits(length: int) -> None:
    secret = bytes(range(length))
    digest = hmac.digest(secret, "Zoë".encode(), "sha256")

    shown = hidden("Zoë", "string", "hash", PseudonymKey(epoch=1, secret=secret))

    assert shown == "p1_" + urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def test_a_whole_number_has_the_pseudonym_of_its_digits_as_text() -> None:
    assert hidden(42, "number", "hash") == hidden(42.0, "number", "hash") == hidden("42", "string", "hash")
    assert hidden(42.5, "number", "hash") == hidden("42.5", "string", "hash")


def test_equal_json_values_have_the_same_pseudonym_whatever_the_order_of_their_keys() -> None:
    assert hidden({"a": 1, "b": 2}, "json", "hash") == hidden({"b": 2, "a": 1}, "json", "hash")


def test_a_hash_without_a_key_is_a_mask() -> None:
    assert hidden("alice", "string", "hash", None) == "REDACTED"
    assert hidden(42, "number", "hash", None) == 0
    assert hidden({"name": "alice"}, "json", "hash", None) == {}


@pytest.mark.parametrize("secret", [b"", b"x" * 15])
def test_a_key_that_could_be_found_by_trying_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="at least 16 bytes") as raised:
        PseudonymKey(epoch=1, secret=secret)

    assert repr(secret) not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "length", "shown"),
    [
        ("abcdef", 3, "abc"),
        ("ab", 3, "ab"),
        ("Zoë", 3, "Zoë"),
        ("Zoe\u0308", 3, "Zoe"),
        ("😀😀😀", 1, "😀"),
    ],
)
def test_truncate_keeps_the_first_characters(value: str, length: int, shown: str) -> None:
    assert hidden(value, "string", "truncate", length=length) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        ("2026-11-22T13:14:15.5Z", TimeUnit.DAY, "2026-11-22T00:00:00Z"),
        ("2026-11-22T13:14:15.5Z", TimeUnit.MONTH, "2026-11-01T00:00:00Z"),
        ("2026-12-01T00:30:00+02:00", TimeUnit.DAY, "2026-11-30T00:00:00Z"),
        ("2026-12-01T00:30:00+02:00", TimeUnit.MONTH, "2026-11-01T00:00:00Z"),
        ("2026-02-29T00:00:00Z", TimeUnit.DAY, "1970-01-01T00:00:00Z"),
        ("alice", TimeUnit.DAY, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_generalised_timestamp_is_the_start_of_its_day_or_month_in_utc(
    value: str, unit: TimeUnit, shown: str
) -> None:
    assert hidden(value, "timestamp", "generalise", unit=unit) == shown


@pytest.mark.parametrize(
    ("value", "bucket", "shown"),
    [
        (2100, 500.0, 2000),
        (2000, 500.0, 2000),
        (1999.99, 500.0, 1500.0),
        (-1, 500.0, -500),
        (0, 500.0, 0),
        (0.3, 0.1, 0.3),
        (0.35, 0.1, 0.3),
        (-0.05, 0.1, -0.1),
        (7, 2.5, 5),
        (9, 2.5, 7.5),
        (9_007_199_254_740_993, 10.0, 9_007_199_254_740_990),
        (1e308, 1e-300, 1e308),
        (-1.7e308, 1.5e308, 0),
        # The range begins at ...365, which no double is.
        (9_294_435_752_005_366.0, 3.0, 0),
        pytest.param(10**5000, 10.0, 0, id="beyond every double"),
        (float("nan"), 10.0, 0),
        (float("inf"), 10.0, 0),
    ],
)
def test_a_generalised_number_is_the_lower_end_of_its_range(value: float, bucket: float, shown: float) -> None:
    assert hidden(value, "number", "generalise", bucket=bucket) == shown


@given(
    value=st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12)),
    bucket=st.one_of(st.sampled_from([0.1, 0.25, 0.3, 2.5]), st.integers(1, 10_000).map(float)),
)
def test_a_generalised_number_stands_for_a_whole_range(value: float, bucket: float) -> None:
    shown = hidden(value, "number", "generalise", bucket=bucket)

    # One part in 10**15 is the precision of a double.
    tolerance = 1e-9 + abs(value) * 1e-15
    assert shown - tolerance <= value < shown + bucket + tolerance
    assert hidden(shown, "number", "generalise", bucket=bucket) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "2001:db8:aaaa::"),
        ("2001:DB8::1", "2001:db8::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2002:cb00:714d::1", "203.0.113.0"),
        ("::1", "::"),
        ("203.0.113.077", "REDACTED"),
        ("203.0.113.77:8080", "REDACTED"),
        (" 203.0.113.77", "REDACTED"),
        ("203.0.113", "REDACTED"),
        ("alice", "REDACTED"),
        ("", "REDACTED"),
    ],
)
def test_a_generalised_address_is_its_network(value: str, shown: str) -> None:
    assert hidden(value, "string", "generalise") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Alice@Example.COM", "example.com"),
        ("alice.smith+tag@mail.example.co.uk", "mail.example.co.uk"),
        ("zoë@münchen.example", "münchen.example"),
        ("alice@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("alice", "REDACTED"),
        ("@example.com", "REDACTED"),
        ("alice@", "REDACTED"),
        ("alice@localhost", "REDACTED"),
        ("alice@203.0.113.7", "REDACTED"),
        ("alice@exa mple.com", "REDACTED"),
        ("alice@-example.com", "REDACTED"),
        ("alice@example..com", "REDACTED"),
        ("alice@example.com, bob@example.org", "REDACTED"),
        ("alice@bob@example.com", "REDACTED"),
        ("alice@example.com\n", "REDACTED"),
        ("a" * 400 + "@example.com", "REDACTED"),
    ],
)
def test_email_domain_shows_the_domain_of_one_plausible_address(value: str, shown: str) -> None:
    assert hidden(value, "string", "email_domain") == shown


@pytest.mark.parametrize(
    ("value", "type", "strategy", "settings", "mask"),
    [
        (2100, "number", "truncate", {"length": 1}, 0),
        ("alice", "string", "truncate", {}, "REDACTED"),
        ("alice", "string", "truncate", {"length": -1}, "REDACTED"),
        ("alice", "string", "generalise", {"bucket": 10.0}, "REDACTED"),
        ("2026-11-22T10:00:00Z", "string", "generalise", {"unit": TimeUnit.DAY}, "REDACTED"),
        (2100, "number", "generalise", {}, 0),
        (2100, "number", "generalise", {"bucket": 0.0}, 0),
        (2100, "number", "generalise", {"bucket": float("nan")}, 0),
        ("2026-11-22T10:00:00Z", "timestamp", "generalise", {}, "1970-01-01T00:00:00Z"),
        ({"mail": "alice@example.com"}, "json", "email_domain", {}, {}),
        (True, "boolean", "generalise", {"bucket": 1.0}, False),
    ],
)
def test_a_strategy_that_does_not_fit_masks(
    value: object,
    type: str,  # noqa: A002 - the document's key
    strategy: str,
    settings: dict[str, float | TimeUnit],
    mask: object,
) -> None:
    assert hidden(value, type, strategy, KEY, **settings) == mask


@pytest.mark.parametrize("strategy", RedactionStrategy)
@pytest.mark.parametrize(
    ("value", "type"),
    [
        (["CANARY-7731"], "string"),
        (77310042, "string"),
        ("CANARY-7731", "number"),
        (True, "number"),
        ("CANARY-7731", "boolean"),
        (77310042, "boolean"),
        ("CANARY-7731", "timestamp"),
        (77310042, "timestamp"),
        (b"CANARY-7731", "string"),
        ({"CANARY-7731"}, "json"),
        (b"CANARY-7731", "json"),
    ],
)
def test_a_value_of_another_type_than_declared_does_not_leak(
    value: object,
    type: str,  # noqa: A002 - the document's key
    strategy: RedactionStrategy,
) -> None:
    for key in (None, KEY):
        shown = hidden(value, type, strategy, key, length=3, unit=TimeUnit.DAY, bucket=10.0)

        assert "CANARY" not in repr(shown)
        assert "7731" not in repr(shown)
        assert shown is not True


# Whole sets of properties


def test_redact_returns_what_may_be_shown_and_the_names_of_what_may_not() -> None:
    rules = {
        "step": EffectiveProperty(type=PropertyType.STRING),
        "userId": EffectiveProperty(type=PropertyType.STRING, redaction=MASK),
        "phone": EffectiveProperty(type=PropertyType.STRING, redaction=make_redaction("drop")),
    }
    properties = {"userId": "user-123", "phone": "555", "step": "verify_email", "undeclared": "x"}

    shown, redacted = redact(properties, rules, key=KEY)

    assert shown == {"userId": "REDACTED", "step": "verify_email"}
    assert redacted == ("phone", "undeclared", "userId")
    assert properties == {"userId": "user-123", "phone": "555", "step": "verify_email", "undeclared": "x"}


def canary_json() -> st.SearchStrategy[object]:
    canaries = st.integers(0, 99).map("CANARY-{:02}".format)
    leaves = st.one_of(st.none(), st.booleans(), canaries)
    return st.recursive(leaves, lambda inner: st.one_of(st.lists(inner), st.dictionaries(canaries, inner)))


@given(data=st.data(), key=st.sampled_from([None, KEY]))
def test_no_part_of_a_hidden_value_is_shown(data: st.DataObject, key: PseudonymKey | None) -> None:
    redaction = data.draw(redactions().filter(lambda each: each.strategy is not RedactionStrategy.TRUNCATE))
    type = data.draw(st.sampled_from([PropertyType.STRING, PropertyType.JSON]))  # noqa: A001
    value = data.draw(st.just("CANARY-00@CANARY") if type is PropertyType.STRING else canary_json())

    shown = redact_value(value, type, redaction, key)

    assert "CANARY" not in json.dumps(None if shown is DROPPED else shown)


@given(data=st.data(), type=st.sampled_from(PropertyType), key=st.sampled_from([None, KEY]))
def test_what_is_shown_is_of_the_declared_type_or_a_pseudonym(
    data: st.DataObject,
    type: PropertyType,  # noqa: A002 - the document's key
    key: PseudonymKey | None,
) -> None:
    value, redaction = data.draw(property_values(type)), data.draw(redactions(type))

    shown = redact_value(value, type, redaction, key)

    assert shown is DROPPED or shown is None or isinstance(shown, KINDS[type]) or PSEUDONYM.fullmatch(shown)
