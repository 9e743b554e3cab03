"""Editing a tenant's override event by event: only what differs from what is inherited is ever said."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import msgspec

from telemetry.core.config import AnomalyOverride, EventOverride, TenantOverride
from telemetry.core.enums import PrivacyLevel, RetentionPolicy
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import split_path
from telemetry.core.plain import to_plain
from telemetry.core.spec import Days
from telemetry.core.values import Rate, Value

__all__ = ["BulkEdit", "Resettable", "apply_bulk", "own_override", "with_own", "without_refused"]

EventKey = tuple[str, int]
Resettable = Literal["enabled", "privacy", "samplingRate", "retentionDays", "retentionPolicy", "redaction", "anomalies"]

_FIELDS: Final[Mapping[str, str]] = {
    "enabled": "enabled",
    "privacy": "privacy",
    "samplingRate": "sampling_rate",
    "retentionDays": "retention_days",
    "retentionPolicy": "retention_policy",
    "redaction": "redaction",
    "anomalies": "anomaly_detection",
}
_NOTHING: Final = EventOverride()


class BulkEdit(Value, frozen=True, kw_only=True):
    """The same change for many events: unset fields stay as they are, those in ``reset`` are inherited again."""

    enabled: bool | None = None
    privacy: PrivacyLevel | None = None
    sampling_rate: Rate | None = None
    retention_days: Days | None = None
    retention_policy: RetentionPolicy | None = None
    anomalies_enabled: bool | None = None
    reset: Annotated[tuple[Resettable, ...], msgspec.Meta(max_length=len(_FIELDS))] = ()


def own_override(override: TenantOverride, name: str, version: int) -> EventOverride:
    """All that the override says of this version of the event; the exact version wins over the bare name, by field."""
    bare = override.events.get(name, _NOTHING)
    exact = override.events.get(event_reference(name, version), _NOTHING)
    own = _over(bare, exact)
    return msgspec.structs.replace(
        own,
        redaction={**bare.redaction, **exact.redaction},
        anomaly_detection=_over_anomalies(bare.anomaly_detection, exact.anomaly_detection),
    )


def with_own(override: TenantOverride, own: Mapping[EventKey, EventOverride]) -> TenantOverride:
    """The override that says exactly this of these versions of events, and of all others what it said before.

    ``own`` holds every version that the spec has of each event in it. Where its versions agree, and none is named by
    itself so far, the event is written under its bare name, so that its next version inherits that.
    """
    events = dict(override.events)
    for name, group in _by_name(own).items():
        if any(own_override(override, name, version) != asked for version, asked in group.items()):
            _write(events, name, group)
    return _without_empty(msgspec.structs.replace(override, events=events))


def apply_bulk(own: EventOverride, edit: BulkEdit) -> EventOverride:
    """What an event's own part becomes."""
    cleared = msgspec.structs.replace(own, **{_FIELDS[key]: getattr(_NOTHING, _FIELDS[key]) for key in edit.reset})
    given = {
        name: value
        for name in ("enabled", "privacy", "sampling_rate", "retention_days", "retention_policy")
        if (value := getattr(edit, name)) is not None
    }
    changed = msgspec.structs.replace(cleared, **given)
    if edit.anomalies_enabled is None:
        return changed
    anomalies = msgspec.structs.replace(changed.anomaly_detection or AnomalyOverride(), enabled=edit.anomalies_enabled)
    return msgspec.structs.replace(changed, anomaly_detection=anomalies)


def without_refused(override: TenantOverride, errors: Iterable[FieldError]) -> TenantOverride:
    """The override without each wish that an error's path is in; paths are places in its document.

    A redaction, a threshold list and a spec pointer mean something as a whole only, and go as a whole.
    """
    document = to_plain(override)
    for error in errors:
        _remove(document, _whole(split_path(error.path)))
    return _without_empty(msgspec.convert(document, TenantOverride))


def _over(bare: EventOverride, exact: EventOverride) -> EventOverride:
    values = {name: getattr(exact, name) for name in exact.__struct_fields__}
    said = {name: value for name, value in values.items() if value != getattr(_NOTHING, name)}
    return msgspec.structs.replace(bare, **said)


def _over_anomalies(bare: AnomalyOverride | None, exact: AnomalyOverride | None) -> AnomalyOverride | None:
    if bare is None or exact is None:
        return exact or bare
    said = {name: value for name in exact.__struct_fields__ if (value := getattr(exact, name)) is not None}
    return msgspec.structs.replace(bare, **said)


def _by_name(own: Mapping[EventKey, EventOverride]) -> dict[str, dict[int, EventOverride]]:
    groups: dict[str, dict[int, EventOverride]] = {}
    for (name, version), asked in own.items():
        groups.setdefault(name, {})[version] = asked
    return groups


def _write(events: dict[str, EventOverride], name: str, group: Mapping[int, EventOverride]) -> None:
    references = {version: event_reference(name, version) for version in group}
    asked = list(group.values())
    if all(each == asked[0] for each in asked) and not any(each in events for each in references.values()):
        events[name] = asked[0]
        return
    events.pop(name, None)
    events.update({references[version]: each for version, each in group.items()})


def _without_empty(override: TenantOverride) -> TenantOverride:
    """Without the events of which nothing is said."""
    empty = (_NOTHING, EventOverride(anomaly_detection=AnomalyOverride()))
    kept = {reference: event for reference, event in override.events.items() if event not in empty}
    return msgspec.structs.replace(override, events=kept)


def _whole(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of the smallest part that can be left out on its own."""
    if path[:1] == ("events",):
        # events, the reference, the field; then the property of a redaction, or the field of the anomalies.
        return path[: 4 if path[2:3] in (("redaction",), ("anomalyDetection",)) else 3]
    return path[:1]


def _remove(document: object, path: tuple[str | int, ...]) -> None:
    *way, last = path or ("",)
    for key in way:
        document = document.get(key) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(last, None)
