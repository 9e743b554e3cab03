"""Contracts of events; they belong to the whole workspace."""

from collections.abc import Collection

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from telemetry.core.errors import NotFound
from telemetry.core.event_specs import EventSpec
from telemetry.mappers import event_spec_from_document
from telemetry.models import EventRecord, EventSpecRecord

__all__ = ["contracts_around", "event_spec_by_id", "event_specs", "events_of_contract"]


def event_specs(search: str = "", domain: str | None = None) -> QuerySet[EventSpecRecord]:
    """The contracts by name, newest version first, without their documents; each with ``event_count``. One query.

    The count is that of the events of this name and version in all drafts. ``search`` is looked for in names, titles
    and domains, in either case and as plain text.
    """
    measured = EventRecord.objects.filter(name=OuterRef("name"), version=OuterRef("version")).order_by()
    counts = measured.values("name").annotate(count=Count("pk")).values("count")
    # The model declares the count, so that whoever shows a row may name it.
    rows = EventSpecRecord.objects.annotate(  # type: ignore[no-redef]
        event_count=Coalesce(Subquery(counts), 0)
    )
    if "\x00" in search + (domain or ""):
        return rows.none()
    if search:
        found = (Q(**{f"{column}__icontains": search}) for column in ("name", "title", "domain"))
        rows = rows.filter(next(found) | next(found) | next(found))
    if domain is not None:
        rows = rows.filter(domain=domain)
    return rows.defer("document").order_by("name", "-version")


def event_spec_by_id(event_spec_id: int) -> EventSpecRecord:
    """The contract, as in ``event_specs``, with its document; ``NotFound``. One query."""
    found = event_specs().defer(None).filter(pk=event_spec_id).first()
    if found is None:
        raise NotFound("there is no such EventSpec")
    return found


def events_of_contract(record: EventSpecRecord) -> QuerySet[EventRecord]:
    """The events of drafts that have the contract's name and version, by spec, each with its spec. One query."""
    rows = EventRecord.objects.filter(name=record.name, version=record.version)
    return rows.select_related("spec").order_by("spec__name")


def contracts_around(domain: str, names: Collection[str]) -> tuple[EventSpec, ...] | None:
    """The contracts, in all versions and domains, of events with these names; ``None`` if the domain has no contract.

    One query without contracts in the domain, else two.
    """
    if not EventSpecRecord.objects.filter(domain=domain).exists():
        return None
    documents = EventSpecRecord.objects.filter(name__in=names).order_by("name", "version")
    return tuple(event_spec_from_document(text) for text in documents.values_list("document", flat=True))
