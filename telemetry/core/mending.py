"""Mending an event before it is taken in after all: what a person says should have been sent instead.

Nothing here looks at what the spec wants: whether the mended event is as planned is for ``process_event`` to say.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec

from telemetry.core.enums import PropertyType
from telemetry.core.events import Envelope
from telemetry.core.timestamps import parse_timestamp
from telemetry.core.values import EventName, PositiveInt, Value

__all__ = ["FIELDS_OF_STEPS", "Mending", "MendingKind", "MendingStep", "described", "mend", "names_after"]

# As long as names of declared properties; undeclared ones that are longer can be dropped together.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
# The fields that each kind of step needs, by the names of documents; it takes no others.
FIELDS_OF_STEPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "rename": frozenset({"property", "to"}),
        "drop": frozenset({"property"}),
        "cast": frozenset({"property", "type"}),
        "drop_undeclared": frozenset(),
    }
)
# Whole seconds up to the year 9999, then milliseconds: the same figure never means both.
_LAST_SECOND: Final = 253_402_300_799


class MendingKind(StrEnum):
    """What a step does.

    ``rename``: the value of ``property`` is that of ``to`` instead, unless the event has ``to`` already. ``drop``: the
    event has no such property. ``cast``: the value is of this ``type`` where it can be read as one, else it stays.
    ``drop_undeclared``: event and context have only what their contract declares.
    """

    RENAME = "rename"
    DROP = "drop"
    CAST = "cast"
    DROP_UNDECLARED = "drop_undeclared"


class MendingStep(Value, frozen=True, kw_only=True):
    """One change of an event's properties; see ``MendingKind`` for which of the other fields go with which."""

    step: MendingKind
    property: Name | None = None
    to: Name | None = None
    type: PropertyType | None = None


class Mending(Value, frozen=True, kw_only=True):
    """What is changed of each event: another name, another version, then the steps in their order."""

    event: EventName | None = None
    version: PositiveInt | None = None
    steps: Annotated[tuple[MendingStep, ...], msgspec.Meta(max_length=20)] = ()


def mend(
    envelope: Envelope, mending: Mending, *, declared: Callable[[str, int | None], tuple[frozenset[str], ...] | None]
) -> Envelope:
    """The envelope as it should have been sent; the given one stays as it is.

    ``declared`` tells the names of the properties and of the context's keys that the contract of this event name and
    version declares, ``None`` if there is no such contract; it is asked only for ``drop_undeclared``.
    """
    name = envelope.name if mending.event is None else mending.event
    version = envelope.version if mending.version is None else mending.version
    properties, metadata = dict(envelope.properties), dict(envelope.context.metadata)
    for step in mending.steps:
        if step.step is MendingKind.DROP_UNDECLARED:
            names = declared(name, version)
            if names is not None:
                properties = _only(properties, names[0])
                metadata = _only(metadata, names[1])
        else:
            _change(properties, step)
    context = msgspec.structs.replace(envelope.context, metadata=metadata)
    return msgspec.structs.replace(envelope, name=name, version=version, properties=properties, context=context)


def _only(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _change(properties: dict[str, Any], step: MendingStep) -> None:
    name = step.property
    if name is None or name not in properties:
        return
    if step.step is MendingKind.DROP:
        del properties[name]
    elif step.step is MendingKind.CAST and step.type is not None:
        properties[name] = _CASTS[step.type](properties[name])
    elif step.step is MendingKind.RENAME and step.to is not None and step.to not in properties:
        properties[step.to] = properties.pop(name)


def _as_text(value: Any) -> Any:
    if value is True or value is False:
        return "true" if value else "false"
    # No longer number is a value of an event, and Python refuses to write very long ones.
    is_number = type(value) is float or (type(value) is int and abs(value) < 10**30)
    return str(value) if is_number else value


def _as_number(value: Any) -> Any:
    if type(value) is not str:
        return value
    for read in (int, float):
        try:
            return read(value.strip())
        except ValueError:
            continue
    return value


def _as_truth(value: Any) -> Any:
    word = value.strip().lower() if type(value) is str else str(value) if type(value) is int else ""
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(word, value)


def _as_timestamp(value: Any) -> Any:
    """Seconds or milliseconds since 1970 as RFC 3339; text that is a timestamp without a zone is taken for UTC."""
    if type(value) is str:
        with_zone = f"{value.strip()}Z"
        return with_zone if parse_timestamp(value) is None and parse_timestamp(with_zone) is not None else value
    if type(value) is not int and type(value) is not float:
        return value
    seconds = value if abs(value) <= _LAST_SECOND else value / 1000
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return value


_CASTS: Final[Mapping[PropertyType, Callable[[Any], Any]]] = MappingProxyType(
    {
        PropertyType.STRING: _as_text,
        PropertyType.NUMBER: _as_number,
        PropertyType.BOOLEAN: _as_truth,
        PropertyType.TIMESTAMP: _as_timestamp,
        PropertyType.JSON: lambda value: value,
    }
)


def names_after(names: Iterable[str], mending: Mending) -> dict[str, str]:
    """Under which name each of the properties is after the mending; those that are left out are missing."""
    at = {name: name for name in names}
    for step in mending.steps:
        moved = [origin for origin, name in at.items() if name == step.property]
        for origin in moved:
            if step.step is MendingKind.DROP:
                del at[origin]
            elif step.step is MendingKind.RENAME and step.to is not None:
                at[origin] = step.to
    return at


def described(mending: Mending) -> list[str]:
    """The changes in words, for the trace of what was done."""
    words = [] if mending.event is None else [f"name it {mending.event}"]
    words += [] if mending.version is None else [f"take it for version {mending.version}"]
    return [*words, *map(_words, mending.steps)]


def _words(step: MendingStep) -> str:
    match step.step:
        case MendingKind.RENAME:
            return f"rename {step.property} to {step.to}"
        case MendingKind.DROP:
            return f"drop {step.property}"
        case MendingKind.CAST:
            return f"read {step.property} as {step.type}"
        case MendingKind.DROP_UNDECLARED:
            return "drop what is not declared"
