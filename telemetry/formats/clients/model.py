"""What a template needs to know of a spec, with identifiers of one language."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from telemetry.core.codec import checksum
from telemetry.core.enums import PropertyType
from telemetry.core.plain import to_plain
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetrySpec
from telemetry.formats.clients.identifiers import Identifiers, pascal

__all__ = ["EventModel", "FieldModel", "PlanModel", "build_model"]


class FieldModel(NamedTuple):
    """A property: its name as it is sent, its identifier in code, and what comments say of it, line by line."""

    name: str
    identifier: str
    type: PropertyType
    required: bool
    allowed: tuple[Any, ...]
    # The name of a type of its own, for languages that make one of listed values.
    type_name: str
    lines: tuple[str, ...]


class EventModel(NamedTuple):
    """An event: required fields come before optional ones, each in the order of the spec."""

    name: str
    version: int
    identifier: str
    type_name: str
    fields: tuple[FieldModel, ...]
    lines: tuple[str, ...]
    deprecation: str

    @property
    def required(self) -> tuple[FieldModel, ...]:
        """The fields that every call has to give."""
        return tuple(field for field in self.fields if field.required)

    @property
    def optional(self) -> tuple[FieldModel, ...]:
        """The fields that a call may leave out."""
        return tuple(field for field in self.fields if not field.required)


class PlanModel(NamedTuple):
    """A spec with its checksum in hex."""

    name: str
    version: int
    title: str
    type_name: str
    checksum: str
    events: tuple[EventModel, ...]

    @property
    def types(self) -> frozenset[PropertyType]:
        """The types that occur."""
        return frozenset(field.type for event in self.events for field in event.fields)


def build_model(
    spec: TelemetrySpec, *, case: Callable[[str], str], reserved: frozenset[str], types: frozenset[str] = frozenset()
) -> PlanModel:
    """The model; ``case`` writes identifiers; ``reserved`` and ``types`` are words that are taken already."""
    functions, names = Identifiers(reserved), Identifiers(types)
    title = names.claim(pascal(spec.meta.name))
    # What Swift calls the interface of trackers, which must be another for each spec.
    names.claim(f"{title}Tracker")
    latest = _latest_versions(spec)
    events = tuple(_event(event, spec, latest, case, reserved, functions, names) for event in spec.events)
    return PlanModel(spec.meta.name, spec.meta.version, _line(spec.meta.title), title, checksum(spec), events)


def _latest_versions(spec: TelemetrySpec) -> Mapping[str, int]:
    latest: dict[str, int] = {}
    for event in spec.events:
        latest[event.name] = max(event.version, latest.get(event.name, 0))
    return latest


def _event(
    event: EventDefinition,
    spec: TelemetrySpec,
    latest: Mapping[str, int],
    case: Callable[[str], str],
    reserved: frozenset[str],
    functions: Identifiers,
    names: Identifiers,
) -> EventModel:
    """The newest version of an event has its name, without that of the spec; older ones have their number behind it."""
    short = event.name.removeprefix(f"{spec.meta.name}.") or event.name
    name = short if event.version == latest[event.name] else f"{short} v{event.version}"
    type_name = names.claim(pascal(name))
    identifiers = Identifiers(reserved)
    fields = tuple(
        _field(key, definition, event, identifiers.claim(case(key)), names.claim(f"{type_name}{pascal(key)}"))
        for key, definition in event.properties.items()
    )
    ordered = (*(each for each in fields if each.required), *(each for each in fields if not each.required))
    said = event.deprecation
    deprecation = (
        _line(said.reason) + (f"; send {said.replaced_by}" if said and said.replaced_by else "") if said else ""
    )
    return EventModel(
        event.name, event.version, functions.claim(case(name)), type_name, ordered, _about_event(event), deprecation
    )


def _about_event(event: EventDefinition) -> tuple[str, ...]:
    semantics = event.semantics
    said = (semantics.what, semantics.who and f"Who: {semantics.who}", semantics.why and f"Why: {semantics.why}")
    return (*(_line(text) for text in said if text), f"Event {event.name}, version {event.version}, {event.privacy}.")


def _field(
    name: str, definition: PropertyDefinition, event: EventDefinition, identifier: str, type_name: str
) -> FieldModel:
    allowed = tuple(dict.fromkeys(to_plain(value) for value in definition.allowed_values))
    return FieldModel(
        name, identifier, definition.type, definition.required, allowed, type_name, _about_field(definition, event)
    )


def _about_field(definition: PropertyDefinition, event: EventDefinition) -> tuple[str, ...]:
    hidden = required_redaction(definition, event.privacy)
    said = [_line(definition.description)] if definition.description.strip() else []
    said += [f"In {_line(definition.unit)}."] if definition.unit.strip() else []
    said += ["Personal data."] if definition.pii else []
    said += [f"Hidden before it leaves the process: {hidden.strategy}."] if hidden is not None else []
    return tuple(said)


def _line(text: str) -> str:
    """The text in one line, without what steers a terminal or ends a comment by itself."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
