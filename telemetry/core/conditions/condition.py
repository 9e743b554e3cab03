"""Conditions: what they may refer to, how they are compiled, and whether they hold.

Source: CEL, https://cel.dev; the run time is Google's C++ implementation (`cel-expr-python`). Two things are added for
authors: whole literals may be compared with numbers (``properties.durationMs > 100``), and ``has(properties.name)``
asks whether a property is there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from cel_expr_python import cel

from telemetry.core.conditions.compiler import compile_source
from telemetry.core.conditions.limits import LONGEST_CONDITION, check_limits
from telemetry.core.conditions.source import ConditionSource
from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidCondition
from telemetry.core.events import Context
from telemetry.core.payload import InvalidValue, is_unicode, plain_json
from telemetry.core.timestamps import parse_timestamp

__all__ = ["Condition", "Typed", "compile_condition"]


class Typed(Protocol):
    """Anything with a property type: a definition, or an effective property."""

    @property
    def type(self) -> PropertyType: ...


_TYPES: Final = {
    PropertyType.STRING: cel.Type.STRING,
    PropertyType.NUMBER: cel.Type.DOUBLE,
    PropertyType.BOOLEAN: cel.Type.BOOL,
    PropertyType.TIMESTAMP: cel.Type.TIMESTAMP,
    PropertyType.JSON: cel.Type.DYN,
}
_CONTEXT_FIELDS: Final = {
    "context.tenantId": "tenant_id",
    "context.organizationId": "organization_id",
    "context.userId": "user_id",
    "context.sessionId": "session_id",
    "context.deviceId": "device_id",
    "context.actor": "actor",
    "context.channel": "channel",
}
# The name under which the run time finds out whether a variable is there; authors write has(...).
_PRESENCE: Final = "has_."
# What makes a name one that CEL can write, plain or in backticks.
_WRITABLE: Final = re.compile(r"[A-Za-z0-9_. -]+").fullmatch

Reader = Callable[[Mapping[str, Any], Context], Any]


class Condition:
    """A compiled condition; immutable, and safe to share between threads."""

    __slots__ = ("_present", "_program", "_read", "expression")

    def __init__(
        self,
        expression: str,
        program: Any,
        read: tuple[tuple[str, Reader], ...],
        present: tuple[tuple[str, Reader], ...],
    ) -> None:
        self.expression = expression
        self._program = program
        self._read = read
        self._present = present

    def __repr__(self) -> str:
        return f"Condition({self.expression!r})"

    def holds(self, properties: Mapping[str, Any], context: Context) -> bool:
        """Whether the condition is true of this event.

        One that cannot be evaluated is not: a property or field that it needs is absent or of another type, a division
        by zero, too many iterations. Never raises.
        """
        data: dict[str, Any] = {}
        for variable, read in self._read:
            value = read(properties, context)
            if value is not None:
                data[variable] = value
        for variable, read in self._present:
            data[variable] = read(properties, context) is not None
        try:
            return self._program.eval(data=data).value() is True
        except (ArithmeticError, RuntimeError, TypeError, ValueError):
            return False


def compile_condition(
    expression: str, properties: Mapping[str, Typed], context_properties: Mapping[str, Typed]
) -> Condition:
    """The condition, checked against the declared types.

    Text is CEL ``string``, number ``double``, boolean ``bool``, timestamp ``timestamp``, json ``dyn``; the context has
    ``tenantId``, ``organizationId``, ``userId``, ``sessionId``, ``deviceId``, ``actor`` and ``channel`` (text), and
    ``metadata`` by declaration. A property whose name is no identifier is written in backticks:
    ``properties.`Product Id```; one with ``$`` in its name cannot be named.
    Raises ``InvalidCondition``, with the column in ``expression``, for what does not compile, is not boolean, or may
    cost too much (see ``limits``).
    """
    if len(expression) > LONGEST_CONDITION:
        raise InvalidCondition(f"too long: at most {LONGEST_CONDITION} characters")
    if not is_unicode(expression):
        raise InvalidCondition("not valid Unicode text")
    source = ConditionSource(expression)
    check_limits(source)
    readers = _readers(properties, context_properties)
    types = {name: cel_type for name, (cel_type, _) in readers.items()}
    present = _rewrite_presence(source, types)
    used = _used_variables(source, types)
    variables = {name: types[name] for name in used} | {_PRESENCE + name: cel.Type.BOOL for name in present}
    program = compile_source(source, cel.NewEnv(variables=variables), types)
    return Condition(
        expression,
        program,
        tuple((name, readers[name][1]) for name in used),
        tuple((_PRESENCE + name, readers[name][1]) for name in present),
    )


def _readers(properties: Mapping[str, Typed], metadata: Mapping[str, Typed]) -> dict[str, tuple[Any, Reader]]:
    """For each variable its CEL type, and how to read it from an event; an absent value reads as ``None``."""
    readers: dict[str, tuple[Any, Reader]] = {
        variable: (cel.Type.STRING, _context_reader(field)) for variable, field in _CONTEXT_FIELDS.items()
    }
    for name, rule in properties.items():
        if _WRITABLE(name):
            readers[f"properties.{name}"] = (_TYPES[rule.type], _property_reader(name, rule.type))
    for name, rule in metadata.items():
        if _WRITABLE(name):
            readers[f"context.metadata.{name}"] = (_TYPES[rule.type], _metadata_reader(name, rule.type))
    return readers


def _context_reader(field: str) -> Reader:
    return lambda _properties, context: getattr(context, field)


def _property_reader(name: str, property_type: PropertyType) -> Reader:
    convert = _CONVERSIONS.get(property_type)
    if convert is None:
        return lambda properties, _context: properties.get(name)
    return lambda properties, _context: convert(properties.get(name))


def _metadata_reader(name: str, property_type: PropertyType) -> Reader:
    convert = _CONVERSIONS.get(property_type)
    if convert is None:
        return lambda _properties, context: context.metadata.get(name)
    return lambda _properties, context: convert(context.metadata.get(name))


def _instant(value: object) -> object:
    return parse_timestamp(value) if isinstance(value, str) else None


def _bounded_json(value: object) -> object:
    """A copy without cycles: the run time would follow one until the process dies."""
    try:
        return plain_json(value)
    except InvalidValue:
        return None


_CONVERSIONS: Final = {PropertyType.TIMESTAMP: _instant, PropertyType.JSON: _bounded_json}


def _rewrite_presence(source: ConditionSource, variables: Iterable[str]) -> list[str]:
    """The variables ``x`` of all ``has(x)``, each replaced by a boolean variable that says whether ``x`` is there.

    CEL's own ``has`` knows fields of json values only: for a variable it would return the value.
    """
    known = set(variables)
    present: dict[str, None] = {}
    for index, token in enumerate(source.tokens):
        if token.text != "has" or not source.is_call(index) or (index and source.tokens[index - 1].text == "."):
            continue
        name, end = source.name_at(index + 2)
        if name not in known or end >= len(source.tokens) or source.tokens[end].text != ")":
            continue
        present[name] = None
        token.text = source.tokens[index + 1].text = source.tokens[end].text = ""
        source.tokens[index + 2].text = _PRESENCE + source.tokens[index + 2].text
    return list(present)


def _used_variables(source: ConditionSource, variables: Iterable[str]) -> list[str]:
    """The variables that the condition names, each once; for ``properties.a.b.c`` the longest one that exists."""
    known = set(variables)
    used: dict[str, None] = {}
    for index in range(len(source.tokens)):
        name, _ = source.name_at(index)
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            used[name] = None
    return list(used)
