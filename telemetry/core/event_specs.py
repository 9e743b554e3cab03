"""What an event is, by contract, apart from telemetry; and where telemetry departs from it.

An EventSpec says what happens in the product and what it carries. A telemetry event of the same name and version is
expected to measure that: with properties that the contract knows, of types that it admits, and with personal data
marked where the contract says that there is some.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec

from telemetry.core.enums import Stability
from telemetry.core.json_types import admits, types_of
from telemetry.core.shapes import Path
from telemetry.core.spec import EventDefinition, Owners, Tags, Text
from telemetry.core.values import EMPTY_MAPPING, EventName, PositiveInt, Value, deep_freeze

__all__ = [
    "Departure",
    "DepartureKind",
    "EventSpec",
    "EventSpecMeta",
    "departures",
    "payload_properties",
    "types_in_words",
]

# Places in the payload, written as paths are everywhere: 'email', 'address.street', '["E-Mail"]'.
PayloadPath = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=500, pattern=r"\S", description="a place in the payload, such as 'address.street'"
    ),
]


class EventSpecMeta(Value, frozen=True, kw_only=True):
    """How a contract is identified and who answers for it: ``name`` and ``version`` together are unique."""

    name: EventName
    version: PositiveInt
    title: Annotated[str, msgspec.Meta(max_length=200)] = ""
    description: Text = ""
    domain: Annotated[str, msgspec.Meta(max_length=100)] = ""
    owners: Owners = ()
    tags: Tags = ()
    stability: Stability = Stability.EXPERIMENTAL


class EventSpec(Value, frozen=True, kw_only=True):
    """One version of an event's contract.

    ``payload`` is a JSON Schema of objects, as plain data; a schema that names no properties leaves them open. ``pii``
    are the places in the payload that hold personal data.
    """

    meta: EventSpecMeta
    payload: Mapping[str, Any] = EMPTY_MAPPING
    pii: Annotated[tuple[PayloadPath, ...], msgspec.Meta(max_length=500)] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "payload", deep_freeze(self.payload))

    @property
    def identity(self) -> tuple[str, int]:
        """Name and version."""
        return self.meta.name, self.meta.version

    @property
    def personal_properties(self) -> frozenset[str]:
        """The properties of the payload that are personal data or hold some."""
        return frozenset(_first_step(path) for path in self.pii)


class DepartureKind(StrEnum):
    """How a telemetry event can differ from its contract."""

    UNKNOWN_PROPERTY = "unknown_property"
    MISSING_PROPERTY = "missing_property"
    OTHER_TYPE = "other_type"
    PII_UNMARKED = "pii_unmarked"
    PII_UNKNOWN = "pii_unknown"


class Departure(NamedTuple):
    """One difference; ``path`` is its place in the event, empty for what is missing there."""

    kind: DepartureKind
    name: str
    path: Path
    message: str


def departures(contract: EventSpec, event: EventDefinition) -> tuple[Departure, ...]:
    """Every way in which the event differs from its contract, in the order of the event, what is missing last."""
    return tuple(_departures(contract, event))


def payload_properties(contract: EventSpec) -> Mapping[str, Any] | None:
    """The schemas of the payload's properties by name; ``None`` when the contract leaves open what they are."""
    found = contract.payload.get("properties")
    return found if isinstance(found, Mapping) else None


def types_in_words(node: Mapping[str, Any]) -> str:
    """The JSON types that a schema admits, such as "number or string"; null, which counts as absent, is left out."""
    types = types_of(node) - {"null"}
    if types >= types_of({}) - {"null"}:
        return "any value"
    return " or ".join(sorted(types - ({"integer"} if "number" in types else set()))) or "no value"


def _departures(contract: EventSpec, event: EventDefinition) -> Iterator[Departure]:
    known = payload_properties(contract)
    personal = contract.personal_properties
    for name, definition in event.properties.items():
        path: Path = ("properties", name)
        if known is not None and name not in known:
            yield Departure(DepartureKind.UNKNOWN_PROPERTY, name, path, "is no property of the EventSpec's payload")
            continue
        node = {} if known is None else known[name]
        if isinstance(node, Mapping) and not admits(node, definition.type):
            message = f"is {definition.type}, where the EventSpec has {types_in_words(node)}"
            yield Departure(DepartureKind.OTHER_TYPE, name, (*path, "type"), message)
        if name in personal and definition.pii is not True:
            message = "is personal data by its EventSpec, and is not marked as such"
            yield Departure(DepartureKind.PII_UNMARKED, name, path, message)
        if definition.pii and name not in personal:
            message = "is marked as personal data, of which its EventSpec says nothing"
            yield Departure(DepartureKind.PII_UNKNOWN, name, path, message)
    required = contract.payload.get("required", ())
    for name in known or ():
        if name in required and name not in event.properties:
            message = f"does not declare {name}, which its EventSpec promises with every event"
            yield Departure(DepartureKind.MISSING_PROPERTY, name, (), message)


def _first_step(path: str) -> str:
    """The property in which the place lies; a name that is no simple word is quoted as in JSON."""
    if path.startswith("["):
        try:
            return str(json.JSONDecoder().raw_decode(path, 1)[0])
        except ValueError:
            return path
    return re.split(r"[.\[]", path, maxsplit=1)[0]
