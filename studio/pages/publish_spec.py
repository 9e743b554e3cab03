"""The page that shows what a publication would change, and publishes."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.pages.forms import PageForm, posted, summary_field
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.errors import FieldError, NotAllowed, StaleRevision, TelemetryError
from telemetry.models import EventRecord, SpecRecord
from telemetry.services.approvals import find_publication_obstacle, need_of_draft
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import DraftReview, review_draft
from tenants.actors import require

__all__ = ["publish"]

CHANGED_MEANWHILE = (
    "The draft changed while you looked at it, and nothing was published. What you see now is the draft of this "
    "moment: review it, then publish."
)


class PublishForm(PageForm):
    """Why, and which draft was reviewed."""

    places = {"change_summary": "change_summary"}

    change_summary = summary_field()
    expected_revision = forms.IntegerField(widget=forms.HiddenInput())


def publish(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The review; sent, exactly the draft that was reviewed is published."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.publish")
    initial = {"expected_revision": record.draft_revision}
    form = PublishForm(posted(request), initial=initial)
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
            form.take_new_state(initial, CHANGED_MEANWHILE)
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{version} is published. Apps get it with their next request.")
            return HttpResponseRedirect(address_of(version))
    review, need = review_draft(record), need_of_draft(record)
    context = {
        "form": form,
        "record": record,
        "review": review,
        "errors": [(error, _address_of(record, review, error)) for error in review.errors],
        "need": need,
        "obstacle": find_publication_obstacle(actor, record, need),
        "back": address_of(record),
    }
    return render_page(
        request, "studio/pages/publish_spec.html", noun=SpecRecord, title="Publish", row=record, **context
    )


def _address_of(record: SpecRecord, review: DraftReview, error: FieldError) -> str:
    """Where the error can be put right: the form of its event, or that of the spec."""
    prefix, _, rest = error.path.partition("[")
    position = rest.partition("]")[0]
    if prefix != "events" or not position.isdecimal():
        return address_of(record)
    event = review.draft.events[int(position)]
    row = EventRecord.objects.filter(spec=record, name=event.name, version=event.version).first()
    return address_of(record if row is None else row)
