"""Keeping events of people away who were erased: what a batch asks, and what a request leaves behind."""

from collections.abc import Collection
from datetime import datetime
from threading import Lock
from typing import Final

from django.db.models import Q

from telemetry.models import ErasedSubject, ErasureRequest
from tenants.config_lease import PROCESS_LEASE, KnownState
from tenants.context import ALL, tenant_context
from tenants.services.config_revision import bump

__all__ = ["forget_ended_marks", "has_marks", "mark", "marked"]

# What one statement deletes in well under a second.
PORTION: Final = 5_000
# Tenants whose state a process remembers.
MOST_KNOWN: Final = 10_000


class _Memory:
    """Which tenants have no mark at all, as long as the process knows that nothing has changed."""

    def __init__(self) -> None:
        self._without: dict[int, KnownState] = {}
        self._lock = Lock()

    def has_marks(self, tenant_id: int) -> bool:
        # Before the database is asked, so that what is read then is at least as new.
        state = PROCESS_LEASE.current()
        if state is not None and self._without.get(tenant_id) is state:
            return False
        found = ErasedSubject.objects.filter(tenant_id=tenant_id).exists()
        if not found and state is not None:
            with self._lock:
                if len(self._without) >= MOST_KNOWN:
                    self._without.clear()
                self._without[tenant_id] = state
        return found


_memory: Final = _Memory()


def has_marks(tenant_id: int) -> bool:
    """Whether anybody was erased at the tenant; no query where the process knows that nobody was, else one."""
    return _memory.has_marks(tenant_id)


def marked(tenant_id: int, pseudonyms: Collection[str], *, now: datetime) -> set[str]:
    """Those of the pseudonyms whose events are not to be taken in; one query, by the index."""
    rows = ErasedSubject.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), tenant_id=tenant_id)
    return set(rows.filter(pseudonym__in=list(pseudonyms)).values_list("pseudonym", flat=True))


def mark(request: ErasureRequest) -> None:
    """Once the transaction commits, no process takes in events of the person any more. Running it twice adds nothing.

    Raises ``TransactionManagementError`` outside a transaction.
    """
    # The counter of config revisions is what processes that answer from memory listen to.
    bump()
    ErasedSubject.objects.bulk_create(
        [
            ErasedSubject(tenant_id=request.tenant_id, request=request, pseudonym=pseudonym, ends_at=request.ends_at)
            for pseudonym in request.pseudonyms
        ],
        ignore_conflicts=True,
    )


def forget_ended_marks(*, now: datetime) -> int:
    """Marks past their end are gone, 5,000 at most; how many."""
    with tenant_context(ALL):
        ended = ErasedSubject.objects.filter(ends_at__lte=now).order_by("pk").values("pk")[:PORTION]
        count, _ = ErasedSubject.objects.filter(pk__in=ended).delete()
    return count
