"""Every place where a document has not the shape of its type is named, with the rule and never with the value."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.config import EffectiveConfig, PrivacyFloor, TenantOverride
from telemetry.core.documents import RepeatedKeys
from telemetry.core.errors import FieldError
from telemetry.core.plain import to_plain
from telemetry.core.shapes import MAXIMUM_ERRORS, read_shape, write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import read_value
from tests.core import strategies
from tests.core.builders import make_sigil_spec

Document = dict[str, Any]
Change = Callable[[Document], object]


def sigil_document() -> Document:
    document = to_plain(make_sigil_spec())
    assert isinstance(document, dict)
    return document


def errors_after(change: Change) -> list[FieldError]:
    """What is wrong with the seed's spec once it is changed."""
    document = sigil_document()
    change(document)
    return list(read_shape(document, TelemetrySpec)[1])


def put(*path: str | int, value: object) -> Change:
    """A change that puts a value at the place."""

    def change(document: Document) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def test_a_sound_document_has_no_errors_and_stays_as_it_is() -> None:
    plain, errors = read_shape(sigil_document(), TelemetrySpec)

    assert (plain, errors) == (sigil_document(), ())


WORDS = "must be text; quote what looks like a number, true, false or null"
SPEC_NAME = "must be lower-case words joined by dots, such as 'sigil.telemetry'"


