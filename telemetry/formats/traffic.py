"""A draft of a spec from traffic: events as they are stored, redacted, and outlines of what was refused or left out.

Of values that are hidden nothing is learnt, and what the spec in force says of them is kept. What that spec does not
know was never stored: names, types and sizes of the first such event are all there is. The draft says where it guesses.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

import msgspec

from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.pseudonyms import is_pseudonym
from telemetry.core.redaction import MASKED_TEXT
from telemetry.core.spec import MAXIMUM_EVENTS, MAXIMUM_PROPERTIES, PropertyDefinition, TelemetrySpec
from telemetry.formats.inferring import InferredEvent, Inferrer, Recogniser
from telemetry.formats.naming import event_name, property_name
from telemetry.formats.samples import suggested_flags

__all__ = ["Doubt", "Outline", "StoredSample", "TrafficDrafting", "Uncertainty"]

# With fewer events than this, "always there" and "only these values" are no more than a guess.
FEW: Final = 20

_TYPES: Final = {"string": "string", "number": "number", "boolean": "boolean"}

Kind = tuple[str, int]


class Doubt(StrEnum):
    """Why a part of the draft is not certain."""

    HIDDEN = "hidden"
    ONE_OUTLINE = "one_outline"
    FEW_EVENTS = "few_events"
    SAMPLED = "sampled"
    NEWEST_ONLY = "newest_only"
    NOT_SEEN = "not_seen"
    UNNAMED = "unnamed"
    TOO_MANY = "too_many"


class Uncertainty(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place in the draft that is not certain, or something that is not in it; ``message`` says why."""

    doubt: Doubt
    path: str
    message: str


class StoredSample(NamedTuple):
    """Some of the stored events of one kind, the newest, of which ``total`` are there.

    ``hidden`` are the properties whose values are hidden at the installation; ``is_sampled`` that not all are stored.
    """

    name: str
    version: int
    payloads: Collection[Mapping[str, Any]]
    hidden: Collection[str]
    total: int
    is_sampled: bool


class Outline(NamedTuple):
    """The outline of the first event of a violation, which came ``times`` times.

    ``key`` is the name of the property that was not declared, ``None`` if it may be data; empty for an event that
    nobody knows, whose own name is empty if it may be data. ``names`` says type by name, ``unnamed`` counts the others.
    """

    event: str
    version: int
    key: str | None
    times: int
    names: Mapping[str, str]
    unnamed: int


