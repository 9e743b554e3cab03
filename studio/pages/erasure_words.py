"""How erasure requests and access exports are told."""

from datetime import date
from typing import Final

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from studio import markup
from telemetry.models import AccessExport, ErasureForward, ErasureRequest, ErasureState, ExportState, ForwardState
from telemetry.selectors.erasure import erasure_requests, is_overdue
from tenants.actors import Actor

__all__ = ["PLACES", "due_words", "export_chip", "forward_chip", "state_chip", "waiting_erasures"]

PLACES: Final = {
    "store": "Event store",
    "archive": "Archive",
    "quarantine": "Quarantine",
    "samples": "Samples for proposals",
    "tallies": "Sketches of unique subjects",
    "outbox": "Deliveries",
    "live": "Live view",
    "exports": "Access exports",
}
_STATES: Final = {
    ErasureState.COUNTING: "blue",
    ErasureState.READY: "amber",
    ErasureState.ERASING: "blue",
    ErasureState.VERIFYING: "blue",
    ErasureState.FORWARDING: "blue",
    ErasureState.HELD: "red",
    ErasureState.DONE: "green",
}
_FORWARDS: Final = {
    ForwardState.WAITING: "blue",
    ForwardState.DONE: "green",
    ForwardState.UNSUPPORTED: "amber",
    ForwardState.FAILED: "red",
}
_EXPORTS: Final = {ExportState.COLLECTING: "blue", ExportState.READY: "green"}


def state_chip(request: ErasureRequest) -> SafeString:
    """Where the request stands."""
    state = ErasureState(request.state)
    return markup.chip(state.label.lower(), _STATES.get(state, "grey"))


def forward_chip(forward: ErasureForward) -> SafeString:
    """Whether the provider knows."""
    state = ForwardState(forward.state)
    return markup.chip(state.label.lower(), _FORWARDS[state])


def export_chip(export: AccessExport) -> SafeString:
    """Whether it can be downloaded."""
    state = ExportState(export.state)
    return markup.chip(state.label.lower(), _EXPORTS.get(state, "grey"))


def due_words(request: ErasureRequest, today: date) -> SafeString:
    """The day by which the law wants it done, and a warning once that is over or near."""
    day = format_html("{}", f"{request.due_on:%-d %b %Y}")
    if is_overdue(request, today):
        return format_html("{} {}", day, markup.chip("overdue", "red", icon="warning"))
    if request.state not in (ErasureState.DONE, ErasureState.CANCELLED) and (request.due_on - today).days <= 7:
        return format_html("{} {}", day, markup.chip("due soon", "amber"))
    return day


def waiting_erasures(actor: Actor) -> QuerySet[ErasureRequest] | None:
    """The requests that are counted and wait for this person's word; ``None`` for who may not give it."""
    if not actor.can_somewhere("erasure.handle"):
        return None
    return erasure_requests(actor).filter(state=ErasureState.READY)
