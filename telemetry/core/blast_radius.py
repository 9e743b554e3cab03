"""What a new version of a spec does to one installation: what its config gains or loses, what its override loses.

Pure: the service that knows installations resolves their configs and asks here what became of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EffectiveEvent,
    PrivacyFloor,
    TenantOverride,
)
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.spec import TelemetrySpec

__all__ = [
    "EventImpact",
    "InstallationImpact",
    "ValueChange",
    "blast_radius",
    "changed_event_names",
    "find_orphans_of_floor",
    "only_events",
    "without_other_events",
]

LayerType = TypeVar("LayerType", AppBlueprint, TenantOverride)

ORPHANED: Final = frozenset({"unknown_event", "unknown_property"})
BELOW_FLOOR: Final = "below_floor"
# Values that are compared as a whole: half of a redaction means nothing.
WHOLE: Final = frozenset({"redaction"})
# What holds for the installation as a whole; events are compared one by one.
CONFIG_WIDE: Final = (
    *("enabled", "undeclaredProperties", "contextProperties", "checkIntervalMs", "providers"),
    *("quarantineDays", "maskDetected"),
)


class ValueChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One value of the effective config that becomes another; null where there is none.

    ``path`` is the place inside the event (``retention.days``, ``properties.email.redaction``) or the config.
    """

    path: str
    before: Any
    after: Any


class EventImpact(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What happens to one event at an installation: it comes, goes, or has other values."""

    name: str
    version: int
    change: Literal["added", "removed", "changed"]
    values: tuple[ValueChange, ...] = ()


class InstallationImpact(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What happens to one installation.

    ``orphaned`` are references to events and properties that vanish, ``contradictory`` settings that fit no more or
    would now loosen privacy, ``below_floor`` wishes that now fall short of the floor: none of them has an effect any
    more. Only what was in order before is named. Paths begin with the layer: ``tenant.events.signed_up``. ``config``
    are values that hold for the installation as a whole.
    """

    orphaned: tuple[FieldError, ...] = ()
    contradictory: tuple[FieldError, ...] = ()
    below_floor: tuple[FieldError, ...] = ()
    events: tuple[EventImpact, ...] = ()
    config: tuple[ValueChange, ...] = ()

    @property
    def has_problems(self) -> bool:
        """Whether something that was asked for loses its effect."""
        return bool(self.orphaned or self.contradictory or self.below_floor)

    @property
    def has_changes(self) -> bool:
        """Whether the installation's apps would get another config."""
        return bool(self.events or self.config)


def blast_radius(
    before: EffectiveConfig | None,
    after: EffectiveConfig,
    *,
    problems_before: Iterable[FieldError] = (),
    problems_after: Iterable[FieldError] = (),
) -> InstallationImpact:
    """What becomes of an installation whose config was ``before``, ``None`` if it had none, and will be ``after``.

    The problems are those that the installation's layers have with the spec before and after.
    """
    # By place: the message may differ, because it names what is spelt alike.
    known = {(problem.code, problem.path) for problem in problems_before}
    new = [problem for problem in problems_after if (problem.code, problem.path) not in known]
    orphaned = tuple(problem for problem in new if problem.code in ORPHANED)
    below_floor = tuple(problem for problem in new if problem.code == BELOW_FLOOR)
    return InstallationImpact(
        orphaned=orphaned,
        contradictory=tuple(problem for problem in new if problem not in orphaned and problem not in below_floor),
        below_floor=below_floor,
        events=tuple(_event_impacts(() if before is None else before.events, after.events)),
        config=() if before is None else tuple(_config_changes(before, after)),
    )


def find_orphans_of_floor(spec: TelemetrySpec, floor: PrivacyFloor) -> tuple[FieldError, ...]:
    """Every event that the floor forces on or off and that ``spec`` does not have; code ``unknown_event``."""
    known = {
        reference for event in spec.events for reference in (event.name, event_reference(event.name, event.version))
    }
    return tuple(
        FieldError("unknown_event", key_path(f"floor.{key}", reference), f"the spec {spec.meta.name} has no such event")
        for key, references in (("forcedOff", floor.forced_off), ("forcedOn", floor.forced_on))
        for reference in references
        if reference not in known
    )


# Many installations differ only in what a change does not touch. Without that, they are alike.


def changed_event_names(before: TelemetrySpec | None, after: TelemetrySpec) -> frozenset[str]:
    """The names of all events to which ``after`` could make a difference: all of them, when the defaults differ."""
    old, new = _by_name(before), _by_name(after)
    if before is None or before.config != after.config:
        return frozenset(old) | frozenset(new)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def only_events(spec: TelemetrySpec, names: frozenset[str]) -> TelemetrySpec:
    """The spec with the events of these names alone."""
    return msgspec.structs.replace(spec, events=tuple(event for event in spec.events if event.name in names))


def without_other_events(layer: LayerType, names: frozenset[str]) -> LayerType:
    """The blueprint or override with what it says about the events of these names alone."""
    # No event has an "@" in its name.
    events = {key: value for key, value in layer.events.items() if key.partition("@")[0] in names}
    return msgspec.structs.replace(layer, events=events)


def _by_name(spec: TelemetrySpec | None) -> dict[str, list[object]]:
    events: dict[str, list[object]] = {}
    for event in () if spec is None else spec.events:
        events.setdefault(event.name, []).append(event)
    return events


def _event_impacts(before: Sequence[EffectiveEvent], after: Sequence[EffectiveEvent]) -> Iterator[EventImpact]:
    """Every event that is affected: those of ``after`` in their order, then those that go."""
    known = {(event.name, event.version): event for event in before}
    for event in after:
        old = known.pop((event.name, event.version), None)
        if old is None:
            yield EventImpact(name=event.name, version=event.version, change="added")
        elif old != event:
            values = tuple(_value_changes("", to_plain(old), to_plain(event)))
            yield EventImpact(name=event.name, version=event.version, change="changed", values=values)
    for event in known.values():
        yield EventImpact(name=event.name, version=event.version, change="removed")


def _config_changes(before: EffectiveConfig, after: EffectiveConfig) -> Iterator[ValueChange]:
    old, new = (_config_wide(config) for config in (before, after))
    return _value_changes("", old, new)


def _config_wide(config: EffectiveConfig) -> dict[str, object]:
    bare: Any = to_plain(msgspec.structs.replace(config, events=(), provenance={}))
    return {key: bare[key] for key in CONFIG_WIDE}


def _value_changes(path: str, before: object, after: object) -> Iterator[ValueChange]:
    """The smallest parts that differ, in the order of ``after``; lists are compared as a whole."""
    if before == after:
        return
    is_whole = path.rpartition(".")[2] in WHOLE
    if is_whole or not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        yield ValueChange(path=path, before=before, after=after)
        return
    for key in dict.fromkeys((*after, *before)):
        yield from _value_changes(key_path(path, key), before.get(key), after.get(key))
