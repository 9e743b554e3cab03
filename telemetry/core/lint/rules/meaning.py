"""Rules about words for people: what happened, who did it, why it is collected, what a property says."""

import re
from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.rules.privacy import needs_reason
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.shapes import Path

__all__ = ["MEANING_RULES"]

# Texts that were to be written later, as a whole or at the beginning.
_PLACEHOLDER: Final = re.compile(
    r"\W*(?:(?:todo|tbd|tba|fix ?me|xxx+|lorem ipsum)\b.*"
    r"|(?:n/?a|none|unknown|test|foo|bar|description|placeholder|asdf|\?+|\.+|-+)\W*)",
    re.IGNORECASE | re.DOTALL,
).fullmatch


def who_missing(linted: LintedSpec) -> Iterator[Problem]:
    """Nobody said who acts."""
    for event in linted.current_events:
        if not event.definition.semantics.who.strip():
            yield Problem((*event.path, "semantics"), "does not say who does it")


def why_missing(linted: LintedSpec) -> Iterator[Problem]:
    """Nobody said what it is collected for."""
    for event in linted.current_events:
        if not event.definition.semantics.why.strip():
            yield Problem((*event.path, "semantics"), "does not say why it is collected")


def property_description_missing(linted: LintedSpec) -> Iterator[Problem]:
    """A property that is only a name; where a reason is asked for, another rule says so."""
    for each in linted.properties():
        if not each.definition.description.strip() and not needs_reason(each):
            yield Problem(each.path, "has no description")


def spec_description_missing(linted: LintedSpec) -> Iterator[Problem]:
    """A spec that is only a title."""
    if not linted.spec.meta.description.strip():
        yield Problem(("meta",), "has no description")


def placeholder_text(linted: LintedSpec) -> Iterator[Problem]:
    """Words that stand for words still to be found."""
    for path, text in _texts(linted):
        if text and _PLACEHOLDER(text.strip()):
            yield Problem(path, "is a placeholder")


def _texts(linted: LintedSpec) -> Iterator[tuple[Path, str]]:
    meta = linted.spec.meta
    yield ("meta", "title"), meta.title
    yield ("meta", "description"), meta.description
    for event in linted.events:
        semantics = event.definition.semantics
        for key, text in (("what", semantics.what), ("who", semantics.who), ("why", semantics.why)):
            yield (*event.path, "semantics", key), text
    for each in linted.properties():
        yield (*each.path, "description"), each.definition.description


MEANING_RULES = table(
    "meaning",
    (
        who_missing,
        Severity.WARNING,
        "Every event says who does it.",
        "Fill in semantics.who, such as 'Person who edits the workflow'.",
    ),
    (
        placeholder_text,
        Severity.WARNING,
        "Texts are written out.",
        "Say it in a sentence, or leave the field out.",
    ),
    (
        why_missing,
        Severity.INFO,
        "Every event says why it is collected.",
        "Fill in semantics.why with the question that it answers.",
    ),
    (
        property_description_missing,
        Severity.INFO,
        "Every property has a description.",
        "Say in a few words what a value means.",
    ),
    (
        spec_description_missing,
        Severity.INFO,
        "The spec has a description.",
        "Say in meta.description what it covers, and for whom.",
    ),
)
