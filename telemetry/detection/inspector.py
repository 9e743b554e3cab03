"""Looking at events on their way in: which properties, how often, and what was seen."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from telemetry.core.compiled import CompiledEvent, CompiledProperty, CompiledRules
from telemetry.core.enums import PropertyType
from telemetry.core.events import Envelope
from telemetry.core.paths import key_path
from telemetry.core.reading import shown_name
from telemetry.detection.detector import Detector
from telemetry.detection.names import LONGEST_NAME, is_personal_name
from telemetry.detection.places import coordinate_names
from telemetry.detection.values import detect, detect_text

__all__ = ["Evidence", "Inspector", "Look", "is_safe_name"]

# One busy property costs about 2 ms of a process in each minute; a share is known to a few percent after two minutes.
LOOKS_PER_MINUTE: Final = 50
# Of an event that comes more often, only every so manieth is gone through at all, for properties that are rare.
EVERY: Final = 20
# About 10 MB; names of undeclared properties are made up by clients, and must not fill the memory.
MOST_PROPERTIES: Final = 50_000
_JOINTS: Final = re.compile(r"[-_:/]")
_TEXTS: Final = (PropertyType.STRING, PropertyType.JSON)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was recognised in one property of one event; never a value.

    ``path`` is ``properties.NAME`` or ``context.metadata.NAME``, with ``[?]`` in place of a name that is not safe to
    show. ``found`` of ``checked`` values; both count those that were looked at since the last evidence. ``value_type``
    is the declared type, or the one that the last such value would be declared with.
    """

    event_name: str
    event_version: int
    path: str
    detector: Detector
    is_declared: bool
    value_type: PropertyType
    found: int
    checked: int
    app_versions: tuple[str, ...]


class _Counts:
    """What is remembered of one property or event: the minute, the looks in it, and those since the last evidence."""

    __slots__ = ("checked", "looks", "minute")

    def __init__(self) -> None:
        self.minute, self.looks, self.checked = -1, 0, 0

    def add(self, minute: int, looks: int = 1) -> int:
        """The number of looks in this minute, with these."""
        if self.minute != minute:
            self.minute, self.looks = minute, 0
        self.looks += looks
        return self.looks


class _Seen:
    """What one batch showed of one property."""

    __slots__ = ("app_versions", "counts", "found", "is_declared", "value_type")

    def __init__(self, counts: _Counts, *, is_declared: bool) -> None:
        self.counts, self.is_declared, self.value_type = counts, is_declared, PropertyType.STRING
        self.found: dict[Detector, int] = {}
        self.app_versions: dict[Detector, set[str]] = {}


class Inspector:
    """One per process: looks at each property of each event at most ``looks_per_minute`` times a minute.

    Safe to share between threads, which may at worst look a few times more often.
    """

    def __init__(self, *, looks_per_minute: int = LOOKS_PER_MINUTE) -> None:
        self.looks_per_minute = looks_per_minute
        self._counts: dict[tuple[int, str, int, str], _Counts] = {}

    def look(self, installation_id: int, minute: int) -> "Look":
        """A look at one batch of this installation, in this minute (counted from any fixed instant)."""
        return Look(self, installation_id, minute)

    def counts_of(self, key: tuple[int, str, int, str]) -> _Counts:
        """What is remembered of the property, at first nothing."""
        counts = self._counts.get(key)
        if counts is None:
            if len(self._counts) >= MOST_PROPERTIES:
                self._counts = {}
            counts = self._counts.setdefault(key, _Counts())
        return counts


