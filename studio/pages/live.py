"""The live view: an installation's events as they arrive, with every step on their way."""

import json
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from studio.addresses import list_address
from studio.live_lines import OUTCOME_WORDS, shown_delivery, shown_lines
from studio.pages.installation import installation_or_404
from studio.pages.scope import installations_where
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.config import EffectiveConfig
from telemetry.core.enums import EventOutcome, PropertyType
from telemetry.core.timestamps import parse_timestamp
from telemetry.models import StoredEvent
from telemetry.selectors.live_deliveries import live_deliveries
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.live_looks import MOST_LINES, Wanted, first_look, next_look
from telemetry.stores.live import START
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
# Choices in the list of installations; a workspace with more has Live on each installation's page.
MOST_CHOICES: Final = 200


def live_page(request: HttpRequest) -> HttpResponse:
    """The page; without scripts it shows what came until now, each time that it is asked for."""
    choices = list(installations_where(actor_of(request), "view")[:MOST_CHOICES])
    installation = _chosen(request, choices)
    if installation is None:
        return render_page(request, "studio/live/page.html", noun=StoredEvent, title="Live", page_title="")
    wanted = _wanted(request.GET)
    look = first_look(installation, wanted, now=timezone.now())
    config = config_at_ingest(installation)
    names = sorted(config.compiled.names) if config.compiled else []
    context: dict[str, Any] = {
        "installation": installation,
        "choices": choices if installation in choices else [installation, *choices],
        "event": wanted.event,
        "outcome": wanted.outcome,
        "events": names if wanted.event in ("", *names) else [wanted.event, *names],
        "outcomes": OUTCOME_WORDS.items(),
        "lines": shown_lines(installation, look.lines),
        "look": look,
        "is_narrowed": wanted != Wanted(),
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
    look = next_look(
        installation,
        _wanted(request.GET),
        after=request.GET.get("after", START),
        since=parse_timestamp(request.GET.get("since", "")),
        now=timezone.now(),
    )
    lines = shown_lines(installation, look.lines)
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
