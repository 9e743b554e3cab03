"""Changes of a draft. Each is one transaction; a change that changes nothing leaves no trace and no new revision.

``expected_revision`` is the ``draft_revision`` that was edited: ``StaleRevision`` if the draft moved on since. Where it
may be left out, the change touches one part of the draft and the last writer wins.
"""

import msgspec
from django.db import transaction
from django.db.models import Max

from telemetry.core.codec import Format, decode_spec
from telemetry.core.errors import Conflict, DuplicateEvent, DuplicateSpec, UnknownEvent
from telemetry.core.spec import EventDefinition, TelemetryDefaults, TelemetryMeta, TelemetrySpec
from telemetry.core.validation import validate_spec
from telemetry.mappers import (
    event_from_record,
    events_with_parts,
    save_defaults_to_record,
    save_events_to_records,
    save_meta_to_record,
    save_spec_to_records,
    spec_from_records,
    spec_of_version,
)
from telemetry.models import EventRecord, SpecRecord, SpecVersion, VersionStatus
from telemetry.services.drafts import (
    check_event,
    lock_draft,
    next_version,
    note_change,
    note_editor,
    refuse_wrong_identity,
    replace_content,
)
from telemetry.services.linting import count_findings
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["check_document", "create_spec", "delete_event", "discard_draft", "replace_draft", "save_event", "save_meta"]


def check_document(*, actor: Actor, document: bytes | str, record: SpecRecord | None = None) -> TelemetrySpec:
    """The spec that a whole JSON or YAML document describes, fit to replace the draft, or to be new; nothing changes.

    Needs ``spec.edit`` in the workspace. Raises ``InvalidDocument`` with every broken rule, and ``DuplicateSpec`` if
    there is no ``record`` and the name is taken. One query.
    """
    require(actor, "spec.edit")
    spec = decode_spec(document)
    if record is not None:
        refuse_wrong_identity(record, spec.meta)
    elif SpecRecord.objects.filter(name=spec.meta.name).exists():
        raise _name_taken(spec.meta.name)
    return spec


def _name_taken(name: str) -> DuplicateSpec:
    return DuplicateSpec(f"a spec with the name {name} exists already")


@transaction.atomic
def create_spec(*, actor: Actor, spec: TelemetrySpec) -> SpecRecord:
    """A new draft that says what ``spec`` says; nothing is published.

    Needs ``spec.edit`` in the workspace. Raises ``InvalidDocument``, or ``DuplicateSpec`` if the name is taken.
    """
    require(actor, "spec.edit")
    validate_spec(spec)
    record, is_new = SpecRecord.objects.get_or_create(name=spec.meta.name, defaults={"title": spec.meta.title})
    if not is_new:
        raise _name_taken(spec.meta.name)
    note_editor(record, actor)
    save_spec_to_records(spec, record)
    count_findings(record)
    audit.record(actor=actor, action="spec.created", target=record, details={"events": len(spec.events)})
    return record


@transaction.atomic
def replace_draft(
    *,
    actor: Actor,
    name: str,
    document: bytes | str,
    expected_revision: int,
    format: Format | None = None,  # noqa: A002
) -> SpecRecord:
    """The draft says what the whole ``document`` says, JSON or YAML; events that it leaves out are gone.

    The document's version becomes the next one, and must not be published yet. Needs ``spec.edit`` in the workspace.
    Raises ``InvalidDocument`` with every broken rule.
    """
    require(actor, "spec.edit")
    spec = decode_spec(document, format=format)
    record = lock_draft(name, expected_revision)
    replace_content(record, spec, actor=actor, action="spec.draft.replaced")
    return record


@transaction.atomic
def discard_draft(*, actor: Actor, name: str, expected_revision: int) -> SpecRecord:
    """The draft says what the published version says, under the next version number.

    Needs ``spec.edit`` in the workspace. Raises ``Conflict`` if no version is published.
    """
    require(actor, "spec.edit")
    record = lock_draft(name, expected_revision)
    published = SpecVersion.objects.filter(spec=record, status=VersionStatus.PUBLISHED).order_by().first()
    if published is None:
        raise Conflict(f"no version of {name} is published that the draft could go back to")
    frozen = spec_of_version(published)
    meta = msgspec.structs.replace(frozen.meta, version=next_version(record))
    spec = msgspec.structs.replace(frozen, meta=meta)
    if replace_content(record, spec, actor=actor, action="spec.draft.discarded"):
        record.published_revision = record.draft_revision
        # Nobody has changed anything in a draft that says what is published.
        record.editors = {}
        record.save(update_fields=["published_revision", "editors"])
    return record


