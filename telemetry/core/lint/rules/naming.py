"""Rules about names: one grammar for events, one notation for properties, tags that find each other."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.shapes import Path

__all__ = ["NAMING_RULES"]

# Source: the names of the seed, "sigil.telemetry.workflow_step".
_EVENT_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*)*").fullmatch
_VERSION_SUFFIX: Final = re.compile(r".*[._ -]?(?<![a-z])v(?:er|ersion)?[._]?[0-9]+", re.IGNORECASE).fullmatch
_CAMEL: Final = re.compile(r"[a-z][a-z0-9]*(?:[A-Z][a-zA-Z0-9]*)+").fullmatch
_SNAKE: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+").fullmatch
_ONE_WORD: Final = re.compile(r"[a-z][a-z0-9]*").fullmatch


def event_name_grammar(linted: LintedSpec) -> Iterator[Problem]:
    """Not made of lower-case words with underscores, joined by dots."""
    for event in linted.current_events:
        if not _EVENT_NAME(event.definition.name):
            yield Problem((*event.path, "name"), "is not made of snake_case words joined by dots")


def event_name_prefix(linted: LintedSpec) -> Iterator[Problem]:
    """Does not begin with the spec's domain, where that can be part of a name."""
    domain = re.sub(r"[ -]+", "_", linted.spec.meta.domain.strip().lower())
    if not _EVENT_NAME(domain):
        return
    for event in linted.current_events:
        name = event.definition.name
        if _EVENT_NAME(name) and not name.startswith(f"{domain}."):
            yield Problem((*event.path, "name"), f"does not begin with {domain}. as the spec's domain asks")


def event_name_has_version(linted: LintedSpec) -> Iterator[Problem]:
    """The name counts versions, which is what the version is for."""
    for event in linted.current_events:
        if _VERSION_SUFFIX(event.definition.name):
            yield Problem((*event.path, "name"), "ends in a version number")


def property_name_style(linted: LintedSpec) -> Iterator[Problem]:
    """Written in another notation than most properties of the spec."""
    styles = [(each.path, _style(each.name)) for each in linted.properties()]
    counts = Counter(style for _, style in styles if style in ("camelCase", "snake_case"))
    # Without a majority, the notation of documents and of the seed's example holds.
    usual = "snake_case" if counts["snake_case"] > counts["camelCase"] else "camelCase"
    for path, style in styles:
        if style not in (usual, "one word"):
            yield Problem(path, f"is written in {style}, where {usual} is usual")


def tag_spelling(linted: LintedSpec) -> Iterator[Problem]:
    """The same tag in different cases or with different joints, which no search finds together."""
    seen: dict[str, str] = {}
    for path, tag in _tags(linted):
        first = seen.setdefault(re.sub(r"[_.:/-]", "-", tag.lower()), tag)
        if first != tag:
            yield Problem(path, f"is written {first} elsewhere")


def _style(name: str) -> str:
    if _ONE_WORD(name):
        return "one word"
    if _CAMEL(name):
        return "camelCase"
    return "snake_case" if _SNAKE(name) else "a notation of its own"


def _tags(linted: LintedSpec) -> Iterator[tuple[Path, str]]:
    for index, tag in enumerate(linted.spec.meta.tags):
        yield ("meta", "tags", index), tag
    for event in linted.events:
        for index, tag in enumerate(event.definition.tags):
            yield (*event.path, "tags", index), tag


NAMING_RULES = table(
    "naming",
    (
        event_name_grammar,
        Severity.WARNING,
        "Event names are snake_case words joined by dots.",
        "Write it like sigil.workflow_started; opt out if clients outside your reach send it as it is.",
    ),
    (
        event_name_prefix,
        Severity.WARNING,
        "Event names begin with the domain of their spec.",
        "Put the domain and a dot before the name, or move the event to the spec of its domain.",
    ),
    (
        event_name_has_version,
        Severity.WARNING,
        "Event names carry no version.",
        "Take it out of the name, and raise the event's version.",
    ),
    (
        tag_spelling,
        Severity.INFO,
        "A tag is written the same everywhere.",
        "Use one spelling of the tag.",
    ),
    (
        property_name_style,
        Severity.INFO,
        "The properties of a spec are written in one notation.",
        "Use the notation of the other properties in the event's next version.",
    ),
)
