"""What a new version of a spec does to one installation: what its config gains or loses, what its override loses.

Pure: the service that knows installations resolves their configs and asks here what became of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from telemetry.core.config import EffectiveConfig, EffectiveEvent, PrivacyFloor
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.spec import TelemetrySpec

__all__ = [
    "BELOW_FLOOR",
    "ORPHANED",
    "EventImpact",
    "InstallationImpact",
    "ValueChange",
    "blast_radius",
    "config_changes",
    "event_impacts",
    "find_orphans_of_floor",
    "impact_of_parts",
    "new_problems",
]

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
    return impact_of_parts(
        new_problems(problems_before, problems_after),
        event_impacts(None if before is None else before.events, after.events),
        config_changes(before, after),
    )


def impact_of_parts(
    problems: Iterable[FieldError], events: Iterable[EventImpact], config: Iterable[ValueChange]
) -> InstallationImpact:
    """The impact that consists of these new problems and changes, in their order."""
    new = tuple(problems)
    return InstallationImpact(
        orphaned=tuple(each for each in new if each.code in ORPHANED),
        contradictory=tuple(each for each in new if each.code not in ORPHANED and each.code != BELOW_FLOOR),
        below_floor=tuple(each for each in new if each.code == BELOW_FLOOR),
        events=tuple(events),
        config=tuple(config),
    )


def new_problems(before: Iterable[FieldError], after: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """The problems of ``after`` that there were not ``before``, each once, by their places."""
    # The message may differ, because it names what is spelt alike.
    known = {(problem.code, problem.path) for problem in before}
    return tuple(dict.fromkeys(each for each in after if (each.code, each.path) not in known))


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


def event_impacts(before: Sequence[EffectiveEvent] | None, after: Sequence[EffectiveEvent]) -> Iterator[EventImpact]:
    """Every event that is affected: those of ``after`` in their order, then those that go; all, if there were none."""
    known = {(event.name, event.version): event for event in before or ()}
    for event in after:
        old = known.pop((event.name, event.version), None)
        if old is None:
            yield EventImpact(name=event.name, version=event.version, change="added")
        elif old != event:
            values = tuple(_value_changes("", to_plain(old), to_plain(event)))
            yield EventImpact(name=event.name, version=event.version, change="changed", values=values)
    for event in known.values():
        yield EventImpact(name=event.name, version=event.version, change="removed")


def config_changes(before: EffectiveConfig | None, after: EffectiveConfig) -> Iterator[ValueChange]:
    """Every value that differs and holds for the installation as a whole; none if it had no config."""
    if before is not None:
        old, new = (_config_wide(config) for config in (before, after))
        yield from _value_changes("", old, new)


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
