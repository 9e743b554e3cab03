"""The catalog of all events, for everybody with a role: as pages to browse, as a file to take away."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from django.utils import timezone

from telemetry.core.csv_rows import write_rows
from telemetry.selectors.catalog import (
    CatalogFilter,
    CatalogOrder,
    CatalogPage,
    SentEvent,
    catalog_page,
    catalog_rows,
)
from tenants.actors import Actor, require_somewhere

__all__ = ["catalog", "export_catalog"]

COLUMNS: Final = (
    "event",
    "version",
    "what",
    "spec",
    "privacy",
    "owners",
    "tags",
    "stability",
    "properties",
    "deprecated",
    "replaced by",
    "review by",
    "findings",
    "came in 30 days",
    "last seen",
)
# Lines that are sent together.
PORTION: Final = 500


def catalog(
    *, actor: Actor, wanted: CatalogFilter, order: CatalogOrder = "relevance", page: int = 1, page_size: int = 50
) -> CatalogPage:
    """The page of events of all drafts, those whose name fits best first unless another order is asked for.

    Volumes are those of the installations that the tenant context shows. Needs ``view`` anywhere. Three queries.
    """
    require_somewhere(actor, "view")
    today = timezone.now().date()
    return catalog_page(wanted, order, today=today, limit=page_size, offset=(page - 1) * page_size)


def export_catalog(*, actor: Actor, wanted: CatalogFilter, order: CatalogOrder = "name") -> Iterator[bytes]:
    """All events that are looked for as CSV in UTF-8, portion by portion, safe to open in a spreadsheet.

    Needs ``view`` anywhere, which is asked before the first portion is. One query.
    """
    require_somewhere(actor, "view")
    return _portions(catalog_rows(wanted, order, today=timezone.now().date()))


def _portions(events: Iterator[SentEvent]) -> Iterator[bytes]:
    yield write_rows([COLUMNS]).encode()
    while rows := [_row(event) for event in islice(events, PORTION)]:
        yield write_rows(rows).encode()


def _row(sent: SentEvent) -> tuple[object, ...]:
    event = sent.event
    return (
        event.name,
        event.version,
        event.what,
        event.spec,
        event.privacy,
        " ".join(event.owners),
        " ".join(event.tags),
        event.stability,
        event.property_count,
        "yes" if event.is_deprecated else "no",
        event.replaced_by,
        event.review_by,
        event.finding_count,
        sent.volume,
        "" if sent.last_received_at is None else sent.last_received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
