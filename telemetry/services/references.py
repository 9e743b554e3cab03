"""Whether what a layer says about events fits the spec that it is bound to."""

import difflib
from collections.abc import Iterable, Iterator

import msgspec

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.errors import FieldError, UnknownSpec
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.spec import AnomalyDetection, EventDefinition, TelemetrySpec
from telemetry.core.validation import read_value
from telemetry.mappers import spec_of_version
from telemetry.models import SpecRecord, VersionStatus
from telemetry.selectors.specs import version_of

__all__ = ["References", "find_misfits", "read_pointer"]


def read_pointer(pointer: SpecPointer) -> tuple[TelemetrySpec | None, tuple[FieldError, ...]]:
    """The spec version that the pointer names and no errors, or ``None`` and what is wrong with it; two queries."""
    try:
        found = version_of(pointer.name, pointer.version)
    except UnknownSpec:
        return None, (_unknown_spec(pointer),)
    if found.status == VersionStatus.ARCHIVED:
        return None, (FieldError("unknown_spec", "spec.version", "this version is archived; choose another"),)
    return spec_of_version(found), ()


def find_misfits(spec: TelemetrySpec, layer: AppBlueprint | TenantOverride) -> tuple[FieldError, ...]:
    """Every reference to an event or property that ``spec`` has not, and every setting that does not fit its type.

    Paths are places in the layer's document, in its order. Codes are ``unknown_event``, ``unknown_property`` and those
    of the rules of a spec.
    """
    return References(spec).misfits(layer)


class References:
    """The events of a spec by the references to them, for layers one after the other."""

    def __init__(self, spec: TelemetrySpec) -> None:
        self.spec_name = spec.meta.name
        self.events: dict[str, list[EventDefinition]] = {}
        for event in spec.events:
            self.events.setdefault(event.name, []).append(event)
            self.events[event_reference(event.name, event.version)] = [event]

    def misfits(self, layer: AppBlueprint | TenantOverride) -> tuple[FieldError, ...]:
        """As ``find_misfits``."""
        return tuple(_misfits(self, layer))


def _misfits(references: References, layer: AppBlueprint | TenantOverride) -> Iterator[FieldError]:
    for reference, override in layer.events.items():
        path = key_path("events", reference)
        events = references.events.get(reference)
        if events is None:
            message = f"the spec {references.spec_name} has no such event"
            yield _unknown("unknown_event", path, message, reference, references.events)
        else:
            yield from _misfits_of_redaction(events, override, path)
            yield from _misfits_of_thresholds(events, override, path)


def _misfits_of_redaction(events: list[EventDefinition], override: EventOverride, path: str) -> Iterator[FieldError]:
    for name, redaction in override.redaction.items():
        place = key_path(f"{path}.redaction", name)
        declared = [event.properties[name] for event in events if name in event.properties]
        if not declared:
            known = [known for event in events for known in event.properties]
            yield _unknown("unknown_property", place, "the event has no such property", name, known)
            continue
        changed = [msgspec.structs.replace(definition, redaction=redaction) for definition in declared]
        errors = (error for value in changed for error in read_value(to_plain(value), type(value))[1])
        # Several versions of an event can break the same rule: say it once.
        for error in dict.fromkeys(errors):
            yield FieldError(error.code, place + error.path.removeprefix("redaction"), error.message)


def _misfits_of_thresholds(events: list[EventDefinition], override: EventOverride, path: str) -> Iterator[FieldError]:
    if override.anomaly_detection is None or override.anomaly_detection.thresholds is None:
        return
    rules = AnomalyDetection(thresholds=override.anomaly_detection.thresholds)
    changed = [msgspec.structs.replace(event, sampling=None, anomaly_detection=rules) for event in events]
    errors = (error for event in changed for error in read_value(to_plain(event), EventDefinition)[1])
    for error in dict.fromkeys(errors):
        yield FieldError(error.code, f"{path}.{error.path}", error.message)


def _unknown_spec(pointer: SpecPointer) -> FieldError:
    names = list(SpecRecord.objects.values_list("name", flat=True))
    if pointer.name in names:
        if pointer.version is None:
            return FieldError("unknown_spec", "spec.name", "no version of this spec is published")
        return FieldError("unknown_spec", "spec.version", "this version of the spec is not published")
    return _unknown("unknown_spec", "spec.name", "there is no such spec", pointer.name, names)


def _unknown(code: str, path: str, message: str, name: str, known: Iterable[str]) -> FieldError:
    near = difflib.get_close_matches(name, list(dict.fromkeys(known)), n=1)
    return FieldError(code, path, f"{message}; did you mean '{near[0]}'?" if near else message)
