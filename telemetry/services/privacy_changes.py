"""What a new version of a spec protects less than the one before. Pure: values in, broken promises out."""

from collections.abc import Iterator, Mapping

from telemetry.core import defaults
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction, undeclared_redaction
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetryDefaults, TelemetrySpec
from telemetry.core.tightening import join_days, join_level, join_policy, join_redaction, join_undeclared

__all__ = ["find_loosened"]

# Days matter where events hold personal data.
_PERSONAL = (PrivacyLevel.PII, PrivacyLevel.SENSITIVE)
# The context comes with events of every level. What counts are the flags, where the level asks for nothing and where
# it asks for what flags can undo.
_LEVELS_OF_CONTEXT = ((PrivacyLevel.PUBLIC, PrivacyLevel.PUBLIC), (PrivacyLevel.PII, PrivacyLevel.PII))
_LESS = "is hidden less than before"
_LESS_UNDECLARED = "is hidden less than before: it is not declared any more, and what is not declared may be passed on"

Properties = Mapping[str, PropertyDefinition]
Levels = tuple[tuple[PrivacyLevel, PrivacyLevel], ...]


def find_loosened(before: TelemetrySpec, after: TelemetrySpec) -> tuple[FieldError, ...]:
    """Every place where ``after`` protects less than ``before``, for events that both have; code ``loosens``.

    Compared are the privacy level, each property's redaction, retention of events with personal data, what happens to
    undeclared properties, among them those that ``before`` declared, how long refused events are held, and whether what
    detectors find is masked; a new version of an event with the newest one that there was before.
    """
    return tuple(_loosened(before, after))


def _loosened(before: TelemetrySpec, after: TelemetrySpec) -> Iterator[FieldError]:
    old_defaults, new_defaults = before.config or TelemetryDefaults(), after.config or TelemetryDefaults()
    old_policy = old_defaults.undeclared_properties or defaults.DEFAULT_UNDECLARED
    new_policy = new_defaults.undeclared_properties or defaults.DEFAULT_UNDECLARED
    if join_undeclared(old_policy, new_policy) != new_policy:
        yield _error("config.undeclaredProperties", f"{new_policy} lets more through than {old_policy}")
    yield from _loosened_quarantine(old_defaults, new_defaults)
    yield from _loosened_properties(
        "config.contextProperties",
        old_defaults.context_properties,
        new_defaults.context_properties,
        _LEVELS_OF_CONTEXT,
        new_policy,
    )
    known = {(event.name, event.version): event for event in before.events}
    newest = {event.name: event for event in sorted(before.events, key=lambda event: event.version)}
    for event in after.events:
        old = known.get((event.name, event.version), newest.get(event.name))
        if old is not None:
            yield from _loosened_event(old, event, old_defaults, new_defaults)


def _loosened_quarantine(old: TelemetryDefaults, new: TelemetryDefaults) -> Iterator[FieldError]:
    was, now = (0 if each.quarantine is None else each.quarantine.held_days for each in (old, new))
    if now > was:
        yield _error("config.quarantine", f"{now} days hold refused events, personal data included, longer than {was}")
    if old.mask_detected and not new.mask_detected:
        yield _error("config.maskDetected", "values that read like personal data are passed on")


def _loosened_properties(
    path: str, old: Properties, new: Properties, levels: Levels, policy: UndeclaredPolicy
) -> Iterator[FieldError]:
    """What is hidden less than before at one of the pairs of levels; undeclared ones are left to the new ``policy``."""
    for name, known in old.items():
        definition = new.get(name)
        for before, after in levels:
            was = required_redaction(known, before)
            now = (
                undeclared_redaction(known.type, policy, after)
                if definition is None
                else required_redaction(definition, after)
            )
            if join_redaction(was, now) != now:
                yield _error(key_path(path, name), _LESS if definition is not None else _LESS_UNDECLARED)
                break


def _loosened_event(
    old: EventDefinition, new: EventDefinition, old_defaults: TelemetryDefaults, new_defaults: TelemetryDefaults
) -> Iterator[FieldError]:
    path = key_path("events", event_reference(new.name, new.version))
    if join_level(old.privacy, new.privacy) != new.privacy:
        yield _error(f"{path}.privacy", f"{new.privacy} protects less than {old.privacy}")
    policy = new_defaults.undeclared_properties or defaults.DEFAULT_UNDECLARED
    levels = ((old.privacy, new.privacy),)
    yield from _loosened_properties(f"{path}.properties", old.properties, new.properties, levels, policy)
    if _holds_personal_data(old):
        yield from _loosened_retention(old, new, old_defaults, new_defaults, path)


def _loosened_retention(
    old: EventDefinition,
    new: EventDefinition,
    old_defaults: TelemetryDefaults,
    new_defaults: TelemetryDefaults,
    path: str,
) -> Iterator[FieldError]:
    was, now = _days(old, old_defaults), _days(new, new_defaults)
    if join_days(was, now) != now:
        yield _error(f"{path}.retention.days", f"{now} days keep personal data longer than {was}")
    was_policy, now_policy = (
        each.retention.policy if each.retention else defaults.DEFAULT_RETENTION_POLICY for each in (old, new)
    )
    if join_policy(was_policy, now_policy) != now_policy:
        yield _error(f"{path}.retention.policy", f"{now_policy} keeps personal data longer than {was_policy}")


def _holds_personal_data(event: EventDefinition) -> bool:
    return event.privacy in _PERSONAL or any(definition.pii for definition in event.properties.values())


def _days(event: EventDefinition, spec_defaults: TelemetryDefaults) -> int:
    if event.retention is not None:
        return event.retention.days
    return spec_defaults.default_retention_days or defaults.DEFAULT_RETENTION_DAYS


def _error(path: str, message: str) -> FieldError:
    return FieldError("loosens", path, message)
