"""Contracts of events; they belong to the whole workspace."""

from collections.abc import Collection
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from telemetry.core.errors import NotFound
from telemetry.core.event_specs import EventSpec
from telemetry.mappers import event_spec_from_document
from telemetry.models import EventRecord, EventSpecRecord

__all__ = ["KnownAround", "event_spec_by_id", "event_specs", "events_of_contract", "known_around"]

# What was published, then a row without a name if the domain has a contract, and only then those of the names.
AROUND: Final = """
SELECT name, version, NULL AS document FROM telemetry_eventowner WHERE name = ANY (%(names)s)
UNION ALL
SELECT '', 0, NULL WHERE EXISTS (SELECT FROM telemetry_eventspecrecord WHERE domain = %(domain)s)
UNION ALL
SELECT name, version, document FROM telemetry_eventspecrecord
WHERE name = ANY (%(names)s) AND EXISTS (SELECT FROM telemetry_eventspecrecord WHERE domain = %(domain)s)
ORDER BY name, version
"""


class KnownAround(NamedTuple):
    """Of events with some names: which were ever ``published``, and their ``contracts``, in all versions and domains.

    ``contracts`` is ``None`` if the domain has none at all.
    """

    published: frozenset[tuple[str, int]]
    contracts: tuple[EventSpec, ...] | None


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


def known_around(domain: str, names: Collection[str]) -> KnownAround:
    """What the workspace knows of events with these names; one query."""
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"domain": domain, "names": list(names)})
        rows = cursor.fetchall()
    contracts = tuple(event_spec_from_document(document) for _, _, document in rows if document)
    has_contracts = any(name == "" for name, *_ in rows)
    published = frozenset((name, version) for name, version, document in rows if name and not document)
    return KnownAround(published, contracts if has_contracts else None)
