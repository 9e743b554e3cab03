"""The live view: an installation's events as they arrive, with every step on their way."""

import json
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from studio.addresses import list_address
from studio.pages.installation import installation_or_404
from studio.pages.live_lines import OUTCOME_WORDS, ShownLine, shown_delivery, shown_line
from studio.pages.scope import installations_where
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.config import EffectiveConfig
from telemetry.core.enums import EventOutcome, PropertyType
from telemetry.core.errors import Unavailable
from telemetry.core.timestamps import parse_timestamp
from telemetry.models import StoredEvent
from telemetry.selectors.live_deliveries import live_deliveries
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.live import LiveLine, read_line, stored_lines
from telemetry.stores.live import START, live_stream
from tenants.models import ApiKey, Installation

__all__ = ["live_lines", "live_page"]

# A value of each type, for an event to try with.
EXAMPLES: Final[dict[PropertyType, Any]] = {
    PropertyType.STRING: "example",
    PropertyType.NUMBER: 1,
    PropertyType.BOOLEAN: True,
    PropertyType.TIMESTAMP: "2026-01-15T09:30:00Z",
    PropertyType.JSON: {},
}
# Lines on the page when it opens, and in one answer.
MOST_LINES: Final = 100
# Choices in the list of installations; a workspace with more has Live on each installation's page.
MOST_CHOICES: Final = 200


class Wanted(NamedTuple):
    """Which lines are asked for: of one event or all, with one outcome or all."""

    event: str
    outcome: EventOutcome | None

    def has(self, line: LiveLine) -> bool:
        """Whether the line is among them."""
        return self.event in ("", line.name) and self.outcome in (None, line.outcome)


class LiveLook(NamedTuple):
    """What is seen at one look, the newest first; ``is_live`` is false while the stream does not answer.

    ``skipped`` counts lines that came in such a number that older ones are left out.
    """

    lines: list[LiveLine]
    cursor: str
    is_live: bool
    skipped: int = 0


def live_page(request: HttpRequest) -> HttpResponse:
    """The page; without scripts it shows what came until now, each time that it is asked for."""
    choices = list(installations_where(actor_of(request), "view")[:MOST_CHOICES])
    installation = _chosen(request, choices)
    if installation is None:
        return render_page(request, "studio/live/page.html", noun=StoredEvent, title="Live", page_title="")
    wanted = _wanted(request.GET)
    look = _first_look(installation, wanted)
    config = config_at_ingest(installation)
    names = sorted(config.compiled.names) if config.compiled else []
    context: dict[str, Any] = {
        "installation": installation,
        "choices": choices if installation in choices else [installation, *choices],
        "event": wanted.event,
        "outcome": wanted.outcome,
        "events": names if wanted.event in ("", *names) else [wanted.event, *names],
        "outcomes": OUTCOME_WORDS.items(),
        "lines": _shown(installation, look.lines),
        "look": look,
        "is_narrowed": wanted != Wanted("", None),
        "lines_address": f"{reverse('live_lines')}?{_query(installation, wanted)}",
        "origin": request.build_absolute_uri("/").rstrip("/"),
        "example": _example(config.effective),
        "keys_address": _keys_address(request, installation),
    }
    return render_page(request, "studio/live/page.html", noun=StoredEvent, title="Live", page_title="", **context)


def live_lines(request: HttpRequest) -> JsonResponse:
    """The lines after ``after``, the newest first, as pieces of the page; while the stream is away, what was stored
    after ``since``. ``pending`` names events on the page that were on their way: how far they got comes along.
    """
    installation = installation_or_404(request.GET.get("installation", ""))
    look = _next_look(installation, _wanted(request.GET), request.GET)
    lines = _shown(installation, look.lines)
    pieces = [render_to_string("studio/live/line.html", {"each": each}) for each in lines]
    found = {
        "lines": pieces,
        "cursor": look.cursor,
        "isLive": look.is_live,
        "skipped": look.skipped,
        "deliveries": _news(installation, request.GET.get("pending", "")),
    }
    answer = JsonResponse(found)
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(installation: Installation, lines: list[LiveLine]) -> list[ShownLine]:
    """The lines as they are drawn, with where they were passed on; up to two queries."""
    stored = [line.event_id for line in lines if line.event_id and line.outcome is EventOutcome.STORED]
    found = live_deliveries(installation, stored)
    return [
        shown_line(line, found.get(line.event_id, ()) if line.event_id and line.outcome is EventOutcome.STORED else ())
        for line in lines
    ]


