"""Rules about sampling conditions: those that are decided before any event has come, and those that name people."""

from collections.abc import Iterator

from telemetry.core.conditions.source import ConditionSource
from telemetry.core.enums import PropertyType, Severity
from telemetry.core.lint.certainty import Variable, always_holds, never_holds
from telemetry.core.lint.formula import Comparison, Formula, Junction, Negation, read_formula
from telemetry.core.lint.personal import is_identifier_name, personal_kind
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedEvent, LintedProperty, LintedSpec

__all__ = ["CONDITION_RULES"]

_SUBJECTS = frozenset(f"context.{name}" for name in ("userId", "sessionId", "deviceId", "actor"))
_CONTEXT = (*_SUBJECTS, "context.tenantId", "context.organizationId", "context.channel")


def condition_never_true(linted: LintedSpec) -> Iterator[Problem]:
    """A condition, or all of them together, that no event can meet."""
    for event, variables, formulas in _conditions(linted):
        place = (*event.path, "sampling", "conditions")
        never = [index for index, formula in enumerate(formulas) if never_holds(formula, variables)]
        for index in never:
            yield Problem((*place, index), "can never be true, so that the event's rate never applies")
        if not never and len(formulas) > 1 and never_holds(Junction("&&", formulas), variables):
            yield Problem(place, "can never be true together, so that the event's rate never applies")


def condition_always_true(linted: LintedSpec) -> Iterator[Problem]:
    """A condition that every event meets."""
    for event, variables, formulas in _conditions(linted):
        for index, formula in enumerate(formulas):
            if always_holds(formula, variables):
                yield Problem((*event.path, "sampling", "conditions", index), "is true for every event")


def condition_repeated(linted: LintedSpec) -> Iterator[Problem]:
    """The same condition twice; blanks make no difference."""
    for event in linted.events:
        seen: dict[tuple[str, ...], int] = {}
        for index, condition in enumerate(event.conditions):
            text = tuple(token.text for token in ConditionSource(condition).tokens)
            first = seen.setdefault(text, index)
            if first != index:
                path = (*event.path, "sampling", "conditions", index)
                yield Problem(path, f"says the same as conditions[{first}]")


def personal_data_in_condition(linted: LintedSpec) -> Iterator[Problem]:
    """A condition that compares somebody's data with a text, which every app then gets to read."""
    for event, _, formulas in _conditions(linted):
        personal = {
            *_SUBJECTS,
            *(f"properties.{each.name}" for each in event.properties if _is_personal(each)),
            *(f"context.metadata.{each.name}" for each in linted.context_properties if _is_personal(each)),
        }
        for index, formula in enumerate(formulas):
            if any(atom.variable in personal and _has_text(atom) for atom in _comparisons(formula)):
                path = (*event.path, "sampling", "conditions", index)
                yield Problem(path, "names somebody's data, and every app that fetches the config can read it")


def _conditions(linted: LintedSpec) -> Iterator[tuple[LintedEvent, dict[str, Variable], tuple[Formula, ...]]]:
    """The events that have conditions, with what is known of their variables."""
    for event in linted.events:
        if event.conditions:
            variables = _variables(linted, event)
            types = {name: variable.type for name, variable in variables.items()}
            yield event, variables, tuple(read_formula(condition, types) for condition in event.conditions)


def _variables(linted: LintedSpec, event: LintedEvent) -> dict[str, Variable]:
    variables = {name: Variable(PropertyType.STRING) for name in _CONTEXT}
    variables |= {f"context.metadata.{each.name}": _variable(each) for each in linted.context_properties}
    return variables | {f"properties.{each.name}": _variable(each) for each in event.properties}


def _variable(each: LintedProperty) -> Variable:
    definition = each.definition
    # Null is a value of json, but no value to a condition.
    is_required = definition.required and definition.type is not PropertyType.JSON
    kind = "number" if definition.type is PropertyType.NUMBER else "text"
    return Variable(definition.type, is_required, tuple((kind, value) for value in definition.allowed_values))


def _is_personal(each: LintedProperty) -> bool:
    if each.definition.pii is not None:
        return each.definition.pii
    type_ = each.definition.type
    return personal_kind(each.name, type_) is not None or is_identifier_name(each.name, type_)


def _comparisons(formula: Formula) -> Iterator[Comparison]:
    if isinstance(formula, Comparison):
        yield formula
    elif isinstance(formula, Negation):
        yield from _comparisons(formula.part)
    elif isinstance(formula, Junction):
        for part in formula.parts:
            yield from _comparisons(part)


def _has_text(atom: Comparison) -> bool:
    return any(kind == "text" and value for kind, value in atom.values)


CONDITION_RULES = table(
    "conditions",
    (
        condition_never_true,
        Severity.ERROR,
        "Every condition can be true.",
        "Correct the condition; as it is, the spec's default rate always applies.",
    ),
    (
        condition_always_true,
        Severity.WARNING,
        "Every condition can be false.",
        "Remove it, or correct what it compares.",
    ),
    (
        condition_repeated,
        Severity.WARNING,
        "Every condition is stated once.",
        "Remove the repetition.",
    ),
    (
        personal_data_in_condition,
        Severity.WARNING,
        "Conditions do not name anybody.",
        "Compare something that is no personal data, such as a plan or a channel.",
    ),
)
