"""The page with everything that was published or reviewed of one spec."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

from studio.addresses import list_address
from studio.pages.shell import render_page
from studio.pages.spec_head import spec_head, spec_or_404
from studio.people import actor_of
from telemetry.models import ReviewRecord, SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import reviews_of
from telemetry.selectors.specs import versions_of

__all__ = ["history"]

VERSIONS_PER_PAGE = 50
REVIEWS_SHOWN = 10


def history(request: HttpRequest, spec_id: int) -> HttpResponse:
    """Every version, newest first, each with the way to what it changed; and the latest reviews."""
    record = spec_or_404(actor_of(request), spec_id)
    page = Paginator(versions_of(record), VERSIONS_PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "head": spec_head(request, DraftState(record), "history"),
        "versions": page,
        "page": page,
        "reviews": list(reviews_of(record)[:REVIEWS_SHOWN]),
        "reviews_address": list_address(ReviewRecord, spec__id=record.pk),
    }
    template = "studio/pages/spec_history.html"
    return render_page(request, template, noun=SpecRecord, title="History", row=record, **context)
