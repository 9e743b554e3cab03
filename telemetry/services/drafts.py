"""What every change of a draft shares: the lock, the compare-and-set, the checks, the trace."""

from collections.abc import Mapping

from django.db.models import Max
from django.utils import timezone

from telemetry.core.codec import encode_spec
from telemetry.core.errors import FieldError, InvalidDocument, StaleRevision, UnknownSpec
from telemetry.core.spec import EventDefinition, TelemetryMeta, TelemetrySpec
from telemetry.core.validation import check_spec, validate_spec
from telemetry.mappers import defaults_from_record, meta_from_record, save_spec_to_records, spec_from_records
from telemetry.models import LIVE_STATES, ReviewRecord, ReviewState, SpecRecord, SpecVersion
from telemetry.services.linting import count_findings
from tenants.actors import Actor
from tenants.services import audit

__all__ = [
    "check_event",
    "lock_draft",
    "next_version",
    "note_change",
    "note_editor",
    "refuse_wrong_identity",
    "replace_content",
]


def lock_draft(name: str, expected_revision: int | None = None) -> SpecRecord:
    """The spec's row, which nobody else can change until the transaction ends.

    Raises ``UnknownSpec``, and ``StaleRevision`` when ``expected_revision`` is given and is not the current one.
    """
    record = SpecRecord.objects.select_for_update().filter(name=name).order_by().first()
    if record is None:
        raise UnknownSpec("there is no spec of this name")
    if expected_revision is not None and record.draft_revision != expected_revision:
        raise StaleRevision(
            f"the draft of {record.name} is at revision {record.draft_revision} (next version {record.draft_version}), "
            f"not at revision {expected_revision}; reload it"
        )
    return record


def replace_content(record: SpecRecord, spec: TelemetrySpec, *, actor: Actor, action: str) -> bool:
    """The locked draft says what ``spec`` says, traced as ``action``; false, and no trace, if it did already.

    Raises ``InvalidDocument`` if the spec breaks a rule, has another name, or a version that is taken.
    """
    validate_spec(spec)
    refuse_wrong_identity(record, spec.meta)
    # By their canonical forms: equal values may still differ in the order of their properties, which people chose.
    if encode_spec(spec_from_records(record)) == encode_spec(spec):
        return False
    save_spec_to_records(spec, record)
    note_change(record, actor=actor, action=action, details={"events": len(spec.events)})
    return True


def note_change(record: SpecRecord, *, actor: Actor, action: str, details: Mapping[str, object]) -> None:
    """The draft's revision has moved by one, a review of what it said before is void, and the trace says why.

    Lint has counted what it finds in each event.
    """
    record.draft_revision += 1
    note_editor(record, actor)
    record.save(update_fields=["draft_revision", "editors", "updated_at"])
    reviewed = ReviewRecord.objects.filter(spec=record, state__in=LIVE_STATES)
    voided = reviewed.update(state=ReviewState.VOIDED, closed_at=timezone.now())
    count_findings(record)
    shown = {"draft_revision": record.draft_revision, **details} | ({"voided_review": True} if voided else {})
    audit.record(actor=actor, action=action, target=record, details=shown)


def note_editor(record: SpecRecord, actor: Actor) -> None:
    """The actor counts as an author of the draft until it is published; not saved yet."""
    if actor.person_id:
        record.editors = {**record.editors, actor.person_id: actor.label}


def next_version(record: SpecRecord) -> int:
    """The least version number that is free; one query."""
    last = SpecVersion.objects.filter(spec=record).aggregate(last=Max("version"))["last"]
    return int(last or 0) + 1


def refuse_wrong_identity(record: SpecRecord, meta: TelemetryMeta) -> None:
    """Return if ``meta`` belongs to this draft; raises ``InvalidDocument`` for another name or a taken version."""
    errors = []
    if meta.name != record.name:
        errors.append(FieldError("wrong_name", "meta.name", f"must be {record.name}, the name of this spec"))
    free = next_version(record)
    if meta.version < free:
        errors.append(
            FieldError("out_of_range", "meta.version", f"must be at least {free}: the versions before it are published")
        )
    if errors:
        raise InvalidDocument(errors, what="telemetry spec")


def check_event(record: SpecRecord, event: EventDefinition) -> None:
    """Return if the event keeps every rule in this draft; raises ``InvalidDocument`` with paths inside the event."""
    errors = check_spec(
        TelemetrySpec(meta=meta_from_record(record), config=defaults_from_record(record), events=(event,))
    )
    if errors:
        prefix = "events[0]"
        inside = (
            FieldError(error.code, error.path.removeprefix(prefix).removeprefix("."), error.message) for error in errors
        )
        raise InvalidDocument(inside, what="event")
