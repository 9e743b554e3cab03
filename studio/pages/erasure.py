"""One erasure request: what was found, the question before it is erased, how far that is, and the proof."""

from collections import Counter
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from studio import markup
from studio.pages.erasure_words import PLACES, due_words, forward_chip, state_chip
from studio.pages.provider_words import error_words
from studio.pages.shell import confirm, render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from studio.wakeups import wake_erasers
from telemetry.models import ErasureForward, ErasureRequest, ErasureState, ForwardState
from telemetry.providers.erasing import leaves_of
from telemetry.selectors.erasure import erasure_request, erasure_requests, forwards_of, place_rows
from telemetry.services.erasure.requests import cancel_erasure, confirm_erasure, retry_forwards

__all__ = ["cancel", "confirm_page", "erasure_page", "retry"]

# While a worker has something to do, the page asks again.
_BUSY = (ErasureState.COUNTING, ErasureState.ERASING, ErasureState.VERIFYING, ErasureState.FORWARDING)
_TO_RETRY = (ForwardState.FAILED, ForwardState.UNSUPPORTED)


class ShownRows(NamedTuple):
    """One event of one installation in one place: rows before, erased, and found by the last look."""

    place: str
    where: SafeString | str
    event: str
    found: int
    erased: int
    left: int


class ShownForward(NamedTuple):
    """A provider that is told too, and what of the person it keeps all the same."""

    row: ErasureForward
    state: SafeString
    trouble: str
    leaves: str


def erasure_page(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """The request."""
    actor = actor_of(request)
    row = erasure_request(actor, erasure_id)
    forwards = forwards_of([row.pk])[row.pk]
    rows = _rows(row)
    context: dict[str, Any] = {
        "erasure": row,
        "state": state_chip(row),
        "due": due_words(row, timezone.now().date()),
        "rows": rows,
        "totals": [sum(each) for each in zip(*((r.found, r.erased, r.left) for r in rows), strict=True)],
        "forwards": [_forward(each) for each in forwards],
        "has_failed": any(each.state in _TO_RETRY and each.provider_id for each in forwards),
        "others": erasure_requests(actor).filter(case_id=row.case_id).exclude(pk=row.pk),
        "is_busy": row.state in _BUSY,
        "is_confirmed": row.confirmed_at is not None,
        "may_confirm": row.state == ErasureState.READY,
        "may_cancel": row.state in (ErasureState.COUNTING, ErasureState.READY),
    }
    return render_page(request, "studio/pages/erasure.html", noun=ErasureRequest, title=_title(row), **context)


def confirm_page(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """The page that asks before anything is erased."""
    actor = actor_of(request)
    row = erasure_request(actor, erasure_id)
    count = sum(rows for *_, rows in row.found)

    def deed() -> str:
        confirm_erasure(actor=actor, request=row)
        transaction.on_commit(partial(wake_erasers, [row.pk]))
        return "The person's events are kept away from now on, and what is stored is being erased."

    until = "for good" if row.ends_at is None else f"until {row.ends_at:%-d %b %Y, %H:%M} UTC"
    return confirm(
        request,
        noun=ErasureRequest,
        row=None,
        title="Erase this person",
        text=f"{markup.counted(count, 'row')} about the person at {row.tenant.name} will be gone from the event store, "
        f"the archive, the quarantine and all that is made of them, and what comes meanwhile. Providers are told to "
        f"erase them too. Events that name the person are not taken in {until}.\n\nThis cannot be undone.",
        button=f"Erase {markup.counted(count, 'row')}",
        back=reverse("erasure", args=[row.public_id]),
        deed=deed,
    )


def cancel(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """The page that asks before a request is let go."""
    actor = actor_of(request)
    row = erasure_request(actor, erasure_id)

    def deed() -> str:
        cancel_erasure(actor=actor, request=row)
        return "The request is cancelled. Nothing was erased."

    return confirm(
        request,
        noun=ErasureRequest,
        row=None,
        title="Cancel this request",
        text="Nothing is erased, and the request forgets who the person is. To erase them after all, enter them again.",
        button="Cancel the request",
        back=reverse("erasure", args=[row.public_id]),
        deed=deed,
    )


@require_POST
def retry(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Providers that were given up are told again."""
    actor = actor_of(request)
    row = erasure_request(actor, erasure_id)
    count = retry_forwards(actor=actor, request=row)
    transaction.on_commit(partial(wake_erasers, [row.pk]))
    messages.success(request, f"{markup.counted(count, 'provider')} will be told again.")
    return HttpResponseRedirect(reverse("erasure", args=[row.public_id]))


def _title(row: ErasureRequest) -> str:
    return row.reference or f"Request {str(row.public_id)[:8]}"


def _rows(row: ErasureRequest) -> list[ShownRows]:
    counted: list[Counter[tuple[str, int, str]]] = []
    where: dict[int, SafeString | str] = {0: markup.ABSENT}
    for rows in place_rows(row.found, row.erased, row.left):
        counts: Counter[tuple[str, int, str]] = Counter()
        for each in rows:
            number = 0 if each.installation is None else each.installation.pk
            if each.installation is not None:
                where[number] = installation_words(each.installation)
            counts[each.place, number, each.event] += each.rows
        counted.append(counts)
    keys = sorted(set().union(*counted), key=lambda key: (list(PLACES).index(key[0]), key))
    return [
        ShownRows(PLACES[place], where[number], event, *(counts[place, number, event] for counts in counted))
        for place, number, event in keys
    ]


def _forward(row: ErasureForward) -> ShownForward:
    trouble = error_words(row.error, row.status) if row.error else ""
    return ShownForward(row, forward_chip(row), trouble, leaves_of(row.kind))
