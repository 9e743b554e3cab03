"""The promise behind an event's version: what was published under it stays true."""

from collections.abc import Iterator

from telemetry.core.diff.changes import Change
from telemetry.core.diff.events import keyed_events
from telemetry.core.diff.specs import diff_specs
from telemetry.core.errors import FieldError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.spec import EventDefinition, TelemetrySpec

__all__ = ["find_unversioned_breaks"]


def find_unversioned_breaks(before: TelemetrySpec, after: TelemetrySpec) -> tuple[FieldError, ...]:
    """Every breaking change of an event that needs a new version of the event instead; code ``unversioned_break``.

    That is each breaking change of an event that both specs have, and the removal of an event that was not deprecated
    in ``before`` and has no newer version in ``after``. Paths are places in ``after`` (``events[2].properties.step``),
    or ``events`` for what is gone. Breaking changes outside events are no errors: no version of an event could carry
    them.
    """
    return tuple(_breaks(before, after))


def _breaks(before: TelemetrySpec, after: TelemetrySpec) -> Iterator[FieldError]:
    old = keyed_events(before.events)
    positions = {key: index for index, key in enumerate(keyed_events(after.events))}
    for change in diff_specs(before, after).breaking:
        if change.event is None:
            continue
        event = old[change.event]
        if change.event in positions:
            prefix = key_path("events", change.event)
            path = f"events[{positions[change.event]}]{change.path.removeprefix(prefix)}"
            yield FieldError("unversioned_break", path, _keep(change, event, _free_version(event.name, before, after)))
        elif not _may_go(event, after):
            yield FieldError(
                "unversioned_break", "events", _keep_event(event, _free_version(event.name, before, after))
            )


def _may_go(event: EventDefinition, after: TelemetrySpec) -> bool:
    return event.deprecation is not None or any(
        each.name == event.name and each.version > event.version for each in after.events
    )


def _free_version(name: str, *specs: TelemetrySpec) -> int:
    return 1 + max(event.version for spec in specs for event in spec.events if event.name == name)


def _keep(change: Change, event: EventDefinition, free: int) -> str:
    return (
        f"{change.message}: this breaks {change.event} as it was published ({change.rule}); "
        f"leave it as it was, and make the change in {event_reference(event.name, free)}"
    )


def _keep_event(event: EventDefinition, free: int) -> str:
    reference = event_reference(event.name, event.version)
    return (
        f"{reference} was removed, and apps may still send it (event_removed); "
        f"first publish it as deprecated, or add {event_reference(event.name, free)}"
    )