def _news(installation: Installation, pending: str) -> dict[str, dict[str, object]]:
    """By event, the pieces of the page that say how far it got; ids that are none are passed over."""
    event_ids = [found for text in pending.split(",")[:MOST_LINES] if (found := _uuid_of(text)) is not None]
    news: dict[str, dict[str, object]] = {}
    for event_id, deliveries in live_deliveries(installation, event_ids).items():
        shown = shown_delivery(deliveries)
        if shown is not None:
            pieces = {"delivery": shown}
            news[str(event_id)] = {
                "step": render_to_string("studio/live/delivery_step.html", pieces),
                "detail": render_to_string("studio/live/delivery_detail.html", pieces),
                "isSettled": shown.is_settled,
            }
    return news


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _chosen(request: HttpRequest, choices: list[Installation]) -> Installation | None:
    """The installation of the address, else the first that the person may see."""
    wanted = request.GET.get("installation")
    if wanted is None:
        return choices[0] if choices else None
    return next((each for each in choices if str(each.public_id) == wanted), None) or installation_or_404(wanted)


def _wanted(query: QueryDict) -> Wanted:
    outcome = query.get("outcome", "")
    known = EventOutcome(outcome) if outcome in set(EventOutcome) else None
    return Wanted(query.get("event", "")[:200], known)


def _first_look(installation: Installation, wanted: Wanted) -> LiveLook:
    """The newest lines, and before them what was stored while nobody watched."""
    look = _look(installation, wanted, START)
    seen = {line.event_id for line in look.lines}
    stored = [line for line in _stored(installation, wanted) if line.event_id not in seen]
    lines = sorted([*look.lines, *stored], key=lambda line: line.received_at, reverse=True)
    return look._replace(lines=lines[:MOST_LINES])


def _next_look(installation: Installation, wanted: Wanted, query: QueryDict) -> LiveLook:
    look = _look(installation, wanted, query.get("after", START))
    if look.is_live:
        return look
    since = parse_timestamp(query.get("since", ""))
    stored = [] if since is None else _stored(installation, wanted, since)
    return look._replace(lines=stored)


def _look(installation: Installation, wanted: Wanted, after: str) -> LiveLook:
    try:
        part = live_stream().read(installation.public_id, after)
    except Unavailable:
        return LiveLook([], after, is_live=False)
    lines = [line for line in map(read_line, reversed(part.lines)) if line is not None and wanted.has(line)]
    skipped = max(0, len(lines) - MOST_LINES)
    return LiveLook(lines[:MOST_LINES], part.cursor, is_live=True, skipped=skipped)


def _stored(installation: Installation, wanted: Wanted, since: datetime | None = None) -> list[LiveLine]:
    """What was stored lately; of other outcomes nothing is stored."""
    if wanted.outcome not in (None, EventOutcome.STORED):
        return []
    return stored_lines(installation, now=timezone.now(), name=wanted.event or None, since=since, limit=MOST_LINES)


def _query(installation: Installation, wanted: Wanted) -> str:
    chosen = {"event": wanted.event, "outcome": str(wanted.outcome or "")}
    return urlencode({"installation": str(installation.public_id), **chosen})


def _example(config: EffectiveConfig | None) -> dict[str, str]:
    """An event to try with: a name and the properties that it needs, in JSON as it stands in a shell's quotes."""
    events = [event for event in config.events if event.enabled] if config else []
    if not events:
        return {"event": '"an event of the spec"', "properties": "{}"}
    needed = {name: rule for name, rule in events[0].properties.items() if rule.required}
    values = {
        name: rule.allowed_values[0] if rule.allowed_values else EXAMPLES[rule.type] for name, rule in needed.items()
    }
    # A quote would end the shell's.
    return {"event": json.dumps(events[0].name), "properties": json.dumps(values).replace("'", "\\u0027")}


def _keys_address(request: HttpRequest, installation: Installation) -> str:
    may_issue = actor_of(request).can("key.manage", installation.tenant_id)
    return f"{list_address(ApiKey)}add/?installation={installation.pk}" if may_issue else ""
