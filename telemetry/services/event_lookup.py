"""Finding an event by its name alone, whichever spec defines it."""

from enum import StrEnum
from typing import NamedTuple

from telemetry.core.errors import UnknownEvent
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.selectors.specs import published_version_with, spec_drafting
from tenants.actors import Actor, require, require_somewhere

__all__ = ["FoundEvent", "State", "find_event"]


class State(StrEnum):
    """As apps obey it, or as it is being edited."""

    PUBLISHED = "published"
    DRAFT = "draft"


class FoundEvent(NamedTuple):
    """The event, the spec that defines it, and which versions of the event that spec has, the oldest first."""

    event: EventDefinition
    spec: TelemetrySpec
    versions: tuple[int, ...]


def find_event(*, actor: Actor, name: str, version: int | None = None, state: State = State.PUBLISHED) -> FoundEvent:
    """The event of this name in this version, or in its newest one; ``UnknownEvent``. Up to five queries.

    What is published, everybody with a role may read; drafts need ``view`` in the workspace.
    """
    if state is State.DRAFT:
        require(actor, "view")
        record = spec_drafting(name)
        return _pick(None if record is None else spec_from_records(record), name, version, "no draft")
    require_somewhere(actor, "view")
    found = published_version_with(name)
    return _pick(None if found is None else spec_of_version(found), name, version, "nothing that is published")


def _pick(spec: TelemetrySpec | None, name: str, version: int | None, where: str) -> FoundEvent:
    events = {} if spec is None else {event.version: event for event in spec.events if event.name == name}
    newest = max(events, default=None)
    wanted = newest if version is None else version
    if spec is None or wanted is None or wanted not in events:
        raise UnknownEvent(f"{where} has an event of this name" + ("" if not events else " in this version"))
    return FoundEvent(events[wanted], spec, tuple(sorted(events)))
