"""Runs of retention: what each removed, and the one that waits for a person's word."""

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from studio.pages.purge_words import RUN_TONES, WHY_WAITING
from studio.pages.queries import page_number, page_of_rows, without
from studio.pages.shell import render_page, report_refusal
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from studio.wakeups import wake_purge
from telemetry.core.errors import Conflict
from telemetry.models import PurgeRun, PurgeState
from telemetry.selectors.retention import items_of, purge_run_by_id, purge_runs
from telemetry.services.purging.approving import approve_run
from tenants.actors import require

__all__ = ["purge_run_page", "purge_runs_page"]

PAGE_SIZE: Final = 50


def purge_runs_page(request: HttpRequest) -> HttpResponse:
    """Every run, the newest first."""
    state = request.GET.get("state", "")
    chosen = state if state in PurgeState.values else ""
    page = Paginator(purge_runs(state=chosen), PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    context: dict[str, Any] = {
        "page": page,
        "runs": [(run, RUN_TONES[run.state]) for run in page.object_list],
        "query": without(request.GET, "page").urlencode(),
        "state": chosen,
        "states": PurgeState.choices,
    }
    return render_page(request, "studio/pages/purge_runs.html", noun=PurgeRun, title="Purges", page_title="", **context)


def purge_run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run by event, with the button that approves it if it waits."""
    actor, run = actor_of(request), purge_run_by_id(run_id)
    require(actor, "view", run.tenant_id)
    if request.method == "POST":
        require(actor, "purge.approve", run.tenant_id)
        shown = request.POST.get("expected_rows", "")
        try:
            approve_run(actor=actor, run=run, expected_rows=int(shown) if shown.isdecimal() else -1)
        except Conflict as error:
            report_refusal(request, error)
        else:
            transaction.on_commit(wake_purge)
            messages.success(request, f"Approved: {run.planned_rows:,} events go now.")
        return HttpResponseRedirect(reverse("purge_run", args=[run_id]))
    page = page_of_rows(items_of(run), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "run": run,
        "tone": RUN_TONES[run.state],
        "why": WHY_WAITING.get(run.why_waiting, ""),
        "is_waiting": run.state == PurgeState.WAITING,
        "page": page,
        "query": without(request.GET, "page").urlencode(),
        "items": [(item, installation_words(item.installation)) for item in page.object_list],
        "may_approve": actor.can("purge.approve", run.tenant_id),
    }
    return render_page(request, "studio/pages/purge_run.html", noun=PurgeRun, title=f"Run {run.pk}", **context)
