"""Text that anybody may have written is read, or refused with a reason, whatever it is."""

import json

import pytest

from telemetry.core.codec import Format, parse_document
from telemetry.core.documents import MAXIMUM_BYTES, RepeatedKeys
from telemetry.core.errors import FieldError, InvalidDocument

LARGE = MAXIMUM_BYTES - 1_000


def refusal(data: bytes | str, **options: Format) -> FieldError:
    """The one rule of the whole document that the text breaks."""
    with pytest.raises(InvalidDocument) as caught:
        parse_document(data, what="telemetry spec", **options)
    (error,) = caught.value.errors
    assert error.path == ""
    return error


def test_text_that_starts_with_a_brace_is_json_and_all_other_text_is_yaml() -> None:
    from_json = parse_document(b' \n{"a": [1, "x", true, null]}', what="document")
    from_yaml = parse_document("a:\n- 1\n- x\n- true\n- null\n", what="document")

    assert from_json == from_yaml == {"a": [1, "x", True, None]}


def test_a_named_format_is_not_guessed() -> None:
    assert parse_document("{a: 1}", what="document", format="yaml") == {"a": 1}
    assert parse_document("[1]", what="document", format="json") == [1]
    assert refusal("{a: 1}", format="json").code == "bad_syntax"


def test_space_before_the_brace_does_not_make_it_yaml() -> None:
    assert refusal(" \n {a: 1}").code == "bad_syntax"


@pytest.mark.parametrize("text", ['{"a": 1}', "a: 1"])
def test_a_utf_8_byte_order_mark_is_no_part_of_the_text(text: str) -> None:
    assert parse_document(b"\xef\xbb\xbf" + text.encode(), what="document") == {"a": 1}
    assert parse_document("\ufeff" + text, what="document") == {"a": 1}


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", "empty", "is empty"),
        (" \n\t", "empty", "is empty"),
        (b"a: \xe9", "bad_encoding", "is not valid UTF-8 at byte 4"),
        (b'{"a": "\xed\xa0\x80"}', "bad_encoding", "is not valid UTF-8 at byte 8"),
        ('{"a": 1}'.encode("utf-16"), "bad_encoding", "must be UTF-8, not UTF-16 or UTF-32"),
        ('{"a": 1}'.encode("utf-32"), "bad_encoding", "must be UTF-8, not UTF-16 or UTF-32"),
        (
            '{"a": 1}'.encode("utf-16-le"),
            "bad_character",
            "must not contain NUL characters; is it UTF-16, or not text at all?",
        ),
        ('{"a": "\x00"}', "bad_character", "must not contain NUL characters; is it UTF-16, or not text at all?"),
        ('{"a": "\ud800"}', "bad_character", "has a lone surrogate at character 8"),
        ("{", "bad_syntax", "is not valid JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ('{"a": 1} {}', "bad_syntax", "is not valid JSON: Extra data (line 1, column 10)"),
        ('{"a":\n"\x07"}', "bad_syntax", "is not valid JSON: Invalid control character at (line 2, column 2)"),
        ('{"a": 010}', "bad_syntax", "is not valid JSON: Expecting ',' delimiter (line 1, column 8)"),
        ('{"a":' * 100_000, "too_deep", "must be at most 32 levels deep"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_the_reason(data: bytes | str, code: str, message: str) -> None:
    error = refusal(data)

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    "data", [b" " * MAXIMUM_BYTES + b"a", "a" * (MAXIMUM_BYTES + 1), "é" * (MAXIMUM_BYTES // 2 + 1)]
)
def test_a_document_over_two_mebibytes_is_refused_before_it_is_read(data: bytes | str) -> None:
    assert refusal(data) == FieldError("too_large", "", "must be at most 2097152 bytes long")


def test_a_document_of_exactly_two_mebibytes_is_read() -> None:
    text = '{"a": "' + "x" * (MAXIMUM_BYTES - 9) + '"}'

    parsed = parse_document(text, what="document")

    assert len(text) == MAXIMUM_BYTES
    assert isinstance(parsed, dict)
    assert list(parsed) == ["a"]


def test_the_error_names_the_kind_of_document_and_never_its_text() -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_document('{"secret-canary": ', what="telemetry spec")

    assert str(caught.value) == (
        "the telemetry spec breaks 1 rule: is not valid JSON: Expecting value (line 1, column 19)"
    )


def test_keys_that_occur_twice_are_remembered() -> None:
    parsed = parse_document('{"a": {"b": 1, "c": 2, "b": 3}}', what="document")

    assert isinstance(parsed, dict)
    assert isinstance(parsed["a"], RepeatedKeys)
    assert (parsed["a"], parsed["a"].repeated) == ({"b": 3, "c": 2}, ("b",))


@pytest.mark.parametrize("digits", [4_000, 5_000, LARGE])
def test_a_number_of_very_many_digits_is_read_at_once_as_one_that_no_type_accepts(digits: int) -> None:
    parsed = parse_document('{"a": -' + "9" * digits + "}", what="document")

    assert parsed == {"a": -99_999_999_999_999_999_999}


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[' + "0," * (LARGE // 2) + "0]}",
        "{" + ",".join(f'"{index}":0' for index in range(LARGE // 12)) + "}",
        '{"' + "k" * LARGE + '":1}',
        '{"a":"' + "\\u0041" * (LARGE // 6) + '"}',
        '{"a":1e' + "9" * LARGE + "}",
    ],
    ids=["list", "keys", "long key", "escapes", "exponent"],
)
def test_json_of_the_largest_size_is_read_whatever_its_shape(text: str) -> None:
    assert isinstance(parse_document(text, what="document"), dict)


def test_what_json_alone_can_say_is_left_to_the_types() -> None:
    parsed = parse_document('{"a": [NaN, Infinity, 1e999, "\\ud800"]}', what="document")

    assert json.dumps(parsed) == '{"a": [NaN, Infinity, Infinity, "\\ud800"]}'
