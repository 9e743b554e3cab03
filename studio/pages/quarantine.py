"""The quarantine: refused events that are held, in groups by what was wrong."""

from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from studio.pages.queries import page_number, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import reason_parts
from telemetry.models import HeldEvent
from telemetry.selectors.quarantine import HeldFilter, held_groups, held_row
from telemetry.services.quarantine.sealed import is_set_up

__all__ = ["quarantine"]

PAGE_SIZE: Final = 50


def quarantine(request: HttpRequest) -> HttpResponse:
    """The groups of held events, what came last first."""
    wanted = HeldFilter(text=request.GET.get("q", "")[:200], installation=public_id(request.GET.get("installation")))
    page = Paginator(held_groups(wanted), PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    rows = [held_row(values) for values in page.object_list]
    context: dict[str, Any] = {
        "page": page,
        "rows": [(row, reason_parts(row.reason)) for row in rows],
        "query": without(request.GET, "page").urlencode(),
        "asked": request.GET,
        "is_narrowed": wanted != HeldFilter(),
        "is_set_up": is_set_up(),
    }
    return render_page(
        request, "studio/pages/quarantine.html", noun=HeldEvent, title="Quarantine", page_title="", **context
    )
