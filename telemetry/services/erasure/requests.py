"""Requests to erase: entered, confirmed or let go by a privacy officer."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import ErasureForward, ErasureRequest, ErasureState, ForwardState, LegalHold
from telemetry.services.erasure.marks import mark
from telemetry.services.erasure.people import Person, checked_ids, month_after
from tenants.actors import Actor, require
from tenants.models import Tenant
from tenants.services import audit

__all__ = [
    "begin",
    "cancel_erasure",
    "confirm_erasure",
    "holds_in_force",
    "request_erasure",
    "retry_forwards",
    "told_of",
]

# Legal holds that are named one by one.
MOST_NAMED: Final = 5


@transaction.atomic
def request_erasure(
    *,
    actor: Actor,
    subjects: Sequence[str],
    tenants: Sequence[Tenant],
    pseudonyms: Sequence[str] = (),
    reference: str = "",
    ends_at: datetime | None = None,
    is_confirmed: bool = False,
) -> list[ErasureRequest]:
    """One request for each tenant, whose rows a job counts; nothing is erased before somebody confirms.

    ``subjects`` are ids of one person, of which pseudonyms alone are stored; ``pseudonyms`` are what another studio
    calls them, whose events came here with those. ``ends_at`` is until when events of the person are kept away
    afterwards; unset, for good. With ``is_confirmed`` the job goes on once it has counted, unless a legal hold is in
    its way. Needs ``erasure.handle`` in every tenant. Raises ``InvalidDocument``, which never repeats an id.
    """
    for tenant in tenants:
        require(actor, "erasure.handle", tenant.pk)
    ids = checked_ids(subjects, pseudonyms, reference=reference)
    now = timezone.now()
    if ends_at is not None and ends_at <= now:
        message = "expected an instant in the future, or none for good"
        raise InvalidDocument([FieldError("out_of_range", "endsAt", message)], what="request")
    case_id = uuid.uuid4()
    requests = [
        ErasureRequest(
            case_id=case_id,
            tenant=tenant,
            reference=reference.strip(),
            pseudonyms=[*person.pseudonyms, *person.ahead],
            probe_epoch=person.probe_epoch,
            salt=person.salt,
            digest=person.digest,
            ends_at=ends_at,
            is_confirmed_ahead=is_confirmed,
            created_by_label=actor.label,
            created_at=now,
            due_on=month_after(now.date()),
        )
        for tenant, person in ((tenant, Person.at(tenant, ids, pseudonyms)) for tenant in tenants)
    ]
    for request in requests:
        request.save(force_insert=True)
        _record(actor, "erasure.requested", request, keys=request.probe_epoch, forever=ends_at is None)
    return requests


@transaction.atomic
def confirm_erasure(*, actor: Actor, request: ErasureRequest) -> ErasureRequest:
    """From the commit on, events of the person are kept away, and a job erases those that there are.

    Needs ``erasure.handle`` in the tenant. Raises ``Conflict`` when the request is not ready, or a legal hold in force
    keeps some of what was counted.
    """
    require(actor, "erasure.handle", request.tenant_id)
    locked = _locked(request)
    if locked.state != ErasureState.READY:
        raise Conflict(f"the request is {ErasureState(locked.state).label.lower()}, and cannot be confirmed now")
    holds = holds_in_force(locked)
    if holds:
        raise Conflict(told_of(holds))
    begin(locked, actor.label, now=timezone.now())
    locked.save()
    _record(actor, "erasure.confirmed", locked, rows=sum(count for *_, count in locked.found))
    return locked


def begin(request: ErasureRequest, label: str, *, now: datetime) -> None:
    """Events of the person are kept away once the transaction commits, and the request is to be erased; not saved."""
    request.state, request.position, request.held_by = ErasureState.ERASING, {}, ""
    request.confirmed_at = request.step_due_at = now
    request.confirmed_by_label = label
    mark(request)


@transaction.atomic
def cancel_erasure(*, actor: Actor, request: ErasureRequest) -> ErasureRequest:
    """Nothing was and nothing will be erased. Needs ``erasure.handle``; ``Conflict`` once it is confirmed."""
    require(actor, "erasure.handle", request.tenant_id)
    locked = _locked(request)
    if locked.state not in (ErasureState.COUNTING, ErasureState.READY):
        raise Conflict(f"the request is {ErasureState(locked.state).label.lower()}, and cannot be cancelled any more")
    locked.state = ErasureState.CANCELLED
    locked.finished_at = timezone.now()
    # Nobody needs to know any more who it was.
    locked.pseudonyms = []
    locked.save()
    _record(actor, "erasure.cancelled", locked)
    return locked


@transaction.atomic
def retry_forwards(*, actor: Actor, request: ErasureRequest) -> int:
    """Providers that were given up, or could not be told and can now, are told again; how many.

    Needs ``erasure.handle`` in the tenant.
    """
    require(actor, "erasure.handle", request.tenant_id)
    locked, now = _locked(request), timezone.now()
    can_be_told = Q(state=ForwardState.FAILED) | Q(
        state=ForwardState.UNSUPPORTED, provider__erasure_access__isnull=False
    )
    failed = ErasureForward.objects.filter(can_be_told, request=locked, provider__isnull=False)
    ids = list(failed.values_list("pk", flat=True))
    count = ErasureForward.objects.filter(pk__in=ids).update(
        state=ForwardState.WAITING, attempts=0, created_at=now, due_at=now, settled_at=None
    )
    if count:
        if locked.state == ErasureState.DONE:
            locked.state, locked.finished_at, locked.step_due_at = ErasureState.FORWARDING, None, now
            locked.save()
        _record(actor, "erasure.forwards_retried", locked, providers=count)
    return count


def holds_in_force(request: ErasureRequest) -> list[LegalHold]:
    """Those of the holds that stopped the request which are still in force; one query, none if there were none."""
    ids = request.position.get("holds", [])
    return list(LegalHold.objects.filter(pk__in=ids, lifted_at=None).order_by("pk")) if ids else []


def told_of(holds: Sequence[LegalHold]) -> str:
    """What a person is told: which holds, and what can be done."""
    named = ", ".join(f"{hold.pk} (placed {hold.placed_at:%Y-%m-%d})" for hold in holds[:MOST_NAMED])
    if len(holds) > MOST_NAMED:
        named += f" and {len(holds) - MOST_NAMED} more"
    word = "hold" if len(holds) == 1 else "holds"
    return f"legal {word} {named} keep events of this person: nothing can be erased before they are lifted"


def _locked(request: ErasureRequest) -> ErasureRequest:
    return ErasureRequest.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=request.pk)


def _record(actor: Actor, action: str, request: ErasureRequest, **details: int | bool) -> None:
    facts = {"case": str(request.case_id), "reference": request.reference, **details}
    audit.record(actor=actor, action=action, target=request, tenant_id=request.tenant_id, details=facts)
