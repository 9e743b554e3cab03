"""The violations of all installations: to search, to narrow down, and to take away."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from studio import markup
from studio.pages.downloads import as_file
from studio.pages.queries import page_of_rows, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import KINDS, installation_words, kind_of, place_of, state_chip
from telemetry.models import ViolationRecord, ViolationState
from telemetry.selectors.violations import (
    ORDERS,
    ViolationFilter,
    ViolationOrder,
    counts_by_day,
    installations_with_violations,
    violations,
)
from telemetry.services.violation_export import export_violations

__all__ = ["DAYS", "violations_csv", "violations_page", "wanted_of"]

PAGE_SIZE: Final = 50
DAYS: Final = 14
# What a list to choose from can hold; beyond, people come by a link from the installation.
MOST_INSTALLATIONS: Final = 200
ORDER_WORDS: Final = {"last_seen": "Last seen", "count": "Most events", "first_seen": "Newest"}
STATE_WORDS: Final = {
    "": "Waiting for somebody",
    **{state.value: str(state.label) for state in ViolationState},
    "all": "All",
}
SEEN_WORDS: Final = {"": "Any time", "1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}


class ShownViolation(NamedTuple):
    """A row of the list."""

    row: ViolationRecord
    place: str
    kind: str
    where: SafeString
    by_day: SafeString
    state: SafeString


def violations_page(request: HttpRequest) -> HttpResponse:
    """The groups of violations that are looked for, with what came of each in the last two weeks."""
    wanted, order = wanted_of(request.GET), order_of(request.GET)
    page = page_of_rows(violations(wanted, order), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "rows": list(_shown(page.object_list)),
        "query": without(request.GET, "page").urlencode(),
        "csv_address": f"{reverse('violations_csv')}?{without(request.GET, 'page').urlencode()}",
        "quarantine_address": _quarantine_address(wanted),
        "asked": request.GET,
        "orders": ORDER_WORDS.items(),
        "states": STATE_WORDS.items(),
        "kinds": [(code.value, words) for code, words in KINDS.items()],
        "seen": SEEN_WORDS.items(),
        "installations": installations_with_violations(limit=MOST_INSTALLATIONS),
        "is_narrowed": any(value for name, value in request.GET.items() if name not in ("page", "order")),
    }
    return render_page(
        request, "studio/pages/violations.html", noun=ViolationRecord, title="Violations", page_title="", **context
    )


def violations_csv(request: HttpRequest) -> HttpResponse:
    """The groups that are looked for as a CSV file."""
    text = export_violations(wanted_of(request.GET), order_of(request.GET))
    return as_file(text, "telemetry-violations", "csv")


def wanted_of(query: QueryDict) -> ViolationFilter:
    """What the address asks for; what no violation can have is left out."""
    state, seen = query.get("state", ""), query.get("seen", "")
    states = tuple(ViolationState) if state == "all" else tuple(each for each in ViolationState if each.value == state)
    return ViolationFilter(
        text=query.get("q", "")[:200],
        installation=public_id(query.get("installation")),
        event=query.get("event", "")[:200],
        code=query.get("code", "") if query.get("code") in set(KINDS) else "",
        app_version=query.get("version", "")[:64],
        states=states,
        seen_since=timezone.now() - timedelta(days=int(seen)) if seen and seen in SEEN_WORDS else None,
    )


def order_of(query: QueryDict) -> ViolationOrder:
    """The order that the address asks for, what came last first if it asks for none."""
    return next((each for each in ORDERS if each == query.get("order")), "last_seen")


def _quarantine_address(wanted: ViolationFilter) -> str:
    """Where the refused events of the same installation are held."""
    narrowed = f"?installation={wanted.installation}" if wanted.installation else ""
    return f"{reverse('quarantine')}{narrowed}"


def _shown(rows: Iterable[ViolationRecord]) -> Iterator[ShownViolation]:
    found = list(rows)
    counts = counts_by_day([row.pk for row in found], until=timezone.now().date(), days=DAYS)
    for row in found:
        by_day = counts[row.pk]
        title = f"{sum(by_day)} in the last {DAYS} days, {max(by_day)} on the worst"
        yield ShownViolation(
            row=row,
            place=place_of(row),
            kind=kind_of(row.code),
            where=installation_words(row.installation),
            by_day=markup.sparkline(by_day, title),
            state=state_chip(row),
        )
