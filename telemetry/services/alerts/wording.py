"""What a message says: templates with named places, filled with words that cannot become anything else.

Pure: it knows words, and nothing of rows.
"""

import string
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

from telemetry.core.errors import FieldError, InvalidDocument

__all__ = [
    "BODY",
    "EXAMPLE",
    "LONGEST_BODY",
    "LONGEST_SUBJECT",
    "PLACES",
    "SUBJECT",
    "Message",
    "check_templates",
    "one_line",
    "preview",
    "write",
]

# Source: RFC 5322, section 2.1.1: lines of a mail should not be longer than 78 and must not be longer than 998.
LONGEST_SUBJECT: Final = 200
LONGEST_BODY: Final = 4_000

# Each place with what stands there.
PLACES: Final[Mapping[str, str]] = {
    "state": "opened, open again, acknowledged or resolved",
    "event": "the event's name",
    "version": "the event's version",
    "rule": "the rule's name",
    "what": "what the rule watches, in words",
    "reading": "how the metric was when it began, in words and without any value of an event",
    "side": "low or high",
    "minutes": "the width of the rule's windows",
    "tenant": "the tenant's name in addresses",
    "app": "the app's name in addresses",
    "environment": "the installation's environment",
    "began": "when the first window in breach starts, UTC",
    "link": "the address of the incident's page, where it is acknowledged, muted and resolved",
}
SUBJECT: Final = "[{state}] {event} at {tenant} {environment}"
BODY: Final = """{event}@{version} of {app} at {tenant}, {environment}: {state}.

Rule: {what}
Reading: {reading}
Began: {began}

Look, acknowledge or mute: {link}
"""
EXAMPLE: Final[Mapping[str, str]] = {
    "state": "opened",
    "event": "sigil.telemetry.workflow_step",
    "version": "1",
    "rule": "threshold:durationMs",
    "what": "a value of durationMs is above 1,500",
    "reading": "10 of 12 values are above the maximum of 1,500",
    "side": "high",
    "minutes": "5",
    "tenant": "acme",
    "app": "sigil",
    "environment": "production",
    "began": "2026-11-26 12:00 UTC",
    "link": "https://studio.example.com/studio/incidents/17/",
}


class Message(NamedTuple):
    """One line, and the text."""

    subject: str
    text: str


def write(subject: str, body: str, words: Mapping[str, str]) -> Message:
    """The templates, the standard ones where they are empty, filled with the words; places without a word stay empty.

    Whatever the words are: the subject is one line, and each word stays on its line. The templates were checked.
    """
    filled = {place: one_line(words.get(place, "")) for place in PLACES}
    title = one_line((subject or SUBJECT).format_map(filled))[:LONGEST_SUBJECT]
    return Message(title, (body or BODY).format_map(filled).strip() + "\n")


def preview(subject: str, body: str) -> Message:
    """What the templates make of an example; raises ``InvalidDocument`` for what is wrong with them."""
    check_templates(subject, body)
    return write(subject, body, EXAMPLE)


def check_templates(subject: str, body: str) -> None:
    """Raises ``InvalidDocument`` that names ``subject`` and ``body`` for what is no template of ours.

    Places are names in braces, nothing more: no attributes, no formats. A brace itself is written twice.
    """
    errors = [*_faults("subject", subject, LONGEST_SUBJECT), *_faults("body", body, LONGEST_BODY)]
    if any(ord(character) < 32 for character in subject):
        errors.append(FieldError("wrong_form", "subject", "must be one line"))
    if errors:
        raise InvalidDocument(errors, what="template")


def one_line(text: str) -> str:
    """The text without anything that ends a line, hides or turns what follows."""
    spaced = "".join(" " if unicodedata.category(each) in _BREAKING else each for each in text)
    return " ".join(spaced.split())


# Control and format characters (line ends and changes of direction among them), lone surrogates, separators of lines.
_BREAKING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _faults(path: str, template: str, longest: int) -> list[FieldError]:
    if len(template) > longest:
        return [FieldError("too_long", path, f"must not be longer than {longest} characters")]
    if any(each not in "\n\t" and unicodedata.category(each) in _BREAKING for each in template):
        return [FieldError("wrong_form", path, "must not contain control characters")]
    try:
        parts = [part for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError:
        return [FieldError("wrong_form", path, "has a brace without its partner; write a brace itself twice")]
    if any(form or conversion for _, _, form, conversion in parts):
        return [FieldError("wrong_form", path, "must name places only, such as {event}, without a format")]
    unknown = [name for _, name, _, _ in parts if name not in PLACES]
    if unknown:
        known = ", ".join(PLACES)
        return [FieldError("unknown_place", path, f"names a place that there is not; there are: {known}")]
    return []
