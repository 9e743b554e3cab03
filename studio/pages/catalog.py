"""The catalog: every event of every draft, to search, to narrow down, and to take away."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, get_args

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from studio import markup
from studio.addresses import list_address
from studio.pages.downloads import as_file
from studio.pages.queries import page_number, without
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.enums import PrivacyLevel, Stability
from telemetry.models import EventRecord, SpecRecord
from telemetry.selectors.balance import EventVolume
from telemetry.selectors.catalog import VOLUME_DAYS, CatalogEvent, CatalogFilter, CatalogOrder, Facet
from telemetry.services.catalog import catalog, export_catalog

__all__ = ["catalog_csv", "catalog_page"]

PAGE_SIZE: Final = 50
# The rest of a facet is there on request.
SHOWN_VALUES: Final = 7
TITLES: Final = {
    "privacy": "Privacy",
    "deprecated": "Deprecated",
    "has_findings": "Findings",
    "stability": "Stability",
    "spec": "Spec",
    "owner": "Owner",
    "tag": "Tag",
}
WORDS: Final = {
    ("has_findings", "true"): "with findings",
    ("has_findings", "false"): "without findings",
    ("deprecated", "true"): "deprecated",
    ("deprecated", "false"): "in use",
}
ORDERS: Final[dict[CatalogOrder, str]] = {
    "relevance": "Best match",
    "name": "Name",
    "spec": "Spec",
    "privacy": "Privacy, open first",
    "-privacy": "Privacy, closed first",
    "findings": "Most findings",
    "volume": "Most sent in 30 days",
    "last_seen": "Seen last",
    "-last_seen": "Longest unseen",
}


class ShownCount(NamedTuple):
    """One value of a facet: its word, how many events have it, and where choosing it or undoing that leads."""

    word: str
    events: int
    address: str
    is_chosen: bool


class ShownEvent(NamedTuple):
    """One event with what came of it: numbers, a picture, and when the last one came."""

    event: CatalogEvent
    volume: SafeString
    week: str
    line: SafeString
    last_seen: SafeString


class ShownFacet(NamedTuple):
    """A facet, the most frequent values first; ``rest`` is shown on request."""

    title: str
    counts: tuple[ShownCount, ...]
    rest: tuple[ShownCount, ...]
    more: int


def catalog_page(request: HttpRequest) -> HttpResponse:
    """The events that are looked for, and what they could be narrowed down to."""
    wanted, order, number = _wanted(request.GET), _order(request.GET), page_number(request.GET.get("page"))
    found = catalog(actor=actor_of(request), wanted=wanted, order=order, page=number, page_size=PAGE_SIZE)
    page = Paginator(range(found.total), PAGE_SIZE).get_page(number)
    if page.number != number:
        found = catalog(actor=actor_of(request), wanted=wanted, order=order, page=page.number, page_size=PAGE_SIZE)
    context: dict[str, Any] = {
        "found": found,
        "events": [_shown_event(event, found.volumes.get((event.name, event.version))) for event in found.events],
        "page": page,
        "query": without(request.GET, "page").urlencode(),
        "text": wanted.text,
        "order": order,
        "orders": ORDERS.items(),
        "kept": [(key, value) for key, values in _facets_of(request.GET).lists() for value in values],
        "facets": list(_shown_facets(request.GET, found.facets)),
        "is_narrowed": wanted != CatalogFilter(),
        "csv_address": f"{reverse('catalog_csv')}?{without(request.GET, 'page').urlencode()}",
        "add_address": f"{list_address(EventRecord)}add/" if actor_of(request).can("spec.edit") else "",
        "specs_address": list_address(SpecRecord),
    }
    template = "studio/pages/catalog.html"
    return render_page(request, template, noun=EventRecord, title="Catalog", page_title="", **context)


def catalog_csv(request: HttpRequest) -> HttpResponse:
    """All events that are looked for as a CSV file, safe to open in a spreadsheet."""
    order: CatalogOrder = _order(request.GET) if "order" in request.GET else "name"
    portions = export_catalog(actor=actor_of(request), wanted=_wanted(request.GET), order=order)
    return as_file(b"".join(portions), "telemetry-catalog", "csv")


def _wanted(query: QueryDict) -> CatalogFilter:
    """What the address asks for; values that no event can have by their type are left out."""
    return CatalogFilter(
        text=query.get("q", "")[:200],
        privacy=tuple(PrivacyLevel(each) for each in query.getlist("privacy") if each in set(PrivacyLevel)),
        spec=tuple(query.getlist("spec")),
        owner=tuple(query.getlist("owner")),
        tag=tuple(query.getlist("tag")),
        stability=tuple(Stability(each) for each in query.getlist("stability") if each in set(Stability)),
        has_findings=_truth(query.get("has_findings")),
        deprecated=_truth(query.get("deprecated")),
    )


def _truth(word: str | None) -> bool | None:
    return {"true": True, "false": False}.get(word or "")


def _order(query: QueryDict) -> CatalogOrder:
    return next((each for each in get_args(CatalogOrder) if each == query.get("order")), "relevance")


def _facets_of(query: QueryDict) -> QueryDict:
    """What is chosen in facets, without text, order and page."""
    return without(query, *(name for name in query if name not in TITLES))


def _shown_event(event: CatalogEvent, volume: EventVolume | None) -> ShownEvent:
    by_day = volume.by_day if volume else ()
    label = f"By day, the last {VOLUME_DAYS} days; at most {max(by_day, default=0)} in one"
    return ShownEvent(
        event,
        markup.number(sum(by_day)),
        f"{sum(by_day[-7:])} in 7 days",
        markup.sparkline(by_day, label) if any(by_day) else SafeString(""),
        markup.when(volume.last_received_at if volume else None, "not in 30 days"),
    )


def _shown_facets(query: QueryDict, facets: tuple[Facet, ...]) -> Iterator[ShownFacet]:
    by_name = {facet.name: facet for facet in facets}
    for name, title in TITLES.items():
        facet = by_name[name]
        counts = tuple(
            ShownCount(
                WORDS.get((name, each.value), each.value.replace("_", " ") if name == "stability" else each.value),
                each.events,
                _toggled(query, name, each.value),
                each.is_chosen,
            )
            for each in facet.counts
        )
        first = tuple(each for place, each in enumerate(counts) if place < SHOWN_VALUES or each.is_chosen)
        yield ShownFacet(title, first, tuple(each for each in counts if each not in first), facet.more)


def _toggled(query: QueryDict, name: str, value: str) -> str:
    """The address with the value chosen, or not any more; a question of yes or no has one answer at a time."""
    copy = without(query, "page")
    chosen = copy.getlist(name)
    is_single = name in ("has_findings", "deprecated")
    added = [value] if is_single else [*chosen, value]
    copy.setlist(name, [each for each in chosen if each != value] if value in chosen else added)
    return f"?{copy.urlencode()}"
