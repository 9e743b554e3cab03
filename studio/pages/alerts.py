"""Who is told of incidents: channels and routes of all tenants that the person may see."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from studio.pages.alert_words import channel_chip, conditions_of, error_words
from studio.pages.queries import page_of_rows, without
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.models import AlertChannel, AlertRoute
from telemetry.selectors.alerts import Pending, channels, pending, routes
from telemetry.selectors.evaluation import lateness

__all__ = ["alerts_page"]

PAGE_SIZE: Final = 50
# More routes than that are one for each event, which a * would say better.
MOST_ROUTES: Final = 200


class ShownChannel(NamedTuple):
    """A row of the list."""

    row: AlertChannel
    state: SafeString
    trouble: str
    pending: Pending


class ShownRoute(NamedTuple):
    """A route, in words."""

    row: AlertRoute
    takes: str


def alerts_page(request: HttpRequest) -> HttpResponse:
    """Every channel with how it does, and every route."""
    page = page_of_rows(channels(), request.GET, PAGE_SIZE)
    shown = routes()[: MOST_ROUTES + 1]
    found = [ShownRoute(route, conditions_of(route)) for route in shown]
    context: dict[str, Any] = {
        "page": page,
        "rows": list(_shown(list(page.object_list))),
        "routes": found[:MOST_ROUTES],
        "has_more_routes": len(found) > MOST_ROUTES,
        "query": without(request.GET, "page").urlencode(),
        "late": lateness(),
        "may_manage": actor_of(request).can_somewhere("alert.manage"),
    }
    return render_page(request, "studio/pages/alerts.html", noun=AlertChannel, title="Alerts", page_title="", **context)


def _shown(rows: list[AlertChannel]) -> Iterator[ShownChannel]:
    counts = pending([row.pk for row in rows])
    for row in rows:
        trouble = error_words(row.last_error, row.last_status) if row.last_error else ""
        yield ShownChannel(row, channel_chip(row), trouble, counts[row.pk])