@transaction.atomic
def save_meta(
    *,
    actor: Actor,
    meta: TelemetryMeta,
    config: TelemetryDefaults | None,
    expected_revision: int | None = None,
) -> SpecRecord:
    """The draft named by ``meta`` has this meta and these defaults; its events stay.

    Needs ``spec.edit`` in the workspace. Raises ``InvalidDocument`` also when an event breaks a rule under the new
    defaults, such as a condition on a context property that is declared no more.
    """
    require(actor, "spec.edit")
    record = lock_draft(meta.name, expected_revision)
    before = spec_from_records(record)
    after = msgspec.structs.replace(before, meta=meta, config=config)
    validate_spec(after)
    refuse_wrong_identity(record, meta)
    if after != before:
        save_meta_to_record(meta, record)
        save_defaults_to_record(config, record)
        record.save()
        note_change(record, actor=actor, action="spec.meta.saved", details={"next_version": meta.version})
    return record


@transaction.atomic
def save_event(
    *,
    actor: Actor,
    spec_name: str,
    event: EventDefinition,
    replaces: tuple[str, int] | None = None,
    must_be_new: bool = False,
    expected_revision: int | None = None,
) -> EventRecord:
    """The draft has this event, with exactly these properties and thresholds; a new one comes last.

    ``replaces`` is the name and version under which the event was known before, if either changes: it keeps its place
    and row. ``must_be_new`` is for callers that add: they never replace what somebody else added meanwhile. Needs
    ``spec.edit`` in the workspace. Raises ``InvalidDocument`` with paths inside the event, ``UnknownEvent`` if
    ``replaces`` is not there, ``DuplicateEvent`` if its new name and version are taken.
    """
    require(actor, "spec.edit")
    record = lock_draft(spec_name, expected_revision)
    check_event(record, event)
    row = _row_for(record, event, replaces)
    if row is not None and must_be_new:
        raise _taken(event)
    if row is not None and _says(event_from_record(row), event):
        return row
    if row is not None and (row.name, row.version) != (event.name, event.version):
        EventRecord.objects.filter(pk=row.pk).update(name=event.name, version=event.version)
    position = _next_position(record) if row is None else row.position
    saved = save_events_to_records(record, [(position, event)])
    note_change(record, actor=actor, action="spec.event.saved", details=_identity(event.name, event.version))
    return events_with_parts(record).get(pk=saved[0].pk)


@transaction.atomic
def delete_event(
    *, actor: Actor, spec_name: str, event_name: str, event_version: int, expected_revision: int | None = None
) -> SpecRecord:
    """The draft has no such event any more; published versions keep it.

    Needs ``spec.edit`` in the workspace. Raises ``UnknownEvent`` if it is not there.
    """
    require(actor, "spec.edit")
    record = lock_draft(spec_name, expected_revision)
    _existing(record, event_name, event_version).delete()
    note_change(record, actor=actor, action="spec.event.deleted", details=_identity(event_name, event_version))
    return record


def _says(before: EventDefinition, after: EventDefinition) -> bool:
    """Whether both say the same, in the same order: equal mappings may differ in theirs."""
    return before == after and list(before.properties) == list(after.properties)


def _row_for(record: SpecRecord, event: EventDefinition, replaces: tuple[str, int] | None) -> EventRecord | None:
    """The row that the event will be stored in, or none for a new one."""
    target = _find(record, event.name, event.version)
    if replaces is None or replaces == (event.name, event.version):
        return target
    if target is not None:
        raise _taken(event)
    return _existing(record, *replaces)


def _taken(event: EventDefinition) -> DuplicateEvent:
    return DuplicateEvent(f"the draft has version {event.version} of the event {event.name} already")


def _existing(record: SpecRecord, name: str, version: int) -> EventRecord:
    row = _find(record, name, version)
    if row is None:
        raise UnknownEvent("the draft has no event of this name and version")
    return row


def _find(record: SpecRecord, name: str, version: int) -> EventRecord | None:
    return events_with_parts(record).filter(name=name, version=version).first()


def _next_position(record: SpecRecord) -> int:
    last = EventRecord.objects.filter(spec=record).aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def _identity(name: str, version: int) -> dict[str, object]:
    return {"event": name, "event_version": version}
