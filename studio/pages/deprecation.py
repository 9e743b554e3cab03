"""The pages that deprecate an event of a draft, and take that back."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from studio.addresses import address_of
from studio.pages.forms import PageForm, posted
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, StaleRevision, TelemetryError
from telemetry.models import EventRecord
from telemetry.services.deprecation import deprecate_event, replacements_of, restore_event
from tenants.actors import require

__all__ = ["deprecate", "restore"]


class DeprecationForm(PageForm):
    """Why, and what is sent instead."""

    places = {"deprecation.reason": "reason", "deprecation.replacedBy": "replaced_by"}

    reason = forms.CharField(
        label="Why is it no longer to be sent?",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Whoever still sends it reads this.",
    )
    replaced_by = forms.ChoiceField(label="Sent instead", required=False, widget=UnfoldAdminSelectWidget())
    expected_revision = forms.IntegerField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, replacements: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "nothing"), *((each, each) for each in replacements)]
        cast("forms.ChoiceField", self.fields["replaced_by"]).choices = choices


def deprecate(request: HttpRequest, spec_id: int, event_id: int) -> HttpResponse:
    """The event is kept and flagged, with the reason."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    event = _event(spec_id, event_id)
    initial = {"expected_revision": event.spec.draft_revision, "reason": event.deprecation_reason or ""}
    initial["replaced_by"] = event.deprecation_replaced_by or ""
    form = DeprecationForm(posted(request), initial=initial, replacements=replacements_of(event.spec, event))
    if request.method == "POST" and form.is_valid():
        try:
            deprecate_event(
                actor=actor,
                spec_name=event.spec.name,
                event_name=event.name,
                event_version=event.version,
                reason=form.cleaned_data["reason"],
                replaced_by=form.cleaned_data["replaced_by"] or None,
                expected_revision=form.cleaned_data["expected_revision"],
            )
        except NotAllowed:
            raise
        except StaleRevision:
            event.spec.refresh_from_db()
            form.take_new_state({"expected_revision": event.spec.draft_revision})
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{event} is deprecated in the draft. It is still taken and treated as before.")
            return HttpResponseRedirect(address_of(event.spec))
    lead = (
        f"{event} stays in the draft of {event.spec.name} and is flagged: apps may still send it, and it is kept, "
        "sampled and redacted as before. Findings and the catalog say that it should go."
    )
    context: dict[str, Any] = {"form": form, "lead": lead, "button": "Deprecate", "back": address_of(event.spec)}
    template = "studio/pages/form.html"
    return render_page(request, template, noun=EventRecord, title=f"Deprecate {event}", row=event, **context)


def restore(request: HttpRequest, spec_id: int, event_id: int) -> HttpResponse:
    """The event is deprecated no more."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    event = _event(spec_id, event_id)
    reviewed = request.POST.get("revision", "")

    def deed() -> str:
        restore_event(
            actor=actor,
            spec_name=event.spec.name,
            event_name=event.name,
            event_version=event.version,
            expected_revision=int(reviewed) if reviewed.isdecimal() else 0,
        )
        return f"{event} is deprecated no more."

    return confirm(
        request,
        noun=EventRecord,
        row=event,
        title=f"Use {event} again",
        text=f"{event} is to be sent again. The reason that was given for its end is taken out of the draft.",
        button="Use it again",
        tone="primary",
        back=address_of(event.spec),
        deed=deed,
        hidden={"revision": event.spec.draft_revision},
    )


def _event(spec_id: int, event_id: int) -> EventRecord:
    return get_object_or_404(EventRecord.objects.select_related("spec"), pk=event_id, spec_id=spec_id)
