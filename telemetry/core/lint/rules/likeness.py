"""Rules about names that are taken for each other, and one name that means two things."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import Severity
from telemetry.core.lint.likeness import find_alike
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec

__all__ = ["LIKENESS_RULES"]

_LIKE: Final = {
    "spelling": "the same words as {} in another notation",
    "order": "the same words as {} in another order",
    "letter": "one letter away from {}",
}


def near_duplicate_event(linted: LintedSpec) -> Iterator[Problem]:
    """An event whose name is nearly that of another; a deprecated one may be, since something replaces it."""
    alike = find_alike(event.definition.name for event in linted.current_events)
    for event in linted.current_events:
        if event.definition.name in alike:
            other, likeness = alike[event.definition.name]
            yield Problem((*event.path, "name"), f"is {_LIKE[likeness].format(other)}")


def near_duplicate_property(linted: LintedSpec) -> Iterator[Problem]:
    """A property whose name is nearly that of another; a letter away counts only where the types differ too."""
    places = [each for event in linted.current_events for each in event.properties]
    alike = find_alike(each.name for each in places)
    types: dict[str, set[str]] = {}
    for each in places:
        types.setdefault(each.name, set()).add(each.definition.type)
    for each in places:
        if each.name in alike:
            other, likeness = alike[each.name]
            if likeness != "letter" or each.definition.type not in types[other]:
                yield Problem(each.path, f"is {_LIKE[likeness].format(other)}")


def property_type_conflict(linted: LintedSpec) -> Iterator[Problem]:
    """A name that has one type in one event and another in the next; versions of one event may differ."""
    seen: dict[str, dict[str, str]] = {}
    for event in linted.current_events:
        for each in event.properties:
            known = seen.setdefault(each.name, {})
            for type_, event_name in known.items():
                if type_ != each.definition.type and event_name != event.definition.name:
                    yield Problem((*each.path, "type"), f"is {each.definition.type} here, and {type_} in {event_name}")
                    break
            known.setdefault(each.definition.type, event.definition.name)


LIKENESS_RULES = table(
    "likeness",
    (
        near_duplicate_event,
        Severity.WARNING,
        "Events have names that nobody takes for each other.",
        "Use the event that there is, or a name that says the difference.",
    ),
    (
        near_duplicate_property,
        Severity.WARNING,
        "Properties that mean the same have the same name.",
        "Use the name that the other events use.",
    ),
    (
        property_type_conflict,
        Severity.WARNING,
        "A property name has one type throughout the spec.",
        "Use the type of the other events, or another name.",
    ),
)
