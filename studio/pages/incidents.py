"""The incidents of all installations: to search and to narrow down."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from studio.pages.incident_words import incident_chip, lasted
from studio.pages.queries import page_of_rows, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.models import Incident, IncidentStatus
from telemetry.selectors.incidents import IncidentFilter, incidents, installations_with_incidents

__all__ = ["incidents_page"]

PAGE_SIZE: Final = 50
# What a list to choose from can hold; beyond, people come by a link from the installation.
MOST_INSTALLATIONS: Final = 200
STATE_WORDS: Final = {
    "": "Not resolved",
    **{status.value: str(status.label) for status in IncidentStatus},
    "all": "All",
}
SINCE_WORDS: Final = {"": "Any time", "1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}


def incidents_page(request: HttpRequest) -> HttpResponse:
    """The incidents that are looked for, the newest first."""
    page = page_of_rows(incidents(_wanted(request.GET)), request.GET, PAGE_SIZE)
    rows = [
        {
            "row": row,
            "state": incident_chip(row),
            "where": installation_words(row.installation),
            "lasted": lasted(row),
        }
        for row in page.object_list
    ]
    context: dict[str, Any] = {
        "page": page,
        "rows": rows,
        "query": without(request.GET, "page").urlencode(),
        "asked": request.GET,
        "states": STATE_WORDS.items(),
        "since": SINCE_WORDS.items(),
        "installations": installations_with_incidents(limit=MOST_INSTALLATIONS),
        "is_narrowed": any(value for name, value in request.GET.items() if name != "page"),
    }
    return render_page(
        request, "studio/pages/incidents.html", noun=Incident, title="Incidents", page_title="", **context
    )


def _wanted(query: QueryDict) -> IncidentFilter:
    """What the address asks for; what no incident can have is left out."""
    state, since = query.get("state", ""), query.get("since", "")
    states = tuple(IncidentStatus) if state == "all" else tuple(s for s in IncidentStatus if s.value == state)
    return IncidentFilter(
        text=query.get("q", "")[:200],
        installation=public_id(query.get("installation")),
        event=query.get("event", "")[:200],
        states=states,
        opened_since=timezone.now() - timedelta(days=int(since)) if since and since in SINCE_WORDS else None,
    )
