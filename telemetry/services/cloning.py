"""A new spec that begins as a copy of another's draft."""

import msgspec

from telemetry.core.layers import event_reference
from telemetry.core.spec import EventDefinition
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.selectors.specs import spec_by_name
from telemetry.services.specs import create_spec
from tenants.actors import Actor, require

__all__ = ["clone_spec", "events_that_stay"]


def clone_spec(*, actor: Actor, name: str, new_name: str, title: str) -> SpecRecord:
    """A new draft, version 1, says what the draft of ``name`` says; nothing is published.

    Events that are called after the old spec (``sigil.telemetry.step``) are called after the new one, so that both can
    be published; the others keep their names, see ``events_that_stay``. Needs ``spec.edit`` in the workspace. Raises
    ``UnknownSpec``, ``DuplicateSpec`` if the new name is taken, ``InvalidDocument`` with paths inside the copy.
    """
    require(actor, "spec.edit")
    spec = spec_from_records(spec_by_name(name))
    meta = msgspec.structs.replace(spec.meta, name=new_name, title=title, version=1)
    events = tuple(_renamed(event, name, new_name) for event in spec.events)
    return create_spec(actor=actor, spec=msgspec.structs.replace(spec, meta=meta, events=events))


def events_that_stay(record: SpecRecord) -> list[str]:
    """The events that a clone would have under the same name, which only one of both specs can publish; one query."""
    events = record.events.values_list("name", "version")
    return [event_reference(name, version) for name, version in events if not name.startswith(f"{record.name}.")]


def _renamed(event: EventDefinition, old: str, new: str) -> EventDefinition:
    renamed = msgspec.structs.replace(event, name=_moved(event.name, old, new))
    if event.deprecation is None or event.deprecation.replaced_by is None:
        return renamed
    replaced_by = _moved(event.deprecation.replaced_by, old, new)
    return msgspec.structs.replace(
        renamed, deprecation=msgspec.structs.replace(event.deprecation, replaced_by=replaced_by)
    )


def _moved(name: str, old: str, new: str) -> str:
    return f"{new}{name.removeprefix(old)}" if name.startswith(f"{old}.") else name
