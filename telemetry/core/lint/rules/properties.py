"""Rules about what properties hold: units, types that fit their names, lists of values."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import PropertyType, Severity
from telemetry.core.lint.measures import lacks_unit
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.lint.words import word_set

__all__ = ["PROPERTY_RULES"]

# More than a form shows at once or a reader keeps in mind; the type itself admits 500.
_MOST_PROPERTIES: Final = 50
_INSTANT_WORDS: Final = word_set("at timestamp datetime")
_TRUTH_WORDS: Final = word_set("is has can should was did")


def unit_missing(linted: LintedSpec) -> Iterator[Problem]:
    """A number of something, and neither name nor unit says of what."""
    for each in linted.properties():
        if each.definition.type is PropertyType.NUMBER and not each.definition.unit.strip() and lacks_unit(each.name):
            yield Problem(each.path, "measures something, and neither its name nor its unit says in what")


def instant_of_other_type(linted: LintedSpec) -> Iterator[Problem]:
    """Named like an instant, typed like text or a number."""
    for each in linted.properties():
        is_other = each.definition.type in (PropertyType.STRING, PropertyType.NUMBER)
        if is_other and len(each.words) > 1 and each.words[-1] in _INSTANT_WORDS:
            yield Problem((*each.path, "type"), "reads like an instant, and is no timestamp")


def truth_of_other_type(linted: LintedSpec) -> Iterator[Problem]:
    """Named like a yes or no, typed like text or a number."""
    for each in linted.properties():
        is_other = each.definition.type in (PropertyType.STRING, PropertyType.NUMBER)
        if is_other and len(each.words) > 1 and each.words[0] in _TRUTH_WORDS:
            yield Problem((*each.path, "type"), "reads like a yes or no, and is no boolean")


def allowed_value_repeated(linted: LintedSpec) -> Iterator[Problem]:
    """The same value twice in a list of allowed ones."""
    for each in linted.properties():
        values = each.definition.allowed_values
        if len(set(values)) < len(values):
            first_at: dict[float | str, int] = {}
            for index, value in enumerate(values):
                first = first_at.setdefault(value, index)
                if first != index:
                    yield Problem((*each.path, "allowedValues", index), f"is the same as allowedValues[{first}]")


def too_many_properties(linted: LintedSpec) -> Iterator[Problem]:
    """An event that says everything about everything."""
    for event in linted.current_events:
        if len(event.properties) > _MOST_PROPERTIES:
            yield Problem((*event.path, "properties"), f"has {len(event.properties)} properties")


PROPERTY_RULES = table(
    "properties",
    (
        unit_missing,
        Severity.WARNING,
        "Numbers say what they count.",
        "Set unit, such as ms or EUR, or end the name with it: durationMs.",
    ),
    (
        allowed_value_repeated,
        Severity.WARNING,
        "Each allowed value is listed once.",
        "Remove the repetition.",
    ),
    (
        too_many_properties,
        Severity.WARNING,
        f"An event has at most {_MOST_PROPERTIES} properties.",
        "Split the event, or leave out what no reader asks for.",
    ),
    (
        instant_of_other_type,
        Severity.INFO,
        "Instants are timestamps.",
        "Use the type timestamp, which is checked and sorted as one.",
    ),
    (
        truth_of_other_type,
        Severity.INFO,
        "Yes and no are booleans.",
        "Use the type boolean.",
    ),
)
