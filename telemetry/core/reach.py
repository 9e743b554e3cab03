"""What a new version of a spec, or another floor, can make a difference to, and what of a layer it meets there.

Many installations differ only in what a change does not touch: without that, they are alike. A value of an effective
config depends on few wishes of each layer (its sampling rate on two, its retention on three), so where the spec says
the same about it before and after, these wishes can be left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.layers import event_reference
from telemetry.core.spec import AnomalyDefaults, EventDefinition, TelemetryDefaults, TelemetrySpec

__all__ = ["Reach", "reach_of", "reach_of_floors", "within_reach"]

LayerType = TypeVar("LayerType", AppBlueprint, TenantOverride)
Versions = dict[int, EventDefinition]

# The wishes on which a value depends that a part of the definition decides.
_WISHES: Final[Mapping[str, frozenset[str]]] = {
    "privacy": frozenset({"privacy", "redaction", "retention_days"}),
    "properties": frozenset({"privacy", "redaction", "anomaly_detection"}),
    "retention": frozenset({"privacy", "retention_days", "retention_policy"}),
    "sampling": frozenset({"sampling_rate"}),
    "anomaly_detection": frozenset({"anomaly_detection"}),
    "tags": frozenset(),
}
# An event that comes or goes brings or takes all its values, and whether a wish about it is in order turns on other
# things than before. Otherwise it is never for the spec to say whether an event is switched on.
# The wishes that the limits of a floor meet, at every event; what it forces on or off meets single events.
_MET: Final[Mapping[str, frozenset[str]]] = {
    "minimum_redaction": frozenset({"privacy", "redaction"}),
    "maximum_retention_days": frozenset({"privacy", "retention_days"}),
    "sampling": frozenset({"sampling_rate"}),
}
# What a blueprint or override says about all events, and the wish about one that it stands for.
_GENERAL: Final[Mapping[str, str]] = {"default_sampling_rate": "sampling_rate", "enabled": "enabled"}
_ALL_WISHES: Final = frozenset(EventOverride.__struct_fields__)


class Reach(NamedTuple):
    """What can differ.

    ``events``: by name of an event, the fields of an ``EventOverride`` that meet a value which may become another;
    ``fields``: those of a blueprint or override itself. ``settled`` are the references to events that both versions
    have: what says nothing about them could as well be absent.
    """

    events: Mapping[str, frozenset[str]]
    fields: frozenset[str]
    settled: frozenset[str]


def reach_of(before: TelemetrySpec | None, after: TelemetrySpec) -> Reach:
    """What can differ when ``after`` takes the place of ``before``, ``None`` if there was no version."""
    old, new = _by_name(before), _by_name(after)
    was, now = (spec.config or TelemetryDefaults() if spec else TelemetryDefaults() for spec in (before, after))
    events = {}
    for name in dict.fromkeys((*new, *old)):
        touched = _touched(old.get(name, {}), new.get(name, {}), was, now)
        if touched is not None:
            events[name] = touched
    met = frozenset().union(*events.values())
    fields = {field for field, wish in _GENERAL.items() if wish in met}
    if before is None or was.undeclared_properties != now.undeclared_properties:
        fields.add("undeclared_properties")
    return Reach(events, frozenset(fields), frozenset(_references(old)) & frozenset(_references(new)))


def reach_of_floors(spec: TelemetrySpec, before: PrivacyFloor, after: PrivacyFloor) -> Reach:
    """What can differ when the floor ``after`` takes the place of ``before`` above a spec that stays."""
    versions = _by_name(spec)
    everywhere = frozenset().union(*(_MET[part] for part in _MET if getattr(before, part) != getattr(after, part)))
    forced = {
        reference.partition("@")[0]
        for old, new in ((before.forced_off, after.forced_off), (before.forced_on, after.forced_on))
        for reference in set(old) ^ set(new)
    }
    events = {
        name: everywhere | ({"enabled"} if name in forced else frozenset())
        for name in versions
        if everywhere or name in forced
    }
    met = frozenset().union(*events.values())
    fields = {field for field, wish in _GENERAL.items() if wish in met}
    return Reach(events, frozenset(fields), frozenset(_references(versions)))


def within_reach(layer: LayerType, reach: Reach) -> LayerType:
    """The blueprint or override without its pointer and without every wish that meets nothing which may differ."""
    events = {}
    for reference, override in layer.events.items():
        # No event has an "@" in its name.
        fields = reach.events.get(reference.partition("@")[0])
        if fields is None:
            continue
        met = EventOverride(**{field: getattr(override, field) for field in fields})
        if met != EventOverride() or reference not in reach.settled:
            events[reference] = met
    return type(layer)(events=events, **{field: getattr(layer, field) for field in reach.fields})


def _touched(old: Versions, new: Versions, was: TelemetryDefaults, now: TelemetryDefaults) -> frozenset[str] | None:
    """The wishes that meet something; ``None`` if nothing of the event can differ."""
    if old.keys() != new.keys():
        return _ALL_WISHES
    parts = [part for version, event in new.items() for part in _changed_parts(old[version], event, was, now)]
    return frozenset().union(*(_WISHES[part] for part in parts)) if parts else None


def _changed_parts(
    old: EventDefinition, new: EventDefinition, was: TelemetryDefaults, now: TelemetryDefaults
) -> Iterator[str]:
    yield from (part for part in _WISHES if getattr(old, part) != getattr(new, part))
    if new.retention is None and was.default_retention_days != now.default_retention_days:
        yield "retention"
    # The default also holds for an event with a rate of its own, when its conditions do not.
    if was.default_sampling_rate != now.default_sampling_rate:
        yield "sampling"
    if _anomalies_are_on(was) != _anomalies_are_on(now):
        yield "anomaly_detection"


def _anomalies_are_on(defaults: TelemetryDefaults) -> bool:
    return (defaults.anomaly_detection or AnomalyDefaults()).enabled


def _by_name(spec: TelemetrySpec | None) -> dict[str, Versions]:
    events: dict[str, Versions] = {}
    for event in () if spec is None else spec.events:
        events.setdefault(event.name, {})[event.version] = event
    return events


def _references(events: Mapping[str, Iterable[int]]) -> Iterator[str]:
    for name, versions in events.items():
        yield name
        yield from (event_reference(name, version) for version in versions)
