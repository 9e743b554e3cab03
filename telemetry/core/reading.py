"""Checking the properties and metadata of one event against its rules."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from telemetry.core.compiled import CompiledEvent, CompiledRules
from telemetry.core.enums import PropertyType, UndeclaredPolicy, ViolationCode
from telemetry.core.events import Envelope, Violation
from telemetry.core.paths import key_path
from telemetry.core.payload import InvalidValue, plain_json, plain_mapping
from telemetry.core.redaction import level_redacts, mask_value
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["Reading", "read_event", "read_stray", "shown_name"]

# Names that clients made up may carry data ("opened:alice@example.com"). Shown are only those that look like names in
# code; a run of six digits looks like a phone number or an account.
_SHOWN_NAME = re.compile(r"(?!.*[0-9]{6})[A-Za-z_$][A-Za-z0-9_$.:/-]{0,127}").fullmatch


class Reading(msgspec.Struct):
    """An event beside its rules, in plain values and before redaction.

    ``properties`` and ``metadata`` hold what may be passed on, by name, in the order in which it came; undeclared ones
    among them are hidden already, where policy or level ask for it. ``hidden`` are the paths of undeclared values that
    were hidden or left out. ``is_refused`` says that one of the violations forbids the event.
    """

    envelope: Envelope
    rules: CompiledEvent
    properties: dict[str, Any]
    metadata: dict[str, Any]
    hidden: set[str]
    violations: list[Violation]
    is_refused: bool

    def refuse(self, code: ViolationCode, path: str, message: str) -> None:
        """The event may not go on, for this reason."""
        self.violations.append(Violation(code, path, message))
        self.is_refused = True

    def leave_out(self, code: ViolationCode, path: str, message: str) -> None:
        """The event may go on, without this value or with a mask in its place."""
        self.violations.append(Violation(code, path, message))
        self.hidden.add(path)


def shown_name(name: str) -> str | None:
    """The name, when it may stand in a message; ``None`` when it might carry data."""
    return name if _SHOWN_NAME(name) else None


def read_event(envelope: Envelope, rules: CompiledEvent) -> Reading:
    """The event's values, and every violation; ``None`` is a value for json only, else it counts as absent."""
    reading = Reading(envelope, rules, {}, {}, set(), [], False)
    _read_values(reading, reading.properties, envelope.properties, rules.properties)
    metadata = envelope.context.metadata
    if metadata is not EMPTY_MAPPING or rules.metadata.required:
        _read_values(reading, reading.metadata, metadata, rules.metadata)
    return reading


def _read_values(reading: Reading, taken: dict[str, Any], values: Mapping[str, Any], rules: CompiledRules) -> None:
    """Fills ``taken`` with the values of one place."""
    try:
        values = plain_mapping(values)
    except InvalidValue as invalid:
        reading.refuse(invalid.code, rules.path, invalid.message)
        return
    for name, value in values.items():
        rule = rules.all.get(name)
        if rule is None:
            read_stray(reading, taken, name, value, rules)
        elif value is not None or rule.admits_null:
            try:
                taken[name] = rule.read(value)
            except InvalidValue as invalid:
                reading.refuse(invalid.code, rule.path, invalid.message)
    for name, rule in rules.required.items():
        if values.get(name) is None and name not in taken:
            reading.refuse(ViolationCode.MISSING_REQUIRED, rule.path, "is required")


def read_stray(reading: Reading, taken: dict[str, Any], name: str, value: object, rules: CompiledRules) -> None:
    """The policy for undeclared values is applied to one of them: ``taken`` has it, or the reading says why not."""
    is_named = shown_name(name) is not None
    path = key_path(rules.path, name) if is_named else f"{rules.path}[?]"
    if rules.undeclared is UndeclaredPolicy.QUARANTINE:
        reading.refuse(rules.undeclared_code, path, "is not declared; such events are held back")
    elif rules.undeclared is UndeclaredPolicy.DROP:
        reading.leave_out(rules.undeclared_code, path, "is not declared; it was left out")
    elif not is_named:
        reading.leave_out(rules.undeclared_code, path, "is not declared, and its name is not safe; it was left out")
    else:
        _pass_on(reading, taken, name, value, rules)


def _pass_on(reading: Reading, taken: dict[str, Any], name: str, value: object, rules: CompiledRules) -> None:
    """Keeps an undeclared value as policy and privacy level allow it: as it is, or masked."""
    path = key_path(rules.path, name)
    try:
        plain = plain_json(value)
    except InvalidValue as invalid:
        reading.refuse(invalid.code, path, invalid.message)
        return
    if rules.undeclared is UndeclaredPolicy.MASK:
        reading.violations.append(Violation(rules.undeclared_code, path, "is not declared; its value was masked"))
    elif not level_redacts(_type_of(plain), rules.privacy):
        taken[name] = plain
        return
    reading.hidden.add(path)
    taken[name] = mask_value(plain, PropertyType.JSON)


def _type_of(plain: object) -> PropertyType:
    """The type that a property with this value would be declared with."""
    if isinstance(plain, bool):
        return PropertyType.BOOLEAN
    if isinstance(plain, int | float):
        return PropertyType.NUMBER
    return PropertyType.STRING if isinstance(plain, str) else PropertyType.JSON
