"""The variables of conditions: which names an author may use, and how their values are read from an event.

The names of a condition are replaced by variables of one fixed environment (``__number_0``, ``__string_1``, ...),
because making an environment of its own for each condition costs ten times more than all the rest of compiling.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from cel_expr_python import cel

from telemetry.core.conditions.source import ConditionSource
from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidCondition
from telemetry.core.events import Context
from telemetry.core.payload import InvalidValue, plain_json
from telemetry.core.timestamps import parse_timestamp

__all__ = ["ENVIRONMENT", "Binding", "Names", "Reader", "Typed", "bind_names"]


class Typed(Protocol):
    """Anything with a property type: a definition, or an effective property."""

    @property
    def type(self) -> PropertyType: ...


# Reads one value from an event; ``None`` when it is absent.
Reader = Callable[[Mapping[str, Any], Context], Any]

# No condition needs more names than a person can keep in mind.
_MOST_NAMES: Final = 32
_PRESENCE: Final = "presence"
_TYPES: Final[Mapping[str, Any]] = {
    PropertyType.STRING: cel.Type.STRING,
    PropertyType.NUMBER: cel.Type.DOUBLE,
    PropertyType.BOOLEAN: cel.Type.BOOL,
    PropertyType.TIMESTAMP: cel.Type.TIMESTAMP,
    PropertyType.JSON: cel.Type.DYN,
    _PRESENCE: cel.Type.BOOL,
}
_VARIABLES: Final = {
    f"__{kind}_{number}": cel_type for kind, cel_type in _TYPES.items() for number in range(_MOST_NAMES)
}
# Immutable once made, and safe to share between threads.
ENVIRONMENT: Final = cel.NewEnv(variables=_VARIABLES)

_CONTEXT_FIELDS: Final = {
    "context.tenantId": "tenant_id",
    "context.organizationId": "organization_id",
    "context.userId": "user_id",
    "context.sessionId": "session_id",
    "context.deviceId": "device_id",
    "context.actor": "actor",
    "context.channel": "channel",
}
_METADATA: Final = "context.metadata."
_PROPERTIES: Final = "properties."
# What CEL can write of a property's name, plain or in backticks.
_WRITABLE: Final = re.compile(r"[A-Za-z0-9_. -]+").fullmatch


class Names:
    """What the author of a condition may refer to: the context's fields, metadata and properties by declaration."""

    def __init__(self, properties: Mapping[str, Typed], metadata: Mapping[str, Typed]) -> None:
        self._properties = properties
        self._metadata = metadata

    def __iter__(self) -> Iterator[str]:
        yield from _CONTEXT_FIELDS
        yield from (_PROPERTIES + name for name in self._properties if _WRITABLE(name))
        yield from (_METADATA + name for name in self._metadata if _WRITABLE(name))

    def __contains__(self, name: str) -> bool:
        return self.type_of(name) is not None

    def type_of(self, name: str) -> PropertyType | None:
        """The type of what has this name; ``None`` when nothing has."""
        if name in _CONTEXT_FIELDS:
            return PropertyType.STRING
        if name.startswith(_PROPERTIES):
            rule = self._properties.get(name.removeprefix(_PROPERTIES))
        else:
            rule = self._metadata.get(name.removeprefix(_METADATA)) if name.startswith(_METADATA) else None
        return None if rule is None else rule.type

    def reader_of(self, name: str) -> Reader:
        """How to read what has this name, in the form that the run time takes."""
        read = _raw_reader(name)
        convert = _CONVERSIONS.get(self.type_of(name))
        return read if convert is None else lambda properties, context: convert(read(properties, context))


def _raw_reader(name: str) -> Reader:
    if name in _CONTEXT_FIELDS:
        field = _CONTEXT_FIELDS[name]
        return lambda _properties, context: getattr(context, field)
    if name.startswith(_METADATA):
        key = name.removeprefix(_METADATA)
        return lambda _properties, context: context.metadata.get(key)
    key = name.removeprefix(_PROPERTIES)
    return lambda properties, _context: properties.get(key)


def _instant(value: object) -> object:
    return parse_timestamp(value) if isinstance(value, str) else None


def _bounded_json(value: object) -> object:
    """A copy without cycles: the run time would follow one until the process dies."""
    try:
        return plain_json(value)
    except InvalidValue:
        return None


_CONVERSIONS: Final[Mapping[PropertyType | None, Callable[[object], object]]] = {
    PropertyType.TIMESTAMP: _instant,
    PropertyType.JSON: _bounded_json,
}


class Binding:
    """The variables that stand for the names of one condition: for their values, and for whether they are there."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._values: dict[str, str] = {}
        self._presences: dict[str, str] = {}

    @property
    def values(self) -> tuple[tuple[str, Reader], ...]:
        """Variables to be set to the value that their reader finds."""
        return tuple((variable, self._names.reader_of(name)) for name, variable in self._values.items())

    @property
    def presences(self) -> tuple[tuple[str, Reader], ...]:
        """Variables to be set to whether their reader finds a value."""
        return tuple((variable, self._names.reader_of(name)) for name, variable in self._presences.items())

    def value_of(self, name: str) -> str:
        """The variable for this name's value."""
        return self._values.get(name) or self._add(self._values, name, str(self._names.type_of(name)))

    def presence_of(self, name: str) -> str:
        """The variable for whether this name has a value."""
        return self._presences.get(name) or self._add(self._presences, name, _PRESENCE)

    @staticmethod
    def _add(variables: dict[str, str], name: str, kind: str) -> str:
        variable = f"__{kind}_{len(variables)}"
        if variable not in _VARIABLES:
            raise InvalidCondition(f"too long: at most {_MOST_NAMES} different properties and fields")
        variables[name] = variable
        return variable


def bind_names(source: ConditionSource, names: Names) -> Binding:
    """The binding of all names in the source, which are replaced there by their variables.

    So is ``has(name)``: CEL's own ``has`` knows fields of json values only, and would return the value of a variable.
    """
    binding = Binding(names)
    for index, token in enumerate(source.tokens):
        if token.kind != "name" or (index and source.tokens[index - 1].text == "."):
            continue
        if token.text in _VARIABLES:
            raise InvalidCondition(f"unknown name {token.text!r}", column=token.start + 1)
        if token.text == "has" and source.is_call(index):
            name, end = source.known_name(index + 2, names.__contains__)
            if name and end < len(source.tokens) and source.tokens[end].text == ")":
                source.replace(index, end + 1, binding.presence_of(name))
                continue
        name, end = source.known_name(index, names.__contains__)
        if name:
            source.replace(index, end, binding.value_of(name))
    return binding