class TrafficDrafting:
    """The draft as it grows, event by event, beside the spec in force, if there is one."""

    def __init__(self, known: TelemetrySpec | None, recognises: Recogniser) -> None:
        self._known = {} if known is None else {(event.name, event.version): event for event in known.events}
        self._config = None if known is None else known.config
        self._recognises = recognises
        self._events: dict[Kind, dict[str, Any]] = {}
        self._doubts: list[tuple[Doubt, Kind | None, str, str]] = []
        self.suspects: list[str] = []

    def add_stored(self, sample: StoredSample) -> None:
        """What is stored of one kind of event."""
        kind, read = (sample.name, sample.version), len(sample.payloads)
        inferrer, hidden = Inferrer(self._recognises), set(sample.hidden)
        for payload in sample.payloads:
            hidden |= {key for key, value in payload.items() if _is_hidden(value)}
        for payload in sample.payloads:
            inferrer.add(sample.name, {key: value for key, value in payload.items() if key not in hidden})
        seen = {key for payload in sample.payloads for key in payload}
        self._add(kind, inferrer.event(sample.name), hidden & seen)
        if read < FEW:
            self.doubt(Doubt.FEW_EVENTS, f"{read} came: what is required and which values there are is a guess", kind)
        if sample.total > read:
            self.doubt(Doubt.NEWEST_ONLY, f"the newest {read} of {sample.total} events were read", kind)
        if sample.is_sampled:
            self.doubt(Doubt.SAMPLED, "a share of the events is stored: what is rare may be missing", kind)

    def add_unknown(self, outline: Outline) -> None:
        """An event that the spec in force does not have."""
        kind = (event_name(outline.event), 1)
        if not outline.event:
            self.doubt(Doubt.UNNAMED, f"{outline.times} unknown events have names that may be data")
        elif kind not in self._events and len(self._events) >= MAXIMUM_EVENTS:
            self.doubt(Doubt.TOO_MANY, f"{kind[0]} is one event more than a spec may have")
        elif kind not in self._events:
            self._begin(kind)
            for key, type_ in outline.names.items():
                self._add_outlined(kind, key, type_)
            said = f"the spec does not know it; {outline.times} came, and the first of them is all that is known"
            self.doubt(Doubt.ONE_OUTLINE, said, kind)
            if outline.unnamed:
                self.doubt(Doubt.UNNAMED, f"{outline.unnamed} properties have names that may be data", kind)

    def add_undeclared(self, outline: Outline) -> None:
        """A property that the spec in force does not declare, of an event that it has."""
        kind = (outline.event, outline.version)
        if outline.key is None or outline.key not in outline.names:
            self.doubt(Doubt.UNNAMED, "a property has a name that may be data", kind if kind in self._events else None)
            return
        key = property_name(outline.key)
        if kind in self._known:
            self._begin(kind)
        if kind in self._events and key not in self._events[kind]["properties"]:
            self._add_outlined(kind, outline.key, outline.names[outline.key])
            said = f"the spec does not declare it; it came {outline.times} times, and its type is that of the first"
            self.doubt(Doubt.ONE_OUTLINE, said, kind, key)

    def mark_personal(self, name: str, version: int, key: str) -> None:
        """Detectors have found personal data in the property: it is marked, and its values are not listed."""
        properties = self._events.get((name, version), {}).get("properties", {})
        definition = properties.get(property_name(key))
        if definition is not None and "pii" not in definition:
            definition |= {"pii": True, "redact": True}
            definition.pop("allowedValues", None)
            self.suspects.append(f"{name}@{version}: {property_name(key)}")

    def doubt(self, doubt: Doubt, message: str, kind: Kind | None = None, key: str = "") -> None:
        """Something is not certain about the draft, an event of it, or a property of that."""
        self._doubts.append((doubt, kind, key, message))

    def finish(self, name: str) -> tuple[TelemetrySpec, tuple[Uncertainty, ...]]:
        """The draft of all that was added, and where it is not certain.

        Raises ``InvalidDocument`` if nothing was added, or the name is none of a spec.
        """
        if not self._events:
            said = "; ".join(message for _, _, _, message in self._doubts[:1])
            message = "nothing came that could be told" + (f": {said}" if said else "")
            raise InvalidDocument([FieldError("empty", "", message)], what="traffic")
        document: dict[str, Any] = {
            "meta": {"name": name, "version": 1, "title": name},
            "events": list(self._events.values()),
        }
        if self._config is not None and self._config.context_properties:
            document["config"] = {"contextProperties": to_plain(self._config.context_properties)}
        places = {kind: f"events[{place}]" for place, kind in enumerate(self._events)}
        doubts = tuple(
            Uncertainty(doubt=doubt, path=_path(places, kind, key), message=message)
            for doubt, kind, key, message in self._doubts
        )
        return convert_document(document, TelemetrySpec, what="draft"), doubts

    def _begin(self, kind: Kind) -> dict[str, Any]:
        """The event of the draft, new or not."""
        known = self._known.get(kind)
        event = {
            "name": kind[0],
            "version": kind[1],
            "semantics": {"what": kind[0]} if known is None else to_plain(known.semantics),
            "privacy": (PrivacyLevel.INTERNAL if known is None else known.privacy).value,
            "properties": {},
        }
        return self._events.setdefault(kind, event)

    def _add(self, kind: Kind, seen: InferredEvent, hidden: Collection[str]) -> None:
        properties: dict[str, Any] = self._begin(kind)["properties"]
        known = self._known[kind].properties if kind in self._known else {}
        for key, definition in known.items():
            if key in hidden:
                properties[key] = to_plain(definition)
                self.doubt(Doubt.HIDDEN, "its values are hidden: what the spec says of it is kept", kind, key)
            elif key in seen.properties:
                properties[key] = _told(definition) | seen.properties[key]
            else:
                self.doubt(Doubt.NOT_SEEN, f"no event that was read had {key}, which the spec declares", kind)
        for key in dict.fromkeys([*seen.properties, *hidden]):
            if key not in properties:
                properties[key] = seen.properties.get(key, {"type": "string", "pii": True, "redact": True})
        freed = {key for key, definition in known.items() if definition.pii is not None}
        self.suspects += [f"{kind[0]}@{kind[1]}: {key}" for key in seen.suspects if key not in freed]

    def _add_outlined(self, kind: Kind, key: str, type_: str) -> None:
        properties, name = self._events[kind]["properties"], property_name(key)
        if len(properties) >= MAXIMUM_PROPERTIES:
            self.doubt(Doubt.TOO_MANY, f"{name} is one property more than an event may have", kind)
            return
        known = _TYPES.get(type_, "json")
        properties[name] = {"type": known, **suggested_flags(key, known)}
        if "pii" in properties[name]:
            self.suspects.append(f"{kind[0]}@{kind[1]}: {name}")


def _is_hidden(value: object) -> bool:
    """Whether a text is what stands for a hidden one; of other types, masks look like values."""
    return value == MASKED_TEXT or is_pseudonym(value)


def _told(definition: PropertyDefinition) -> dict[str, Any]:
    """What no sample shows of a property: what people say of it, and whether they freed it of being personal."""
    plain = cast("dict[str, Any]", to_plain(definition))
    return {key: plain[key] for key in ("description", "unit", "pii", "redact", "redaction") if key in plain}


def _path(places: Mapping[Kind, str], kind: Kind | None, key: str) -> str:
    if kind is None or kind not in places:
        return ""
    return key_path(f"{places[kind]}.properties", key) if key else places[kind]
