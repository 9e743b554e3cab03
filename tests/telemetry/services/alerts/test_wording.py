"""Templates: what they may say, and that words stay words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from telemetry.core.errors import InvalidDocument
from telemetry.services.alerts.wording import BODY, EXAMPLE, PLACES, SUBJECT, check_templates, preview, write


def test_the_standard_templates_are_valid_and_the_example_fills_every_place() -> None:
    check_templates(SUBJECT, BODY)
    assert set(EXAMPLE) == set(PLACES)

    message = preview("", "")

    assert message.subject == "[opened] sigil.telemetry.workflow_step at acme production"
    assert "10 of 12 values are above the maximum of 1,500" in message.text
    assert message.text.endswith("https://studio.example.com/studio/incidents/17/\n")


def test_a_template_of_ones_own_is_filled() -> None:
    assert preview("{{{event}}}: {side}", "{what}\n{link}").subject == "{sigil.telemetry.workflow_step}: high"


@pytest.mark.parametrize(
    ("subject", "body", "path", "said"),
    [
        ("{secret}", "", "subject", "names a place that there is not"),
        ("", "{event.__class__}", "body", "names a place that there is not"),
        ("", "{event[0]}", "body", "names a place that there is not"),
        ("", "{}", "body", "names a place that there is not"),
        ("", "{event!r}", "body", "must name places only"),
        ("", "{event:>9999999999}", "body", "must name places only"),
        ("{event", "", "subject", "a brace without its partner"),
        ("", "event}", "body", "a brace without its partner"),
        ("one\ntwo", "", "subject", "must be one line"),
        ("a\x00", "", "subject", "must not contain control characters"),
        ("", "turned \u202e around", "body", "must not contain control characters"),
        ("s" * 201, "", "subject", "must not be longer than 200 characters"),
        ("", "b" * 4001, "body", "must not be longer than 4000 characters"),
    ],
)
def test_what_is_no_template_is_refused_by_its_place(subject: str, body: str, path: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        preview(subject, body)

    assert {error.path for error in refused.value.errors} == {path}
    assert said in " ".join(error.message for error in refused.value.errors)


@given(words=some.dictionaries(some.sampled_from(sorted(PLACES)), some.text()))
def test_whatever_the_words_are_the_subject_is_one_line_and_no_word_starts_one(words: dict[str, str]) -> None:
    message = write("{event} {rule} {tenant}", "Event: {event}\nRule: {rule}\n", words)

    assert len(message.subject) <= 200
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs") for each in message.subject)
    lines = message.text.split("\n")
    assert len(lines) == 3
    assert lines[0].startswith("Event:")
    assert lines[1].startswith("Rule:")
