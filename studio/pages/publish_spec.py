"""The page that shows what a publication would change, and publishes."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from studio.addresses import address_of, page_address
from studio.pages.changes import shown_changes
from studio.pages.findings import shown_findings
from studio.pages.forms import PageForm, posted, summary_field
from studio.pages.impact import impact_on_publish_page
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.enums import Severity
from telemetry.core.errors import FieldError, NotAllowed, StaleRevision, TelemetryError
from telemetry.models import EventRecord, SpecRecord, SpecVersion
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import live_review
from telemetry.selectors.specs import versions_of
from telemetry.services.approvals import find_publication_obstacle, need_of_draft
from telemetry.services.comparisons import compare_draft
from telemetry.services.linting import lint_as_draft
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import DraftReview, review_draft
from tenants.actors import Actor, require

__all__ = ["publish"]

CHANGED_MEANWHILE: Final = (
    "The draft changed while you looked at it, and nothing was published. What you see now is the draft of this "
    "moment: review it, then publish."
)


class PublishForm(PageForm):
    """Why, and which draft was reviewed: its revision, and the version that it was to become."""

    places = {"change_summary": "change_summary"}

    change_summary = summary_field(lines=1)
    expected_revision = forms.IntegerField(widget=forms.HiddenInput())
    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput())


def publish(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The review; sent, exactly the draft that was reviewed is published."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.publish")
    form = PublishForm(posted(request), initial=_state(record))
    if request.method == "POST" and form.is_valid():
        try:
            version = publish_version(
                actor=actor,
                name=record.name,
                expected_revision=form.cleaned_data["expected_revision"],
                change_summary=form.cleaned_data["change_summary"],
            )
        except NotAllowed:
            raise
        except StaleRevision:
            # Somebody was faster since the row was read.
            record.refresh_from_db()
            winner = _published_meanwhile(record, form.cleaned_data["expected_version"])
            if winner is not None:
                return _conflict(request, record, winner, form.cleaned_data["change_summary"])
            form.take_new_state(_state(record), CHANGED_MEANWHILE)
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{version} is published. Apps get it with their next request.")
            return HttpResponseRedirect(address_of(version))
    context = {"form": form, **_reviewed(request, actor, record)}
    return render_page(
        request, "studio/pages/publish_spec.html", noun=SpecRecord, title="Publish", row=record, **context
    )


def _state(record: SpecRecord) -> dict[str, int]:
    """What the page was made from, for compare-and-set."""
    return {"expected_revision": record.draft_revision, "expected_version": record.draft_version}


def _published_meanwhile(record: SpecRecord, expected_version: int | None) -> SpecVersion | None:
    """The newest version, if it came after the page was made; one query."""
    newest = versions_of(record).first()
    is_later = newest is not None and expected_version is not None and newest.version >= expected_version
    return newest if is_later else None


def _conflict(request: HttpRequest, record: SpecRecord, winner: SpecVersion, change_summary: str) -> HttpResponse:
    """Two published at once: this page is for whoever came second."""
    since = winner.version - 1 if winner.based_on is None else winner.based_on.version
    compared = page_address(record, "compare")
    context: dict[str, Any] = {
        "winner": winner,
        "change_summary": change_summary,
        "version_address": address_of(winner),
        "theirs": f"{compared}?before={since}&after={winner.version}" if winner.based_on else "",
        "compare_address": f"{compared}?before={winner.version}&after=draft",
        "has_changes": record.has_changes,
        "back": address_of(record),
    }
    template = "studio/pages/publish_conflict.html"
    response = render_page(request, template, noun=SpecRecord, title="Somebody published first", row=record, **context)
    response.status_code = 409
    return response


def _reviewed(request: HttpRequest, actor: Actor, record: SpecRecord) -> dict[str, Any]:
    """The draft beside what is published: rules, approval, changes, and what they do to installations."""
    state = DraftState(record)
    review, need, live = review_draft(state), need_of_draft(state), live_review(record)
    obstacle = find_publication_obstacle(actor, record, need, live)
    context: dict[str, Any] = {
        "record": record,
        "review": review,
        "errors": [(error, _address_of(record, review, error)) for error in review.errors],
        "need": need,
        "obstacle": obstacle,
        "live": live,
        "back": address_of(record),
        **shown_changes(record, compare_draft(state), request.GET.get("page")),
    }
    if review.has_changes and not review.errors:
        context |= impact_on_publish_page(actor, state) | _findings(state)
    return context


def _findings(state: DraftState) -> dict[str, Any]:
    """What lint finds in the valid draft: errors, which block, all of them; of the rest how many there are."""
    record, found = state.record, lint_as_draft(state.draft, state)
    blocking = [each for each in found if each.severity is Severity.ERROR]
    return {
        "findings": shown_findings(record, state.draft, blocking),
        "other_findings": len(found) - len(blocking),
        "findings_address": page_address(record, "findings"),
    }


def _address_of(record: SpecRecord, review: DraftReview, error: FieldError) -> str:
    """Where the error can be put right: the form of its event, or that of the spec."""
    prefix, _, rest = error.path.partition("[")
    position = rest.partition("]")[0]
    if prefix != "events" or not position.isdecimal():
        return address_of(record)
    event = review.draft.events[int(position)]
    row = EventRecord.objects.filter(spec=record, name=event.name, version=event.version).first()
    return address_of(record if row is None else row)
