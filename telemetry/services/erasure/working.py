"""Carrying requests on: counting, erasing, looking again, telling providers, and the receipt at the end.

Everything happens in steps of some seconds, each one transaction with the row of its request locked: killed at any
point, the step has not happened, and the next worker begins it anew. Two workers never have the same request.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from telemetry.core.errors import ArchiveFailed, Conflict, Unavailable
from telemetry.models import (
    ACTIVE_STATES,
    ArchiveFile,
    ErasureForward,
    ErasureRequest,
    ErasureState,
    ForwardState,
    ReceiptKind,
)
from telemetry.providers.erasing import leaves_of
from telemetry.services.erasure.archives import Archives, HeldBack, erase_file, next_file
from telemetry.services.erasure.forwarding import plan_forwards
from telemetry.services.erasure.log import write_log
from telemetry.services.erasure.people import matcher_of
from telemetry.services.erasure.places import Count, Exports, Live, Place, Quarantine, Samples, Search, Store, Turn
from telemetry.services.erasure.requests import begin, holds_in_force, told_of
from telemetry.services.erasure.tallies import Tallies
from telemetry.services.receipts import record_receipt
from tenants.actors import SYSTEM
from tenants.context import ALL, set_tenant_context, tenant_context
from tenants.models import Installation
from tenants.services import audit

__all__ = ["due_requests", "work_on"]

# The store before what is made from it.
PLACES: Final[tuple[Place, ...]] = (Store(), Archives(), Quarantine(), Samples(), Tallies(), Live(), Exports())

# Seconds of one step: what a kill loses, and how long a purge may have to wait for it.
STEP_SECONDS: Final = 3.0
# By then every process knows of the marks: more than ``tenants.config_lease.SILENCE_SECONDS``.
KNOWN_AFTER: Final = timedelta(seconds=3)
# Longer than a task may run: who has a file of the archive in hand and says nothing was killed.
FILE_LEASE: Final = timedelta(minutes=5)
# While a place does not answer, and while a hold is in force.
TROUBLE_PAUSE: Final = timedelta(seconds=10)
HELD_PAUSE: Final = timedelta(minutes=5)

# The first transaction that had not begun, and whether every other one before it is over; those of other databases of
# the same server do not count. Source: PostgreSQL, "Transaction ID and Snapshot Information Functions", "pg_locks".
FENCE: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
REACHED: Final = """
SELECT NOT EXISTS (
    SELECT FROM pg_snapshot_xip(pg_current_snapshot()) AS running (xid)
    LEFT JOIN pg_locks held ON held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock'
        AND held.transactionid = running.xid::xid
    LEFT JOIN pg_stat_activity session ON session.pid = held.pid
    LEFT JOIN pg_database place ON place.oid = session.datid
    WHERE running.xid::text::bigint < %s AND coalesce(place.datname, current_database()) = current_database()
)
"""


def work_on(request_id: int, *, now: datetime | None = None) -> float | None:
    """One step of the request is done and committed; in how many seconds to come again, ``None`` for not at all.

    Any number of workers may call it at once. Never raises for a place that is away: the step is tried again later.
    """
    at = now or timezone.now()
    try:
        pause, file = _step(request_id, at)
        if file is not None:
            _erase_file(request_id, file, at)
    except (Unavailable, ArchiveFailed, Conflict) as error:
        with tenant_context(ALL):
            rows = ErasureRequest.objects.filter(pk=request_id)
            rows.update(step_due_at=at + TROUBLE_PAUSE, trouble=error.message[:200])
        return TROUBLE_PAUSE.total_seconds()
    return None if pause is None else pause.total_seconds()


def _step(request_id: int, now: datetime) -> tuple[timedelta | None, ArchiveFile | None]:
    """One transaction: when to come again, and the file of the archive that is to be written anew before that."""
    with tenant_context(ALL):
        request = _claim(request_id, now)
        if request is None:
            return None, None
        set_tenant_context((request.tenant_id,))
        request.trouble = ""
        file = _file_in_turn(request)
        if file is not None:
            # Until then nobody else takes the request, unless this worker is killed.
            request.step_due_at = now + FILE_LEASE
            request.save()
            return timedelta(), file
        pause = _STEPS[ErasureState(request.state)](request, now)
        if pause is not None:
            request.step_due_at = now + pause
        request.save()
        return pause, None


def _file_in_turn(request: ErasureRequest) -> ArchiveFile | None:
    """The file of the archive that an erasure has come to; none at another place, or once they are all done."""
    place = request.position.get("place", 0)
    if request.state != ErasureState.ERASING or place >= len(PLACES) or not isinstance(PLACES[place], Archives):
        return None
    file = next_file(_search(request), request.position.get("last") or 0)
    if file is None:
        request.position = {**request.position, "place": place + 1, "last": None}
    return file


def _erase_file(request_id: int, file: ArchiveFile, now: datetime) -> None:
    """The file is done, outside of any transaction, and the request goes on behind it; or it is held."""
    with tenant_context((file.tenant_id,)):
        search = _search(ErasureRequest.objects.select_related("tenant").get(pk=request_id))

    def behind(rows: Count) -> None:
        request = ErasureRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        written = _written(_read(request.position.get("rows", [])) + rows)
        request.position = {**request.position, "last": file.pk, "rows": written}
        request.step_due_at = now
        request.save(update_fields=["position", "step_due_at"])

    try:
        erase_file(file, search, run=f"erasure {request_id}", count=behind)
    except HeldBack as held:
        with tenant_context((file.tenant_id,)):
            request = ErasureRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
            request.erased = _written(_read(request.erased) + _read(request.position.get("rows", [])))
            request.position = {"holds": sorted(held.holds)}
            request.step_due_at = now + _hold(request)
            request.save()
        return
    with tenant_context((file.tenant_id,)):
        behind(Count())


def due_requests(now: datetime) -> list[int]:
    """The requests that a worker can carry on now, the oldest first; one query."""
    with tenant_context(ALL):
        rows = ErasureRequest.objects.filter(state__in=ACTIVE_STATES, step_due_at__lte=now).order_by("pk")
        return list(rows.values_list("pk", flat=True))


def _claim(request_id: int, now: datetime) -> ErasureRequest | None:
    rows = ErasureRequest.objects.select_for_update(skip_locked=True, of=("self",)).select_related("tenant")
    return rows.filter(pk=request_id, state__in=ACTIVE_STATES, step_due_at__lte=now).first()


class _Pass(NamedTuple):
    """How far a pass over all places has come, as it stands in ``position``."""

    rows: Count
    holds: frozenset[int]
    is_over: bool


def _count(request: ErasureRequest, now: datetime) -> timedelta | None:
    done = _go_on(request, erases=False)
    if not done.is_over:
        return timedelta()
    request.found, request.state = _written(done.rows), ErasureState.READY
    request.position = {"holds": sorted(done.holds)}
    holds = holds_in_force(request)
    request.held_by = told_of(holds) if holds else ""
    if holds or not request.is_confirmed_ahead:
        return None
    begin(request, request.created_by_label, now=now)
    return timedelta()


def _erase(request: ErasureRequest, now: datetime) -> timedelta | None:
    waits = _wait_for_fence(request, now)
    if waits is not None:
        return waits
    if not request.position:
        # Before anything is gone: a restored backup must not bring back what nobody remembers to have erased.
        write_log(request)
    erased = _read(request.erased)
    done = _go_on(request, erases=True)
    if done.holds:
        # What was erased before the hold was met stays erased: no hold forbade that.
        request.erased, request.position = _written(erased + done.rows), {"holds": sorted(done.holds)}
        return _hold(request)
    if done.is_over:
        request.erased = _written(erased + done.rows)
        request.state, request.position = ErasureState.VERIFYING, {}
        request.passes += 1
    return timedelta()


def _verify(request: ErasureRequest, now: datetime) -> timedelta | None:
    done = _go_on(request, erases=False)
    if not done.is_over:
        return timedelta()
    request.left, request.position = _written(done.rows), {}
    if done.rows:
        request.state = ErasureState.ERASING
        return TROUBLE_PAUSE
    request.state, request.erased_at = ErasureState.FORWARDING, now
    plan_forwards(request, now=now)
    return timedelta()


def _await_forwards(request: ErasureRequest, now: datetime) -> timedelta | None:
    waiting = ErasureForward.objects.filter(request=request, state=ForwardState.WAITING)
    first = waiting.order_by("due_at").first()
    if first is not None:
        return max(first.due_at - now, timedelta(seconds=1))
    _finish(request, now)
    return None


def _await_release(request: ErasureRequest, _now: datetime) -> timedelta | None:
    if holds_in_force(request):
        return _hold(request)
    request.state, request.position, request.held_by = ErasureState.ERASING, {}, ""
    return timedelta()


_STEPS: Final[Mapping[ErasureState, Callable[[ErasureRequest, datetime], timedelta | None]]] = {
    ErasureState.COUNTING: _count,
    ErasureState.ERASING: _erase,
    ErasureState.VERIFYING: _verify,
    ErasureState.FORWARDING: _await_forwards,
    ErasureState.HELD: _await_release,
}


def _hold(request: ErasureRequest) -> timedelta:
    request.state, request.held_by = ErasureState.HELD, told_of(holds_in_force(request))
    return HELD_PAUSE


def _wait_for_fence(request: ErasureRequest, now: datetime) -> timedelta | None:
    """``None`` once every batch has committed that might not have known of the marks."""
    if request.confirmed_at is not None and now < request.confirmed_at + KNOWN_AFTER:
        return request.confirmed_at + KNOWN_AFTER - now
    with connection.cursor() as cursor:
        if request.fence is None:
            cursor.execute(FENCE)
            (request.fence,) = cursor.fetchone()
        cursor.execute(REACHED, [request.fence])
        (is_reached,) = cursor.fetchone()
    return None if is_reached else timedelta(seconds=1)


def _go_on(request: ErasureRequest, *, erases: bool) -> _Pass:
    """The next part of the pass; where it ended is in ``position``."""
    position = request.position
    since = position.get("since") or timezone.now().isoformat()
    search = _search(request)._replace(since=datetime.fromisoformat(since))
    ends_at = monotonic() + STEP_SECONDS
    rows, holds = _read(position.get("rows", [])), frozenset(position.get("holds", ()))
    place, last = position.get("place", 0), position.get("last")
    while place < len(PLACES):
        if erases and isinstance(PLACES[place], Archives):
            # Not within this transaction.
            break
        visit = PLACES[place].visit(search, Turn(last, ends_at, erases))
        rows += visit.rows
        holds |= visit.holds
        place, last = (place + 1, None) if visit.last is None else (place, visit.last)
        if monotonic() > ends_at or (erases and holds):
            break
    request.position = {
        "since": since,
        "place": place,
        "last": last,
        "rows": _written(rows),
        "holds": sorted(holds),
    }
    return _Pass(rows, holds, place == len(PLACES))


def _search(request: ErasureRequest) -> Search:
    installations = Installation.objects.filter(tenant_id=request.tenant_id).order_by()
    return Search(
        tenant_id=request.tenant_id,
        installations=dict(installations.values_list("pk", "public_id")),
        matcher=matcher_of(request.tenant, request.pseudonyms, request.probe_epoch),
        pseudonyms=request.pseudonyms,
    )


def _finish(request: ErasureRequest, now: datetime) -> None:
    request.state, request.finished_at = ErasureState.DONE, now
    forwards = ErasureForward.objects.filter(request=request).order_by("pk")
    facts = {
        "request": str(request.public_id),
        "case": str(request.case_id),
        "subject": request.digest,
        "keys": request.probe_epoch,
        "erased": _by_place(request.erased),
        "left": _by_place(request.left),
        "passes": request.passes,
        "kept_away_until": None if request.ends_at is None else request.ends_at.isoformat(),
        "providers": [_provider_fact(each) for each in forwards],
    }
    receipt = record_receipt(tenant=request.tenant, kind=ReceiptKind.ERASURE, facts=facts, actor=SYSTEM)
    request.receipt = receipt
    details = {"case": str(request.case_id), "receipt": receipt.sequence, "rows": sum(_read(request.erased).values())}
    audit.record(actor=SYSTEM, action="erasure.finished", target=request, tenant_id=request.tenant_id, details=details)


def _provider_fact(forward: ErasureForward) -> dict[str, Any]:
    """``is_partial`` where something of the person stays although the provider was told."""
    partial = {"is_partial": True} if leaves_of(forward.kind) else {}
    return {"kind": forward.kind, "state": forward.state, **partial}


def _by_place(written: Sequence[Sequence[Any]]) -> dict[str, int]:
    counts: Counter[str] = Counter({place.name: 0 for place in PLACES})
    for (place, _, _), count in _read(written).items():
        counts[place] += count
    return dict(counts)


def _written(rows: Count) -> list[list[Any]]:
    """Counts as they are stored: place, installation, event, rows; in order."""
    return [[*key, count] for key, count in sorted(rows.items())]


def _read(written: Sequence[Sequence[Any]]) -> Count:
    return Counter({(place, installation, event): count for place, installation, event, count in written})
