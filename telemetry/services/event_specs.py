"""Contracts of events: imported, taken out again, and compared with the events of drafts.

Contracts come from elsewhere, and that place decides what they say: importing one again replaces what was stored.
"""

from enum import StrEnum
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from telemetry.core.codec import Format, checksum, encode_document
from telemetry.core.errors import Conflict, NotFound
from telemetry.core.event_specs import Departure, EventSpec, departures
from telemetry.formats.event_specs import NOTHING, GivenMeta, read_event_spec
from telemetry.mappers import event_from_record, event_spec_from_document
from telemetry.models import EventRecord, EventSpecRecord, SpecRecord
from telemetry.selectors.event_specs import event_spec_by_id, events_of_contract
from telemetry.services.linting import count_findings
from tenants.actors import Actor, require, require_somewhere
from tenants.services import audit

__all__ = [
    "ImportOutcome",
    "Imported",
    "Measurement",
    "compare_with_events",
    "import_event_spec",
    "remove_event_spec",
]


class ImportOutcome(StrEnum):
    """What importing a contract did."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


class Imported(NamedTuple):
    """The stored contract, and whether it is new."""

    record: EventSpecRecord
    outcome: ImportOutcome


class Measurement(NamedTuple):
    """An event of a draft that measures what a contract describes, and where it departs from it."""

    event: EventRecord
    departures: tuple[Departure, ...]


@transaction.atomic
def import_event_spec(
    *,
    actor: Actor,
    document: bytes | str,
    given: GivenMeta = NOTHING,
    format: Format | None = None,  # noqa: A002
) -> Imported:
    """The contract that the document describes is stored; one of the same name and version is replaced.

    The document is an EventSpec or a JSON Schema of its payload, see ``read_event_spec``. The findings of drafts that
    it concerns are counted anew. Needs ``spec.edit`` in the workspace. Raises ``InvalidDocument`` with every broken
    rule.
    """
    require(actor, "spec.edit")
    contract = read_event_spec(document, given=given, format=format)
    text, digest = encode_document(contract).decode(), checksum(contract)
    name, version = contract.identity
    known = EventSpecRecord.objects.select_for_update().filter(name=name, version=version).order_by().first()
    if known is not None and known.checksum == digest:
        return Imported(known, ImportOutcome.UNCHANGED)
    record, is_new = EventSpecRecord.objects.update_or_create(
        name=name,
        version=version,
        defaults={
            "title": contract.meta.title,
            "domain": contract.meta.domain,
            "document": text,
            "checksum": digest,
            "imported_by_label": actor.label,
            "imported_at": timezone.now(),
        },
    )
    outcome = ImportOutcome.ADDED if is_new else ImportOutcome.REPLACED
    audit.record(actor=actor, action=f"event_spec.{outcome}", target=record, details={"checksum": digest})
    _count_anew(name, {record.domain} | ({known.domain} if known else set()))
    return Imported(record, outcome)


@transaction.atomic
def remove_event_spec(*, actor: Actor, event_spec_id: int, expected_checksum: str) -> EventSpecRecord:
    """The contract is gone; events of its name and version are compared with nothing any more.

    ``expected_checksum`` is that of the contract that was looked at. Needs ``spec.edit`` in the workspace. Raises
    ``NotFound``, and ``Conflict`` if it was imported anew since.
    """
    require(actor, "spec.edit")
    record = EventSpecRecord.objects.select_for_update().filter(pk=event_spec_id).order_by().first()
    if record is None:
        raise NotFound("there is no such EventSpec")
    if record.checksum != expected_checksum:
        raise Conflict(f"the EventSpec {record} was imported anew since you looked at it")
    audit.record(actor=actor, action="event_spec.removed", target=record, details={"checksum": record.checksum})
    EventSpecRecord.objects.filter(pk=record.pk).delete()
    _count_anew(record.name, {record.domain})
    return record


def compare_with_events(
    *, actor: Actor, event_spec_id: int
) -> tuple[EventSpecRecord, EventSpec, tuple[Measurement, ...]]:
    """The contract, and every event of a draft that measures it, with where it departs from it.

    Needs ``view`` anywhere. Raises ``NotFound``. Four queries.
    """
    require_somewhere(actor, "view")
    record = event_spec_by_id(event_spec_id)
    contract = event_spec_from_document(record.document)
    events = events_of_contract(record).prefetch_related("properties", "thresholds")
    found = (Measurement(event, departures(contract, event_from_record(event))) for event in events)
    return record, contract, tuple(found)


def _count_anew(name: str, domains: set[str]) -> None:
    """Drafts know again how many findings each event has, where a contract of this name made a difference.

    That is where an event has its name, or is replaced by it; and in the whole domain when it has its first contract,
    or has lost its last one. Six queries for each such draft.
    """
    # With one contract or none, the domain has just begun or ceased to have contracts at all.
    turned = [domain for domain in domains if EventSpecRecord.objects.filter(domain=domain).count() <= 1]
    concerned = EventRecord.objects.filter(
        Q(name=name) | Q(deprecation_replaced_by=name) | Q(deprecation_replaced_by__startswith=f"{name}@")
    )
    drafts = SpecRecord.objects.filter(Q(domain__in=turned) | Q(pk__in=concerned.values("spec")))
    for draft in drafts.select_for_update().order_by("pk"):
        count_findings(draft)