class Look:
    """One batch: events that are due are shown to it one by one, and the evidence comes at the end."""

    def __init__(self, inspector: Inspector, installation_id: int, minute: int) -> None:
        self._inspector, self._installation_id, self._minute = inspector, installation_id, minute
        self._seen: dict[tuple[str, int, str], _Seen] = {}

    def due(self, name: str, version: int, count: int) -> Collection[int]:
        """Which of the next ``count`` events of this name and version to look at, from 0; all, unless it is frequent.

        Counts the events, so it is asked once for each.
        """
        counts = self._inspector.counts_of((self._installation_id, name, version, ""))
        before = counts.add(self._minute, count) - count
        first = range(min(count, max(0, self._inspector.looks_per_minute - before)))
        now_and_then = range((-before - 1) % EVERY, count, EVERY)
        return {*first, *now_and_then}

    def at(self, envelope: Envelope, rules: CompiledEvent, app_version: str) -> None:
        """The event was looked at, as it was sent: undeclared values, and declared ones that nothing hides.

        Never raises for what an envelope may hold, and keeps nothing of it.
        """
        self._look_at_place(envelope.properties, rules.properties, rules, app_version)
        if envelope.context.metadata:
            self._look_at_place(envelope.context.metadata, rules.metadata, rules, app_version)

    def evidence(self) -> tuple[Evidence, ...]:
        """What was recognised, in a fixed order; what was not found is remembered for the next evidence."""
        found = []
        for (event_name, event_version, path), seen in self._seen.items():
            if not seen.found:
                continue
            checked, seen.counts.checked = seen.counts.checked, 0
            for detector, count in seen.found.items():
                found.append(
                    Evidence(
                        event_name=event_name,
                        event_version=event_version,
                        path=path,
                        detector=detector,
                        is_declared=seen.is_declared,
                        value_type=seen.value_type,
                        found=count,
                        checked=max(checked, count),
                        app_versions=tuple(sorted(seen.app_versions[detector])),
                    )
                )
        self._seen = {}
        return tuple(sorted(found, key=lambda one: (one.event_name, one.event_version, one.path, one.detector)))

    def _look_at_place(self, values: Mapping[str, Any], place: CompiledRules, event: CompiledEvent, app: str) -> None:
        if type(values) is not dict:
            return
        for name, value in values.items():
            rule = place.all.get(name)
            if rule is not None and (rule.redactor is not None or rule.type not in _TEXTS):
                continue
            path = _path_of(name, rule, place)
            seen = self._turn_of(event, path, rule is not None)
            if seen is not None:
                self._note(
                    seen, _detect_property(name, value, rule), app, _type_of(value) if rule is None else rule.type
                )
        for name in _unprotected_coordinates(values, place):
            rule = place.all.get(name)
            seen = self._turn_of(event, _path_of(name, rule, place), rule is not None)
            if seen is not None:
                self._note(seen, (Detector.COORDINATES,), app, PropertyType.NUMBER)

    def _turn_of(self, event: CompiledEvent, path: str, is_declared: bool) -> _Seen | None:
        """Where to note what the property shows, or ``None`` when it was looked at often enough in this minute."""
        key = (event.name, event.version, path)
        seen = self._seen.get(key)
        if seen is None:
            counts = self._inspector.counts_of((self._installation_id, *key))
            seen = self._seen[key] = _Seen(counts, is_declared=is_declared)
        if seen.counts.add(self._minute) > self._inspector.looks_per_minute:
            return None
        seen.counts.checked += 1
        return seen

    def _note(self, seen: _Seen, found: Iterable[Detector], app_version: str, value_type: PropertyType) -> None:
        for detector in found:
            seen.value_type = value_type
            seen.found[detector] = seen.found.get(detector, 0) + 1
            versions = seen.app_versions.setdefault(detector, set())
            if app_version:
                versions.add(app_version)


def _path_of(name: str, rule: CompiledProperty | None, place: CompiledRules) -> str:
    if rule is not None:
        return rule.path
    return key_path(place.path, name) if is_safe_name(name) else f"{place.path}[?]"


def is_safe_name(name: str) -> bool:
    """Whether a name that a client made up may be stored and shown: it reads like a name, and like nobody's data."""
    return len(name) <= LONGEST_NAME and _is_safe_name(name)


@lru_cache(maxsize=20_000)
def _is_safe_name(name: str) -> bool:
    # "seen-91.34.77.120": a value may hang on a word.
    return shown_name(name) is not None and not detect_text(name) and not detect_text(_JOINTS.sub(" ", name))


def _detect_property(name: str, value: Any, rule: CompiledProperty | None) -> Iterator[Detector]:
    found = detect(name, value)
    if rule is not None:
        # What a declared name says is for lint: it speaks before the first event is sent.
        yield from found
        return
    if not is_safe_name(name):
        found |= detect_text(name)
    yield from found
    if not found and is_personal_name(name, _type_of(value)):
        yield Detector.PERSONAL_NAME


def _unprotected_coordinates(values: Mapping[str, Any], place: CompiledRules) -> tuple[str, ...]:
    """The names of a latitude and a longitude that are numbers, unless a rule hides one of them."""
    names = coordinate_names(values)
    if names is None or any(name in place.hidden for name in names):
        return ()
    return names


def _type_of(value: Any) -> PropertyType:
    if type(value) is str:
        return PropertyType.STRING
    if type(value) is bool:
        return PropertyType.BOOLEAN
    return PropertyType.NUMBER if type(value) is int or type(value) is float else PropertyType.JSON
