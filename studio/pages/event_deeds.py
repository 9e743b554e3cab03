"""The page that asks before an event leaves a draft."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.pages.shell import confirm
from studio.people import actor_of
from telemetry.models import EventRecord
from telemetry.services.specs import delete_event
from tenants.actors import require

__all__ = ["remove"]


def remove(request: HttpRequest, event_id: int) -> HttpResponse:
    """The draft has no such event any more."""
    actor = actor_of(request)
    event = get_object_or_404(EventRecord.objects.select_related("spec"), pk=event_id)
    require(actor, "spec.edit")

    def deed() -> str:
        delete_event(actor=actor, spec_name=event.spec.name, event_name=event.name, event_version=event.version)
        return f"{event} is no longer in the draft of {event.spec.name}."

    return confirm(
        request,
        noun=EventRecord,
        row=event,
        title=f"Remove {event}",
        text=f"{event} leaves the draft of {event.spec.name}, with its properties and thresholds. Published versions "
        "keep it; once the draft is published, apps that still send it are told that it is unknown.",
        button="Remove the event",
        back=address_of(event) if request.method != "POST" else address_of(event.spec),
        deed=deed,
    )