@pytest.mark.parametrize(
    ("change", "code", "path", "message"),
    [
        (put("meta", "title", value=12), "wrong_type", "meta.title", WORDS),
        (put("meta", "title", value=[]), "wrong_type", "meta.title", "must be text"),
        (put("meta", "title", value=""), "bad_length", "meta.title", "must not be empty"),
        (put("meta", "title", value=" \n"), "bad_format", "meta.title", "must be text that is not blank"),
        (put("meta", "title", value="x" * 201), "bad_length", "meta.title", "must be at most 200 characters long"),
        (put("meta", "name", value="Sigil"), "bad_format", "meta.name", SPEC_NAME),
        (put("meta", "name", value="sigil\n"), "bad_format", "meta.name", SPEC_NAME),
        (
            put("meta", "owners", 0, value="team"),
            "bad_format",
            "meta.owners[0]",
            "must be @ and a name, such as '@team.analytics'",
        ),
        (put("meta", "owners", value="@team"), "wrong_type", "meta.owners", "must be a list"),
        (put("meta", "tags", value=["t"] * 51), "too_many", "meta.tags", "must have at most 50 entries"),
        (put("meta", "version", value="1"), "wrong_type", "meta.version", "must be a whole number"),
        (put("meta", "version", value=True), "wrong_type", "meta.version", "must be a whole number"),
        (put("meta", "version", value=1.5), "wrong_type", "meta.version", "must be a whole number"),
        (put("meta", "version", value=None), "wrong_type", "meta.version", "must be a whole number"),
        (put("meta", "version", value=0), "out_of_range", "meta.version", "must be at least 1"),
        (put("meta", "version", value=2**53), "out_of_range", "meta.version", "must be at most 2147483647"),
        (put("meta", "version", value=math.inf), "bad_number", "meta.version", "must be a finite number"),
        (
            put("config", "defaultRetentionDays", value=-1),
            "out_of_range",
            "config.defaultRetentionDays",
            "must be at least 1",
        ),
        (
            put("config", "defaultSamplingRate", value=7.5),
            "out_of_range",
            "config.defaultSamplingRate",
            "must be at most 1",
        ),
        (
            put("config", "defaultSamplingRate", value=math.nan),
            "bad_number",
            "config.defaultSamplingRate",
            "must be a finite number",
        ),
        (
            put("config", "defaultSamplingRate", value="1"),
            "wrong_type",
            "config.defaultSamplingRate",
            "must be a number",
        ),
        (
            put("config", "providers", 0, "config", "key", value=math.inf),
            "bad_number",
            "config.providers[0].config.key",
            "must be a finite number",
        ),
        (
            put("config", "providers", 0, "config", "key", value={"id": [2**53]}),
            "out_of_range",
            "config.providers[0].config.key.id[0]",
            "must lie within ±9007199254740991: larger whole numbers lose digits; use text",
        ),
        (
            put("config", "providers", 0, "config", "key", value=b"bytes"),
            "wrong_type",
            "config.providers[0].config.key",
            "must be a JSON value",
        ),
        (
            put("config", "providers", 0, "config", "a\ud800", value=1),
            "bad_character",
            'config.providers[0].config["a\N{REPLACEMENT CHARACTER}"]',
            "the key must not contain NUL characters or lone surrogates",
        ),
        (
            put("events", 0, "properties", "durationMs", "redaction", value={"strategy": "generalise", "bucket": 0}),
            "out_of_range",
            "events[0].properties.durationMs.redaction.bucket",
            "must be more than 0",
        ),
        (put("events", value={}), "wrong_type", "events", "must be a list"),
        (put("events", 0, value=None), "wrong_type", "events[0]", "must be an object, that is keys with values"),
        (put("events", 0, value={1: 2}), "wrong_type", "events[0]", "must have text as keys"),
        (put("events", value=[{}] * 2001), "too_many", "events", "must have at most 2000 entries"),
        (
            put("events", 0, "privacy", value="secret"),
            "unknown_word",
            "events[0].privacy",
            "must be one of: public, internal, pii, sensitive",
        ),
        (
            put("events", 0, "properties", "durationMs", "type", value="float"),
            "unknown_word",
            "events[0].properties.durationMs.type",
            "must be one of: string, number, boolean, timestamp, json",
        ),
        (
            put("events", 0, "properties", "Product Id", value={"type": 1}),
            "unknown_word",
            'events[0].properties["Product Id"].type',
            "must be one of: string, number, boolean, timestamp, json",
        ),
        (
            put("events", 0, "properties", "1st", value={"type": "string"}),
            "bad_format",
            'events[0].properties["1st"]',
            "the key must be ASCII letters, digits, spaces and any of _ $ . -, not starting with a digit",
        ),
        (
            put("events", 0, "properties", value={f"p{index}": {} for index in range(501)}),
            "too_many",
            "events[0].properties",
            "must have at most 500 entries",
        ),
        (
            put("events", 0, "properties", "step", "required", value="yes"),
            "wrong_type",
            "events[0].properties.step.required",
            "must be true or false",
        ),
        (
            put("events", 0, "sampling", value={"rate": 1, "conditions": ["true"] * 21}),
            "too_many",
            "events[0].sampling.conditions",
            "must have at most 20 entries",
        ),
        (put("events", 0, "semantics", value={}), "missing_key", "events[0].semantics.what", "is required"),
        (
            put("meta", "description", value="\ud800"),
            "bad_character",
            "meta.description",
            "must not contain NUL characters or lone surrogates",
        ),
        (
            put("meta", "description", value="a\x00"),
            "bad_character",
            "meta.description",
            "must not contain NUL characters or lone surrogates",
        ),
        (
            put("events", 0, "samplng", value={}),
            "unknown_key",
            "events[0].samplng",
            "unknown key; did you mean 'sampling'?",
        ),
        (
            put("events", 0, "anomaly_detection", value={}),
            "unknown_key",
            "events[0].anomaly_detection",
            "unknown key; did you mean 'anomalyDetection'?",
        ),
        (put("xyz", value={}), "unknown_key", "xyz", "unknown key; known are meta, config, events"),
        (
            put("events", 0, "properties", "step", "allowedValues", value=["a", True]),
            "wrong_type",
            "events[0].properties.step.allowedValues[1]",
            "must be text or a number",
        ),
        (
            put("events", 0, "properties", "step", "allowedValues", value=["a", None]),
            "wrong_type",
            "events[0].properties.step.allowedValues[1]",
            "must be text or a number",
        ),
        (
            put("events", 0, "properties", "step", "allowedValues", value=["x" * 201]),
            "bad_length",
            "events[0].properties.step.allowedValues[0]",
            "must be at most 200 characters long",
        ),
        (
            put("events", 0, "properties", "step", "allowedValues", value=[1, math.inf]),
            "bad_number",
            "events[0].properties.step.allowedValues[1]",
            "must be a finite number",
        ),
        (
            put("events", 0, "properties", "step", "allowedValues", value=["a"] * 501),
            "too_many",
            "events[0].properties.step.allowedValues",
            "must have at most 500 entries",
        ),
        (
            put("events", 0, "reviewBy", value="22.11.2026"),
            "bad_format",
            "events[0].reviewBy",
            "must be a date, such as 2026-11-22",
        ),
        (
            put("events", 0, "deprecation", value={"replacedBy": "other"}),
            "missing_key",
            "events[0].deprecation.reason",
            "is required",
        ),
        (
            put("events", 0, "deprecation", value={"reason": "Gone", "replacedBy": "other@0"}),
            "bad_format",
            "events[0].deprecation.replacedBy",
            "must be an event's name, or one version of it, such as 'order_placed@2'",
        ),
        (
            put("events", 0, "lintOptOuts", value=[{"rule": "sampling_too_low", "reason": " "}]),
            "bad_format",
            "events[0].lintOptOuts[0].reason",
            "must be text that is not blank",
        ),
        (
            put("events", 0, "lintOptOuts", value=[{"rule": "Sampling", "reason": "Why"}]),
            "bad_format",
            "events[0].lintOptOuts[0].rule",
            "must be the name of a lint rule, such as 'sampling_too_low'",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_path(change: Change, code: str, path: str, message: str) -> None:
    assert errors_after(change) == [FieldError(code, path, message)]


def test_all_broken_rules_are_named_in_document_order_and_missing_keys_last() -> None:
    def change(document: Document) -> None:
        del document["meta"]["title"]
        document["meta"]["owners"] = ["team"]
        document["events"][0]["version"] = 0
        document["events"][0]["properties"]["step"]["typ"] = "string"

    assert [(error.code, error.path) for error in errors_after(change)] == [
        ("bad_format", "meta.owners[0]"),
        ("missing_key", "meta.title"),
        ("out_of_range", "events[0].version"),
        ("unknown_key", "events[0].properties.step.typ"),
    ]


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_a_document_that_is_no_object_is_refused_as_a_whole(value: object) -> None:
    expected = FieldError("wrong_type", "", "must be an object, that is keys with values")

    assert read_shape(value, TelemetrySpec)[1] == (expected,)


def test_keys_that_occur_twice_are_named_wherever_they_are() -> None:
    repeated = RepeatedKeys([("type", "string")], ("type",))

    errors = errors_after(put("events", 0, "properties", "step", value=repeated))
    errors += errors_after(put("config", "providers", 0, "config", "key", value=RepeatedKeys([("a", 1)], ("a",))))

    assert [(error.code, error.path) for error in errors] == [
        ("duplicate_key", "events[0].properties.step.type"),
        ("duplicate_key", "config.providers[0].config.key.a"),
    ]


def test_no_more_errors_are_listed_than_anybody_reads() -> None:
    errors = errors_after(put("events", value=[{}] * 2000))

    assert len(errors) == MAXIMUM_ERRORS + 1
    assert errors[-1] == FieldError("too_many_errors", "", "only the first 100 broken rules are listed")


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_settings_may_be_nested_to_the_limit_and_no_deeper() -> None:
    # The settings of a provider begin five levels down: config, providers, its position, config, key.
    assert errors_after(put("config", "providers", 0, "config", "key", value=nested(27))) == []
    (error,) = errors_after(put("config", "providers", 0, "config", "key", value=nested(28)))
    assert (error.code, error.message) == ("too_deep", "must be at most 32 levels deep")


def test_settings_that_contain_themselves_are_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    (error,) = errors_after(put("config", "providers", 0, "config", "key", value=cycle))

    assert error.code == "too_deep"


def test_settings_of_very_many_values_are_refused_once() -> None:
    errors = errors_after(put("config", "providers", 0, "config", "key", value=[0] * 20_000))

    assert [(error.code, error.message) for error in errors] == [
        ("too_many", "settings must have at most 10000 values in all")
    ]


def test_numbers_without_a_fraction_are_whole_whatever_their_spelling() -> None:
    document = sigil_document()
    document["meta"]["version"] = 1.0
    document["config"]["defaultSamplingRate"] = 1.0
    document["config"]["providers"][0]["config"] = {"size": 3.0, "share": 0.5, "large": 1e300}

    plain, errors = read_shape(document, TelemetrySpec)

    assert errors == ()
    spec = msgspec.convert(plain, TelemetrySpec)
    assert (spec.meta.version, type(spec.meta.version)) == (1, int)
    assert spec.config is not None
    assert repr(dict(spec.config.providers[0].config)) == "{'size': 3, 'share': 0.5, 'large': 1e+300}"


def test_keys_that_are_words_of_a_closed_set_are_checked_too() -> None:
    _, errors = read_shape({"maximumRetentionDays": {"secret": 1, "pii": 0}}, PrivacyFloor)

    assert errors == (
        FieldError(
            "unknown_word", "maximumRetentionDays.secret", "the key must be one of: public, internal, pii, sensitive"
        ),
        FieldError("out_of_range", "maximumRetentionDays.pii", "must be at least 1"),
    )


@pytest.mark.parametrize("value", [True, 2, "1", 1.0])
def test_a_fixed_number_is_that_number_and_no_truth_value(value: object) -> None:
    _, errors = read_shape({"format": value}, EffectiveConfig)

    assert errors[0] == FieldError("unknown_word", "format", "must be 1")


def test_paths_quote_keys_that_are_no_identifiers_and_cut_endless_ones() -> None:
    assert write_path(("events", 2, "properties", "Product Id", "type")) == 'events[2].properties["Product Id"].type'
    assert write_path(("a\x00\n",)) == '["a\N{REPLACEMENT CHARACTER}\\n"]'
    assert write_path(("k" * 1000,)) == '["' + "k" * 128 + '..."]'


@pytest.mark.parametrize(
    "path",
    [
        ("meta", "title"),
        ("meta", "name"),
        ("meta", "version"),
        ("meta", "owners"),
        ("meta", "stability"),
        ("config", "defaultSamplingRate"),
        ("events", 0, "privacy"),
        ("events", 0, "semantics"),
        ("events", 0, "properties", "step", "required"),
        ("events", 0, "properties", "step", "type"),
        ("events", 0, "anomalyDetection", "actions", 0),
        ("events", 0, "properties", "step", "allowedValues"),
    ],
)
@pytest.mark.parametrize("value", ["canary\x00", ["canary", ["canary"]], "canary" * 1000, {"x": "canary"}])
def test_no_value_is_repeated_in_a_message(path: tuple[str | int, ...], value: object) -> None:
    errors = errors_after(put(*path, value=value))

    assert errors
    assert not any("canary" in error.message or "canary" in error.path for error in errors)


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, item in items for place in _places(item, (*path, key))]


@given(st.data())
def test_a_document_without_errors_is_exactly_one_that_msgspec_converts(data: st.DataObject) -> None:
    # One place of a valid document gets any value, or loses it: both must agree on whether that is still sound.
    type_ = data.draw(st.sampled_from((TelemetrySpec, TenantOverride, PrivacyFloor)))
    valid = {TelemetrySpec: strategies.specs, TenantOverride: strategies.overrides, PrivacyFloor: strategies.floors}
    document: Any = to_plain(data.draw(valid[type_]()))
    for place in data.draw(st.lists(st.sampled_from(_places(document) or [("x",)]), max_size=1)):
        put(*place, value=data.draw(st.one_of(strategies.json_values(), st.floats(), st.integers())))(document)

    plain, errors = read_shape(document, type_)

    if errors:
        # msgspec alone would let pass what no store can hold, and integers that other readers round.
        assert not _converts(document, type_) or {error.code for error in errors} <= OURS_ALONE
    else:
        assert _converts(plain, type_)


OURS_ALONE = {"bad_number", "out_of_range", "bad_character"}


def _converts(document: object, type_: type) -> bool:
    try:
        msgspec.convert(document, type_)
    except msgspec.ValidationError:
        return False
    return True


class _Appointment(msgspec.Struct):
    """What msgspec reads itself: an instant and an identifier."""

    at: datetime | None = None
    who: UUID | None = None


@pytest.mark.parametrize("key", ["at", "who"])
def test_half_a_surrogate_pair_in_what_msgspec_reads_is_a_broken_rule(key: str) -> None:
    # The regression of a server error: msgspec cannot even begin to read such text.
    value, errors = read_value({key: "2026-01-01\ud83d"}, _Appointment)

    assert value is None
    assert [(error.code, error.path) for error in errors] == [("bad_character", key)]
