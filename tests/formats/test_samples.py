"""Properties read off a pasted sample."""

from typing import Any

import pytest

from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidDocument
from telemetry.formats.samples import LONGEST_SAMPLE, properties_of_sample
from tests.core.builders import make_property


def types(text: str) -> dict[str, str]:
    return {name: definition.type.value for name, definition in properties_of_sample(text).items()}


def test_a_payload_shows_names_and_types_in_its_order() -> None:
    sample = """{"step": "verify", "durationMs": 2100.5, "retries": 3, "done": true, "at": "2026-01-15T09:30:00+01:00",
                 "day": "2026-01-15", "tags": ["a"], "more": {"a": 1}, "nothing": null}"""

    assert types(sample) == {
        "step": "string",
        "durationMs": "number",
        "retries": "number",
        "done": "boolean",
        "at": "timestamp",
        "day": "string",
        "tags": "json",
        "more": "json",
        "nothing": "string",
    }


def test_several_payloads_together_show_what_all_of_them_may_hold() -> None:
    sample = '[{"a": 1, "b": "x", "t": "2026-01-15T09:30:00Z"}, {"a": "one", "b": null, "c": false, "t": "soon"}]'

    assert types(sample) == {"a": "json", "b": "string", "t": "string", "c": "boolean"}


def test_names_that_look_personal_are_suggested_as_personal_and_hidden() -> None:
    found = properties_of_sample('{"email": "a@example.com", "userId": "u-1", "plan": "pro", "emailVerified": true}')

    assert found == {
        "email": make_property(pii=True, redact=True),
        "userId": make_property(pii=True, redact=True),
        "plan": make_property(),
        "emailVerified": make_property("boolean"),
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_of_definitions_is_taken_as_it_says(delimiter: str) -> None:
    lines = [
        ("Name", "Type", "required", "pii", "redact", "unit", "description", "remark"),
        ("workflow", "string", "yes", "", "", "", "Which one", "ignored"),
        ("durationMs", "NUMBER", "no", "", "", "ms", "", ""),
        ("userId", "", "", "no", "no", "", "", ""),
        ("email", "string", "x", "", "", "", "", ""),
    ]

    found = properties_of_sample("\r\n".join(delimiter.join(line) for line in lines))

    assert found == {
        "workflow": make_property(required=True, description="Which one"),
        "durationMs": make_property("number", unit="ms"),
        "userId": make_property(pii=False),
        "email": make_property(required=True, pii=True, redact=True),
    }


def test_a_table_of_values_shows_what_its_columns_hold() -> None:
    sample = (
        "step,durationMs,done,code,at,more,empty\n"
        'verify,12.5,TRUE,007,2026-01-15T09:30:00Z,"{""a"": 1}",\n'
        "\n"
        "pay,-3,false,42,,,\n"
    )

    assert types(sample) == {
        "step": "string",
        "durationMs": "number",
        "done": "boolean",
        "code": "json",
        "at": "timestamp",
        "more": "json",
        "empty": "string",
    }


def test_a_line_of_names_alone_is_enough() -> None:
    assert types("first;second") == {"first": "string", "second": "string"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold a JSON payload"),
        ("  \n", "must hold a JSON payload"),
        ("x" * (LONGEST_SAMPLE + 1), "at most"),
        ('{"a": ', r"must be JSON that can be read \(line 1, column 7\)"),
        ("[1, 2]", "a list of objects"),
        ("[]", "a list of objects"),
        ("[" * 100_000, "must be JSON"),
        ("a,a\n1,2", "each column once"),
        ("name,type\nx,string\nx,number", "in the table twice"),
        ("name,type,pii\nx,string,perhaps", "yes or no"),
        ("name,type\nx,blob", "x.type: must be one of"),
        ("naïve,b\n1,2", "must be"),
        (",".join(f"p{index}" for index in range(501)), "at most 500"),
        (f'a\n"{"x" * 150_000}"', "can be read"),
    ],
)
def test_a_sample_that_cannot_be_used_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        properties_of_sample(text)


def test_what_is_wrong_never_repeats_a_value() -> None:
    for text in ('{"email": "secret@example.com', "name,type,pii\nx,string,secret@example.com"):
        with pytest.raises(InvalidDocument) as refused:
            properties_of_sample(text)
        assert "secret" not in str(refused.value)


def test_numbers_that_no_float_can_hold_do_not_stop_the_reading() -> None:
    found: dict[str, Any] = properties_of_sample('{"huge": 1e999, "long": ' + "9" * 400 + "}")

    assert {definition.type for definition in found.values()} == {PropertyType.NUMBER}
