"""Which changes of a spec are changes of personal data, so that more than one person should look at them."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.spec import EventDefinition, TelemetrySpec

__all__ = ["find_personal_data_changes"]

PERSONAL: Final = (PrivacyLevel.PII, PrivacyLevel.SENSITIVE)

Events = dict[tuple[str, int], EventDefinition]


def find_personal_data_changes(before: TelemetrySpec | None, after: TelemetrySpec) -> tuple[FieldError, ...]:
    """Every place where ``after`` changes an event at level ``pii`` or ``sensitive``; code ``personal_data``.

    An event counts by its name: if any of its versions is at such a level, in either spec, then every version of it
    that comes, goes or differs does. Defaults of the spec hold for such events too, so they count when there are any.
    ``before`` is ``None`` for the first version, in which everything is new. What protects less is another question:
    ``telemetry.services.privacy_changes`` answers it.
    """
    return tuple(_changes(before, after))


def _changes(before: TelemetrySpec | None, after: TelemetrySpec) -> Iterator[FieldError]:
    old, new = _events(before), _events(after)
    levels = _personal_levels(old, new)
    for name, version in dict.fromkeys((*new, *old)):
        if name in levels and old.get((name, version)) != new.get((name, version)):
            path = key_path("events", event_reference(name, version))
            yield FieldError("personal_data", path, f"changes an event at level {levels[name]}")
    if before is not None and before.config != after.config and any(name in levels for name, _ in new):
        yield FieldError("personal_data", "config", "changes what holds for events at level pii or sensitive")


def _events(spec: TelemetrySpec | None) -> Events:
    return {} if spec is None else {(event.name, event.version): event for event in spec.events}


def _personal_levels(*specs: Events) -> dict[str, PrivacyLevel]:
    """The highest level of each event that ever is at ``pii`` or ``sensitive``, by name."""
    levels: dict[str, PrivacyLevel] = {}
    for event in (event for events in specs for event in events.values()):
        if event.privacy in PERSONAL:
            known = levels.get(event.name, event.privacy)
            levels[event.name] = max(known, event.privacy, key=lambda level: level.rank)
    return levels
