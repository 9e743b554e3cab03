"""Hiding after the fact: what is stored openly though it is personal by now, and the decision to hide it."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from studio import markup
from studio.pages.forms import PageForm, posted
from studio.pages.queries import page_of_rows, without
from studio.pages.rescrub_words import PLACE_WORDS, RUN_TONES
from studio.pages.scope import installations_where
from studio.pages.shell import confirm, render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from studio.wakeups import wake_rescrub
from telemetry.core.errors import Conflict
from telemetry.models import RescrubRun, RescrubState
from telemetry.selectors.rescrubs import PLACES, rescrub_by_id, rescrub_rows, rescrub_runs
from telemetry.services.rescrubbing.runs import ABILITY, ask_for_count, cancel_run, start_run
from tenants.actors import require, require_somewhere
from tenants.models import Installation

__all__ = ["ask_rescrub", "cancel_rescrub", "rescrub_page", "rescrubs_page", "start_rescrub"]

PAGE_SIZE: Final = 50
# Where a run can still be called off.
_UNDECIDED: Final = (RescrubState.COUNTING, RescrubState.READY)


class AskForm(PageForm):
    """Where is to be counted."""

    installation = forms.ModelChoiceField(queryset=Installation.objects.none(), widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        installations = kwargs.pop("installations")
        super().__init__(*args, **kwargs)
        field: Any = self.fields["installation"]
        field.queryset = installations


class EventLine(NamedTuple):
    """One event in one place: how many rows the count found, and how many are hidden by now."""

    place: str
    event: str
    found: int
    changed: int


def rescrubs_page(request: HttpRequest) -> HttpResponse:
    """Every run, the newest first."""
    page = page_of_rows(rescrub_runs(), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "runs": [_row(run) for run in page.object_list],
        "query": without(request.GET, "page").urlencode(),
        "may_ask": actor_of(request).can_somewhere(ABILITY),
    }
    return render_page(
        request, "studio/pages/rescrubs.html", noun=RescrubRun, title="Re-scrub", page_title="", **context
    )


def rescrub_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run by place and event."""
    actor, run = actor_of(request), rescrub_by_id(run_id)
    require(actor, "view", run.tenant_id)
    lines = [
        EventLine(
            PLACE_WORDS[place], event, run.found.get(place, {}).get(event, 0), run.changed.get(place, {}).get(event, 0)
        )
        for place in PLACES
        for event in sorted({**run.found.get(place, {}), **run.changed.get(place, {})})
    ]
    context: dict[str, Any] = {
        "run": run,
        "where": installation_words(run.installation),
        "state": markup.chip(run.get_state_display(), RUN_TONES[RescrubState(run.state)]),
        "lines": lines,
        "rows": _to_hide(run),
        "held": rescrub_rows(run, "held")[0],
        "is_ready": run.state == RescrubState.READY,
        "is_undecided": run.state in _UNDECIDED,
        "may_decide": actor.can(ABILITY, run.tenant_id),
    }
    return render_page(request, "studio/pages/rescrub.html", noun=RescrubRun, title=f"Re-scrub {run.pk}", **context)


def ask_rescrub(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the new run's page."""
    actor = actor_of(request)
    require_somewhere(actor, ABILITY)
    form = AskForm(posted(request), installations=installations_where(actor, ABILITY))
    if request.method == "POST" and form.is_valid():
        try:
            run = ask_for_count(actor=actor, installation=form.cleaned_data["installation"])
        except Conflict as error:
            form.refuse(error)
        else:
            transaction.on_commit(wake_rescrub)
            messages.success(request, "The count has begun. Nothing is changed before you say so.")
            return HttpResponseRedirect(_page(run))
    context: dict[str, Any] = {
        "form": form,
        "button": "Count",
        "back": reverse("rescrubs"),
        "lead": "Counts what is stored, archived and held of the installation's events and shows what its config hides "
        "by now. Nothing is changed.",
    }
    return render_page(request, "studio/pages/form.html", noun=RescrubRun, title="Look for what is open", **context)


def start_rescrub(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The page that asks before values are hidden for good."""
    actor, run = actor_of(request), rescrub_by_id(run_id)
    require(actor, ABILITY, run.tenant_id)

    def deed() -> str:
        start_run(actor=actor, run=run)
        transaction.on_commit(wake_rescrub)
        return "It has begun; a receipt proves it once it is done."

    rows = markup.counted(_to_hide(run), "event")
    return confirm(
        request,
        noun=RescrubRun,
        row=None,
        title="Hide what is stored openly",
        text=f"In {rows} of {run.installation}, values that the config hides by now are hidden as if they came today: "
        "in the store, in archived files and in the quarantine. They are gone for good. Events stay, and so do counts.",
        button=f"Hide it in {rows}",
        back=_page(run),
        deed=deed,
    )


def cancel_rescrub(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The page that asks before a run is called off."""
    actor, run = actor_of(request), rescrub_by_id(run_id)
    require(actor, ABILITY, run.tenant_id)

    def deed() -> str:
        cancel_run(actor=actor, run=run)
        return "Called off; nothing was changed."

    return confirm(
        request,
        noun=RescrubRun,
        row=None,
        title="Call the run off",
        text="What is stored openly stays so, until somebody asks for a new count or the config hides still more.",
        button="Call it off",
        back=_page(run),
        deed=deed,
    )


def _row(run: RescrubRun) -> dict[str, Any]:
    return {
        "run": run,
        "where": installation_words(run.installation),
        "state": markup.chip(run.get_state_display(), RUN_TONES[RescrubState(run.state)]),
        "found": _to_hide(run),
        "changed": sum(rescrub_rows(run, place)[1] for place in PLACES),
    }


def _to_hide(run: RescrubRun) -> int:
    return sum(rescrub_rows(run, place)[0] for place in PLACES if place != "held")


def _page(run: RescrubRun) -> str:
    return reverse("rescrub", args=[run.public_id])
