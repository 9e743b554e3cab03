"""What a config would make of an event, by chance instead of by dice; and events that are fit to be kept for that."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from telemetry.core.compiled import CompiledConfig, CompiledEvent, CompiledProperty, CompiledRules
from telemetry.core.context_privacy import protect_context
from telemetry.core.enums import PropertyType
from telemetry.core.events import Context, Envelope
from telemetry.core.intake import InvalidEnvelope, take_envelope
from telemetry.core.payload import InvalidValue
from telemetry.core.pipeline import explain_sampling
from telemetry.core.reading import read_event
from telemetry.core.redaction import mask_value

__all__ = ["Rehearsed", "harmless_envelope", "rehearse"]

IsSafeName = Callable[[str], bool]


class Rehearsed(NamedTuple):
    """What would become of one event.

    ``chance`` (0-1) is how likely it would be kept: the rate that applies, 0 when it would be refused or is disabled.
    ``hidden`` counts the values that would be hidden or left out if it were kept.
    """

    chance: float
    is_refused: bool
    is_violating: bool
    hidden: int


def rehearse(envelope: Envelope, compiled: CompiledConfig) -> Rehearsed:
    """What ``process_event`` would make of the event under this config, on average over all subjects."""
    try:
        taken = take_envelope(envelope)
    except InvalidEnvelope:
        return Rehearsed(0.0, is_refused=True, is_violating=True, hidden=0)
    rules = compiled.find(taken.name, taken.version)
    if rules is None:
        return Rehearsed(0.0, is_refused=True, is_violating=True, hidden=0)
    event = read_event(taken, rules)
    is_violating = bool(event.violations)
    if event.is_refused:
        return Rehearsed(0.0, is_refused=True, is_violating=True, hidden=0)
    decision = explain_sampling(envelope, compiled)
    hidden = sum(name in event.properties for name in rules.properties.hidden) + len(event.hidden)
    chance = 0.0 if decision is None else decision.inclusion_probability
    return Rehearsed(chance, is_refused=False, is_violating=is_violating, hidden=hidden)


def harmless_envelope(envelope: Envelope, rules: CompiledEvent | None, is_safe_name: IsSafeName) -> Envelope:
    """The event with all that makes it valid, or not, and nothing of what its rules hide.

    Values that are declared, valid and shown stay. A hidden one becomes another of its type, and one of those that are
    allowed; what is wrong or undeclared becomes a harmless value of its own type, under its name if that is safe to
    show. No ids of people, and no id of the event.
    """
    metadata = _harmless(envelope.context.metadata, None if rules is None else rules.metadata, is_safe_name)
    context, _ = protect_context(_without_people(envelope.context), metadata, None, set())
    return msgspec.structs.replace(
        envelope,
        id="sample",
        properties=_harmless(envelope.properties, None if rules is None else rules.properties, is_safe_name),
        context=context,
    )


def _without_people(context: Context) -> Context:
    return msgspec.structs.replace(context, user_id=None, session_id=None, device_id=None, actor=None)


def _harmless(values: Mapping[str, Any], rules: CompiledRules | None, is_safe_name: IsSafeName) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        rule = None if rules is None else rules.all.get(name)
        if rule is not None:
            found[name] = _of_rule(value, rule)
        elif is_safe_name(name):
            found[name] = mask_value(value, PropertyType.JSON)
    return found


def _of_rule(value: Any, rule: CompiledProperty) -> Any:
    if value is None:
        return None
    try:
        rule.read(value)
    except InvalidValue:
        return mask_value(value, PropertyType.JSON)
    if rule.redactor is None:
        return value
    return min(rule.allowed, key=str) if rule.allowed else mask_value(value, rule.type)
