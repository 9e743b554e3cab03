"""Saying of an event in a draft that it is no longer to be sent, and taking that back."""

import msgspec
from django.db import transaction

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import Deprecation, EventDefinition
from telemetry.mappers import event_from_record
from telemetry.models import EventRecord, SpecRecord
from telemetry.selectors.events import event_of
from telemetry.selectors.specs import spec_by_name
from telemetry.services.specs import save_event
from tenants.actors import Actor, require

__all__ = ["deprecate_event", "replacements_of", "restore_event"]


@transaction.atomic
def deprecate_event(
    *,
    actor: Actor,
    spec_name: str,
    event_name: str,
    event_version: int,
    reason: str,
    replaced_by: str | None,
    expected_revision: int | None = None,
) -> EventRecord:
    """The draft's event is kept and flagged, with the reason and what is sent instead; it is treated as before.

    Needs ``spec.edit`` in the workspace. Raises ``UnknownEvent``, ``StaleRevision``, ``InvalidDocument`` without a
    reason or when ``replaced_by`` is the event itself.
    """
    require(actor, "spec.edit")
    event = _event(spec_name, event_name, event_version)
    if replaced_by in (event_name, f"{event_name}@{event_version}"):
        message = "an event is not replaced by itself"
        raise InvalidDocument([FieldError("replaced_by_itself", "deprecation.replacedBy", message)], what="event")
    deprecation = Deprecation(reason=reason, replaced_by=replaced_by)
    deprecated = msgspec.structs.replace(event, deprecation=deprecation)
    return save_event(actor=actor, spec_name=spec_name, event=deprecated, expected_revision=expected_revision)


@transaction.atomic
def restore_event(
    *, actor: Actor, spec_name: str, event_name: str, event_version: int, expected_revision: int | None = None
) -> EventRecord:
    """The draft's event is to be sent again: it is deprecated no more.

    Needs ``spec.edit`` in the workspace. Raises ``UnknownEvent``, ``StaleRevision``.
    """
    require(actor, "spec.edit")
    event = _event(spec_name, event_name, event_version)
    restored = msgspec.structs.replace(event, deprecation=None)
    return save_event(actor=actor, spec_name=spec_name, event=restored, expected_revision=expected_revision)


def replacements_of(record: SpecRecord, event: EventRecord) -> list[str]:
    """The events of the draft that could be sent instead, by reference, in the draft's order; one query."""
    others = EventRecord.objects.filter(spec=record, deprecation_reason=None).exclude(pk=event.pk)
    return [f"{name}@{version}" for name, version in others.values_list("name", "version")]


def _event(spec_name: str, name: str, version: int) -> EventDefinition:
    return event_from_record(event_of(spec_by_name(spec_name), name, version))
