"""What contracts of events look like, and where events depart from them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.event_specs import DepartureKind
from telemetry.core.shapes import write_path
from telemetry.core.values import EventName, PositiveInt
from telemetry.models import EventSpecRecord
from telemetry.services.event_specs import Imported, Measurement

__all__ = [
    "DepartureItem",
    "EventSpecComparison",
    "EventSpecImport",
    "EventSpecImportQuery",
    "EventSpecItem",
    "EventSpecPage",
    "EventSpecQuery",
    "EventSpecRemoval",
    "MeasurementItem",
    "write_event_spec",
    "write_import",
    "write_measurement",
]

Domain = Annotated[str, msgspec.Meta(max_length=100)]


class EventSpecQuery(PageQuery, frozen=True, kw_only=True):
    """Which contracts."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Text that name, title or domain contains.")] = ""
    domain: Domain | None = None


class EventSpecImportQuery(Shape, frozen=True, kw_only=True):
    """What the document leaves open: for a JSON Schema its name and version, and where personal data is."""

    name: EventName | None = None
    version: PositiveInt | None = None
    domain: Domain = ""
    pii: tuple[Annotated[str, msgspec.Meta(max_length=500)], ...] = ()


class EventSpecItem(Shape, frozen=True, kw_only=True):
    """A contract in short; ``checksum`` is the SHA-256 of its document in hex, ``eventCount`` the events it is for."""

    id: int
    name: str
    version: int
    title: str
    domain: str
    checksum: str
    imported_by: str
    imported_at: datetime
    event_count: int


class EventSpecPage(Page[EventSpecItem], frozen=True, kw_only=True):
    """Some of the contracts, by name, the newest version first."""


class EventSpecImport(EventSpecItem, frozen=True, kw_only=True):
    """The stored contract, and what importing it did."""

    outcome: Literal["added", "replaced", "unchanged"]


class EventSpecRemoval(Shape, frozen=True, kw_only=True):
    """Which contract goes, by the checksum of the one that was looked at."""

    expected_checksum: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class DepartureItem(Shape, frozen=True, kw_only=True):
    """One difference; ``path`` is its place in the event, empty for what is missing there."""

    kind: DepartureKind
    name: str
    path: str
    message: str


class MeasurementItem(Shape, frozen=True, kw_only=True):
    """An event of the contract's name and version in the draft of ``spec``, and where it departs from the contract."""

    spec: str
    event: str
    departures: tuple[DepartureItem, ...]


class EventSpecComparison(Shape, frozen=True, kw_only=True):
    """The events that measure a contract; none means that nothing does."""

    items: tuple[MeasurementItem, ...]


def write_event_spec(record: EventSpecRecord) -> EventSpecItem:
    """A row of ``telemetry.selectors.event_specs.event_specs``."""
    return EventSpecItem(
        id=record.pk,
        name=record.name,
        version=record.version,
        title=record.title,
        domain=record.domain,
        checksum=record.checksum,
        imported_by=record.imported_by_label,
        imported_at=record.imported_at,
        event_count=record.event_count,
    )


def write_import(record: EventSpecRecord, imported: Imported) -> EventSpecImport:
    """The row as for ``write_event_spec``, with the outcome."""
    return EventSpecImport(**msgspec.structs.asdict(write_event_spec(record)), outcome=imported.outcome.value)


def write_measurement(measurement: Measurement) -> MeasurementItem:
    """One event beside the contract."""
    return MeasurementItem(
        spec=measurement.event.spec.name,
        event=str(measurement.event),
        departures=tuple(
            DepartureItem(kind=each.kind, name=each.name, path=write_path(each.path), message=each.message)
            for each in measurement.departures
        ),
    )
