"""The pages on which people agree about a draft before it is published."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from studio.addresses import address_of, page_address
from studio.pages.changes import shown_changes
from studio.pages.forms import PageForm, sentence, summary_field
from studio.pages.shell import render_page, report_refusal
from studio.people import actor_of
from telemetry.core.errors import Conflict, NotAllowed, StaleRevision, TelemetryError
from telemetry.models import ReviewRecord, ReviewState, SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import comments_of, live_review, review_by_id
from telemetry.services.approvals import need_of_draft
from telemetry.services.comparisons import DraftComparison, compare_draft, compare_states
from telemetry.services.reviews import approve, comment, request_changes, review_rights, submit_for_review, withdraw
from tenants.actors import Actor, require

__all__ = ["review_page", "submit"]

EDITED_MEANWHILE: Final = (
    "The draft changed while you looked at it, and nothing was submitted. What you see now is the draft of this "
    "moment: look at it, then submit it."
)
DONE: Final = {
    "comment": "Your comment is there.",
    "approve": "You approved the draft as it is here. It can be published until somebody edits it.",
    "request_changes": "The review is over: the author sees what you ask for.",
    "withdraw": "The review is withdrawn. The draft stays as it is.",
}


class SubmitForm(PageForm):
    """What others should look at, and which draft it is."""

    places = {"summary": "summary"}

    summary = summary_field("What changes, and why?")
    expected_revision = forms.IntegerField(widget=forms.HiddenInput())


class TalkForm(PageForm):
    """A remark, with or without a verdict."""

    places = {"text": "text", "path": "path"}

    text = forms.CharField(
        label="What do you say?", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), max_length=4000
    )
    path = forms.CharField(
        label="About",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A place in the draft, such as <code>events[2].sampling.rate</code>. Empty: all of it.",
    )


def submit(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft, exactly as it is shown, is open for review."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.edit")
    initial = {"expected_revision": record.draft_revision}
    form = SubmitForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            review = submit_for_review(actor=actor, spec_name=record.name, **form.cleaned_data)
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state(initial, EDITED_MEANWHILE)
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, "The draft is open for review. Editing it ends the review.")
            return HttpResponseRedirect(address_of(review))
    state = DraftState(record)
    context: dict[str, Any] = {
        "form": form,
        "live": live_review(record),
        "need": need_of_draft(state),
        "back": address_of(record),
        **shown_changes(record, compare_draft(state), request.GET.get("page")),
    }
    template = "studio/pages/submit_review.html"
    return render_page(request, template, noun=SpecRecord, title="Submit for review", row=record, **context)


def review_page(request: HttpRequest, review_id: int) -> HttpResponse:
    """The review with what it is about and what was said; sent, something is said or decided."""
    actor, review = actor_of(request), review_by_id(review_id)
    require_view(actor)
    initial = {"path": request.GET.get("path", "")[:500]}
    form = TalkForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        verdict = request.POST.get("verdict", "")
        try:
            _do(actor, review, verdict if verdict in DONE else "comment", form.cleaned_data)
        except NotAllowed:
            raise
        except Conflict as error:
            # The page that it goes back to shows the new state.
            report_refusal(request, error)
            return HttpResponseRedirect(address_of(review))
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, DONE.get(verdict, DONE["comment"]))
            return HttpResponseRedirect(address_of(review))
    return _render(request, actor, review, form)


def require_view(actor: Actor) -> None:
    """Return if the person has a role anywhere: what has no tenant is for every member to see."""
    if not actor.can_somewhere("view"):
        raise NotAllowed("your role does not include the ability view", ability="view")


def _do(actor: Actor, review: ReviewRecord, verdict: str, said: dict[str, str]) -> None:
    deeds: dict[str, Callable[[], object]] = {
        "comment": lambda: comment(actor=actor, review_id=review.pk, text=said["text"], path=said["path"]),
        "approve": lambda: approve(actor=actor, review_id=review.pk, text=said["text"]),
        "request_changes": lambda: request_changes(actor=actor, review_id=review.pk, text=said["text"]),
        "withdraw": lambda: withdraw(actor=actor, review_id=review.pk, text=said["text"]),
    }
    deeds[verdict]()


def _render(request: HttpRequest, actor: Actor, review: ReviewRecord, form: TalkForm) -> HttpResponse:
    state = DraftState(review.spec)
    # For whoever looks at one of them and for the page.
    prefetch_related_objects([review], Prefetch("comments", comments_of(review)))
    rights = review_rights(actor, review, state)
    context: dict[str, Any] = {
        "form": form,
        "review": review,
        "rights": rights,
        "obstacle": sentence(rights.approval_obstacle) if review.is_live else "",
        "comments": review.comments.all(),
        "spec_address": address_of(review.spec),
        "publish_address": page_address(review.spec, "publish")
        if actor.can("spec.publish") and review.state == ReviewState.APPROVED
        else "",
        **_compared(request, review, state),
    }
    if review.is_live:
        context["need"] = rights.need
        context["what_if_address"] = page_address(review.spec, "what-if") if actor.can("view") else ""
    title = f"Review of revision {review.draft_revision}"
    template = "studio/pages/review.html"
    return render_page(request, template, noun=ReviewRecord, title=title, row=review, page_title="", **context)


def _compared(request: HttpRequest, review: ReviewRecord, state: DraftState) -> dict[str, Any]:
    """What the review is about, while it can still be told: the draft as it is, or the version that it became."""
    record, version = review.spec, review.published_as
    if review.is_live:
        return shown_changes(record, compare_draft(state), request.GET.get("page"))
    if version is None or version.based_on is None:
        return {}
    diff = compare_states(record, version.based_on.version, version.version)
    compared = DraftComparison(version.based_on, diff)
    return {**shown_changes(record, compared, request.GET.get("page")), "after_words": f"Version {version.version}"}
