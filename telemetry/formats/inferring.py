"""A draft spec from a sample of events: what they carry, as far as the sample shows it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel, PropertyType
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import MAXIMUM_EVENTS, MAXIMUM_PROPERTIES, TelemetrySpec
from telemetry.formats.naming import event_name, property_name
from telemetry.formats.samples import common_type, suggested_flags, type_of_value

__all__ = ["Inference", "InferredEvent", "Inferrer", "Recogniser"]

# Where clients write the name of an event, and what it carries.
_NAMES: Final = ("event", "name")
_PAYLOADS: Final = ("properties", "traits")
# A list of values is believed if each came often: few values, of which each was seen this many times on average.
_MOST_LISTED: Final = 12
_SEEN_EACH: Final = 5
# More different values than this are not remembered; what is listed has far fewer.
_MOST_REMEMBERED: Final = 50
_LONGEST_LISTED: Final = 60
# Values that are personal data whatever they are called: mail addresses, IPv4 addresses, and international numbers.
_PERSONAL: Final = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\+[0-9][0-9 ()/.-]{7,}[0-9]"
).fullmatch
# Names of events that carry data of the event: an address, or a number that could be somebody's.
_CARRIES_DATA: Final = re.compile(r"@|[0-9]{6}").search


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """The draft, and how it came about.

    ``suspects`` are places of properties that seem personal, marked as such in the draft; ``skipped`` are the lines
    (from 1) that are no event, at most 100 of them, ``skipped_count`` is how many there are.
    """

    spec: TelemetrySpec
    events_seen: int
    suspects: tuple[str, ...]
    skipped: tuple[tuple[int, str], ...]
    skipped_count: int


class InferredEvent(NamedTuple):
    """What a sample shows of one event: how often it came, and its properties as they stand in a document.

    ``suspects`` are the names of those that seem personal.
    """

    events: int
    properties: dict[str, dict[str, Any]]
    suspects: tuple[str, ...]


# Whether the value of a property of this name is personal data.
Recogniser = Callable[[str, Any], bool]


def _reads_personal(_name: str, value: Any) -> bool:
    return isinstance(value, str) and _PERSONAL(value.strip()) is not None


class _Seen:
    """What was seen of one property."""

    def __init__(self) -> None:
        self.count = 0
        self.types: set[PropertyType] = set()
        self.values: Counter[Any] = Counter()
        self.has_many = False
        self.is_personal = False

    def add(self, value: object, *, is_personal: bool) -> None:
        """One more value, which is not null."""
        self.count += 1
        self.types.add(type_of_value(value))
        self.is_personal = self.is_personal or is_personal
        is_listable = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not self.has_many and is_listable and len(str(value)) <= _LONGEST_LISTED:
            self.values[value] += 1
        else:
            self.has_many = self.has_many or not isinstance(value, bool)
        if len(self.values) > _MOST_REMEMBERED:
            self.has_many = True
            self.values.clear()


class Inferrer:
    """Takes events one by one, in memory that does not grow with their number.

    ``recognises`` tells which values are personal data, beside names that say so.
    """

    def __init__(self, recognises: Recogniser = _reads_personal) -> None:
        self._recognises = recognises
        self._counts: Counter[str] = Counter()
        self._properties: dict[str, dict[str, _Seen]] = {}
        self._skipped: list[tuple[int, str]] = []
        self._skipped_count = 0

    def read(self, lines: Iterable[bytes]) -> None:
        """Each line is an event as JSON, with its name under event or name; blank lines are nothing."""
        for number, line in enumerate(lines, start=1):
            if line.strip():
                self._read_line(number, line)

    def _read_line(self, number: int, line: bytes) -> None:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            self._skip(number, "is not valid JSON")
            return
        if not isinstance(record, dict):
            self._skip(number, "is no object")
            return
        name = next((record[key] for key in _NAMES if isinstance(record.get(key), str) and record[key].strip()), None)
        if name is None:
            self._skip(number, "has no name under event or name")
        elif _CARRIES_DATA(name):
            self._skip(number, "has a name that carries data")
        else:
            payload: dict[str, Any] = next((record[key] for key in _PAYLOADS if isinstance(record.get(key), dict)), {})
            self._add(number, event_name(name), payload)

    def _skip(self, number: int, reason: str) -> None:
        self._skipped_count += 1
        if len(self._skipped) < 100:
            self._skipped.append((number, reason))

    def _add(self, number: int, name: str, payload: Mapping[str, Any]) -> None:
        if name not in self._counts and len(self._counts) >= MAXIMUM_EVENTS:
            self._skip(number, f"is of one event more than the {MAXIMUM_EVENTS} that a spec may have")
            return
        self.add(name, payload)

    def add(self, name: str, payload: Mapping[str, Any]) -> None:
        """One more event of this name, which carries this."""
        self._counts[name] += 1
        seen = self._properties.setdefault(name, {})
        for key, value in payload.items():
            if _CARRIES_DATA(key):
                continue
            valid = property_name(key)
            if valid in seen or len(seen) < MAXIMUM_PROPERTIES:
                found = seen.setdefault(valid, _Seen())
                if value is not None:
                    found.add(value, is_personal=self._recognises(key, value))

    def event(self, name: str) -> InferredEvent:
        """What was seen of the events of this name; a property is required if each of several events had it."""
        count = self._counts[name]
        properties = {key: _definition(key, seen, count) for key, seen in self._properties.get(name, {}).items()}
        suspects = tuple(key for key, definition in properties.items() if definition.get("pii"))
        return InferredEvent(count, properties, suspects)

    def finish(self, *, name: str, privacy: PrivacyLevel = PrivacyLevel.INTERNAL) -> Inference:
        """The draft of all that was read, events and properties in the order in which they came.

        A property is required if every event had it, unless that was a single one. Raises ``InvalidDocument`` if there
        was no event, or the name is none of a spec; it never repeats a value.
        """
        if not self._counts:
            said = f"; line {self._skipped[0][0]} {self._skipped[0][1]}" if self._skipped else ""
            raise InvalidDocument([FieldError("empty", "", f"has no event{said}")], what="sample")
        suspects: list[str] = []
        events = [self._event(each, privacy, suspects) for each in self._counts]
        document = {"meta": {"name": name, "version": 1, "title": name}, "events": events}
        return Inference(
            spec=convert_document(document, TelemetrySpec, what="inferred spec"),
            events_seen=sum(self._counts.values()),
            suspects=tuple(suspects),
            skipped=tuple(self._skipped),
            skipped_count=self._skipped_count,
        )

    def _event(self, name: str, privacy: PrivacyLevel, suspects: list[str]) -> dict[str, Any]:
        seen = self.event(name)
        suspects += [f"{name}: {key}" for key in seen.suspects]
        event: dict[str, Any] = {"name": name, "version": 1, "semantics": {"what": name}, "privacy": privacy.value}
        return {**event, "properties": seen.properties} if seen.properties else event


def _definition(name: str, seen: _Seen, events: int) -> dict[str, Any]:
    type_ = common_type(seen.types)
    definition: dict[str, Any] = {"type": type_.value}
    if seen.count == events and events > 1:
        definition["required"] = True
    flags = {"pii": True, "redact": True} if seen.is_personal else suggested_flags(name, type_.value)
    definition |= flags
    if not flags and type_ in (PropertyType.STRING, PropertyType.NUMBER) and _is_list(seen):
        definition["allowedValues"] = sorted(seen.values, key=str)
    return definition


def _is_list(seen: _Seen) -> bool:
    """Whether the values look like a closed list; numbers are measured more often than listed."""
    if seen.has_many or not seen.values or not all(isinstance(value, str) for value in seen.values):
        return False
    return len(seen.values) <= _MOST_LISTED and seen.count >= _SEEN_EACH * len(seen.values)
