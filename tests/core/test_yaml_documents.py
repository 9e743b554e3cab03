"""YAML is read as a notation for JSON's values; what it can do beyond that is refused, and never costs much."""

import json

import pytest
import yaml
from hypothesis import given

from telemetry.core.documents import MAXIMUM_BYTES
from telemetry.core.errors import InvalidDocument
from telemetry.core.yaml_documents import read_yaml, write_yaml
from tests.core import strategies

LARGE = MAXIMUM_BYTES - 1_000


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("1.50", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_plain_words_mean_what_they_mean_in_json(plain: str, value: object) -> None:
    items = read_yaml(f"- {plain}")
    assert isinstance(items, list)
    (read,) = items

    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "Off", "y", "2026-01-01", "2026-01-01T00:00:00Z", "010", "0o10", "0x1F", "1_000", "1:30", "="],
)
def test_words_that_yaml_1_1_turns_into_something_else_stay_text(text: str) -> None:
    assert read_yaml(f"{text}: {text}") == {text: text}


@pytest.mark.parametrize("key", ["1", "true", "null", "1.0", "no"])
def test_keys_are_always_text(key: str) -> None:
    assert read_yaml(f"{key}: x") == {key: "x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [1]", "anchors (&name) are not supported; write the value out (line 1, column 4)"),
        ("&x a: 1", "anchors (&name) are not supported; write the value out (line 1, column 1)"),
        ("&x {a: *x}", "anchors (&name) are not supported; write the value out (line 1, column 1)"),
        ("a: *x", "aliases (*name) are not supported; write the value out (line 1, column 4)"),
        ("!!python/object/apply:os.system [id]", "tags (!name) are not supported (line 1, column 1)"),
        ("a: !!str 1", "tags (!name) are not supported (line 1, column 4)"),
        ("a: ! 1", "tags (!name) are not supported (line 1, column 4)"),
        ("a: 1\n---\nb: 1", "must hold one document only; --- starts a second one (line 2, column 1)"),
        ("a:\n  <<: {b: 1}", "merge keys (<<) are not supported; write the keys out (line 2, column 3)"),
        ("? [a]\n: 1", "keys must be text, not lists or objects (line 1, column 3)"),
        ("{a: 1}: 2", "keys must be text, not lists or objects (line 1, column 1)"),
        ("%YAML 1.2\n---\na: 1", "lines that start with % (directives) are not supported"),
        ("a: 1\n...\n%TAG ! x\n---\nb: 1", "lines that start with % (directives) are not supported"),
    ],
)
def test_what_yaml_can_do_beyond_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_yaml(text)

    (error,) = caught.value.errors
    assert (error.code, error.path, error.message) == ("unsupported_yaml", "", message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "did not find expected ',' or ']' (line 2, column 1)"),
        ("a:\n\t- b", "found character that cannot start any token (line 2, column 1)"),
        ("a: 'b", "found unexpected end of stream (line 1, column 6)"),
        ("a: b: c", "mapping values are not allowed in this context (line 1, column 5)"),
        ("a: \x07", "it has a character that YAML does not allow"),
    ],
)
def test_broken_yaml_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_yaml(text)

    (error,) = caught.value.errors
    assert (error.code, error.message) == ("bad_syntax", f"is not valid YAML: {message}")


def test_aliases_that_would_expand_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]

    with pytest.raises(InvalidDocument, match="anchors"):
        read_yaml("\n".join(lines))


HOSTILE = {
    "lists": ("[" * LARGE, "too_deep"),
    "dashes": ("- " * (LARGE // 2), "too_deep"),
    "objects": ("{a: " * (LARGE // 4), "too_deep"),
    "keys of keys": ("? " * (LARGE // 2), "unsupported_yaml"),
    "items": ("[" + "a," * (LARGE // 2) + "]", "too_many"),
    "empty items": ("- \n" * (LARGE // 3), "too_many"),
    "keys": ("".join(f"k{index}: 1\n" for index in range(LARGE // 12)), "too_many"),
    # Without a check of its own, each of the next two takes half a minute.
    "tags": ("".join(f"%TAG !a{index}! x\n" for index in range(LARGE // 16)), "unsupported_yaml"),
    "late tags": ("{}\n...\n" + "".join(f"%TAG !a{index}! x\n" for index in range(LARGE // 16)), "unsupported_yaml"),
    "documents": ("---\n" * (LARGE // 4), "unsupported_yaml"),
    "escapes": ('"' + "\\" * LARGE, "bad_syntax"),
    "lines": ("'" + "\n" * LARGE, "bad_syntax"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_of_the_largest_size_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_yaml(text)

    assert [error.code for error in caught.value.errors] == [code]


@given(strategies.json_values())
def test_what_is_written_is_read_back_as_it_was(value: object) -> None:
    written = write_yaml(value)

    assert json.dumps(read_yaml(written)) == json.dumps(value)


@given(strategies.texts())
def test_text_stays_text_for_readers_of_yaml_1_1_too(text: str) -> None:
    written = write_yaml({"text": text, "number": 1})

    assert yaml.safe_load(written)["number"] == 1
    assert isinstance(yaml.safe_load(written)["text"], str)


def test_people_read_blocks_and_plain_words() -> None:
    written = write_yaml(
        {"what": "first line\nsecond line\n", "key": "${KEY}", "version": "1.0", "tags": ["no", "yes!"]}
    )

    assert written == ("what: |\n  first line\n  second line\nkey: ${KEY}\nversion: '1.0'\ntags:\n- 'no'\n- yes!\n")


@pytest.mark.parametrize("text", ["y", "N", "0o17", "no", "1e5", "2026-01-01", "~", ""])
def test_text_that_any_reader_could_misread_is_quoted(text: str) -> None:
    assert write_yaml([text]) == f"- '{text}'\n"


def test_equal_parts_are_written_out_each_time() -> None:
    part = {"a": [1]}

    assert write_yaml({"first": part, "second": part}) == "first:\n  a:\n  - 1\nsecond:\n  a:\n  - 1\n"
