"""What events look like in the catalog, and how to look for them."""

from datetime import date, datetime
from typing import Annotated

import msgspec

from studio.api.shapes import Page, Shape
from telemetry.core.enums import PrivacyLevel, Stability
from telemetry.selectors.balance import EventVolume
from telemetry.selectors.catalog import CatalogEvent, CatalogFilter, CatalogOrder, Facet

__all__ = [
    "EventFileQuery",
    "EventItem",
    "EventPage",
    "EventQuery",
    "FacetItem",
    "FacetValue",
    "filter_of",
    "write_event",
    "write_facet",
]

# More values than anybody chooses, in a list that is sent as one text between commas.
Values = Annotated[tuple[str, ...], msgspec.Meta(max_length=50)]


class EventFileQuery(Shape, frozen=True, kw_only=True):
    """Which events: all that fit every parameter; of several values between commas, one has to fit."""

    search: Annotated[
        str,
        msgspec.Meta(
            max_length=200,
            description="Words, in any order, that name, meaning, properties, owners or tags contain; "
            "what stands in double quotes is one word.",
        ),
    ] = ""
    privacy: tuple[PrivacyLevel, ...] = ()
    spec: Values = ()
    owner: Values = ()
    tag: Values = ()
    stability: tuple[Stability, ...] = ()
    has_findings: bool | None = None
    deprecated: bool | None = None
    order: CatalogOrder = "relevance"


class EventQuery(EventFileQuery, frozen=True, kw_only=True):
    """Which events, and which part of them: pages count from 1."""

    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25


class EventItem(Shape, frozen=True, kw_only=True):
    """An event of a draft; ``owners`` are its own or else those of its spec.

    ``findingCount`` is null before the draft was linted. ``volume7Days`` and ``volume30Days`` count the events that
    came to the installations that the caller sees, each once, today (UTC) included; ``lastReceivedAt`` is null if none
    did.
    """

    name: str
    version: int
    what: str
    spec: str
    privacy: PrivacyLevel
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    stability: Stability
    is_deprecated: bool
    replaced_by: str | None
    review_by: date | None
    finding_count: int | None
    property_count: int
    volume_7_days: int = msgspec.field(name="volume7Days")
    volume_30_days: int = msgspec.field(name="volume30Days")
    last_received_at: datetime | None


class FacetValue(Shape, frozen=True, kw_only=True):
    """A value of a parameter, and how many events would fit with it, all other parameters as they are."""

    value: str
    events: int
    is_chosen: bool


class FacetItem(Shape, frozen=True, kw_only=True):
    """What one parameter could be, the most frequent values first; ``more`` counts those that are left out."""

    parameter: str
    values: tuple[FacetValue, ...]
    more: int


class EventPage(Page[EventItem], frozen=True, kw_only=True):
    """Some of the events, and what they could be narrowed down to."""

    facets: tuple[FacetItem, ...]


def filter_of(query: EventFileQuery) -> CatalogFilter:
    """The query in the words of the catalog."""
    return CatalogFilter(
        text=query.search,
        privacy=query.privacy,
        spec=query.spec,
        owner=query.owner,
        tag=query.tag,
        stability=query.stability,
        has_findings=query.has_findings,
        deprecated=query.deprecated,
    )


def write_event(event: CatalogEvent, volume: EventVolume | None) -> EventItem:
    """An event as ``telemetry.selectors.catalog`` finds it, and what came of it, if anything did."""
    by_day = volume.by_day if volume else ()
    return EventItem(
        name=event.name,
        version=event.version,
        what=event.what,
        spec=event.spec,
        privacy=PrivacyLevel(event.privacy),
        owners=tuple(event.owners),
        tags=tuple(event.tags),
        stability=Stability(event.stability),
        is_deprecated=event.is_deprecated,
        replaced_by=event.replaced_by,
        review_by=event.review_by,
        finding_count=event.finding_count,
        property_count=event.property_count,
        volume_7_days=sum(by_day[-7:]),
        volume_30_days=sum(by_day),
        last_received_at=volume.last_received_at if volume else None,
    )


def write_facet(facet: Facet) -> FacetItem:
    """A facet by the name of its parameter."""
    parameter = "hasFindings" if facet.name == "has_findings" else facet.name
    values = tuple(FacetValue(value=each.value, events=each.events, is_chosen=each.is_chosen) for each in facet.counts)
    return FacetItem(parameter=parameter, values=values, more=facet.more)
