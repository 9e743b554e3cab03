"""Runs of retention, legal holds and receipts, as far as the tenant context shows them."""

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from telemetry.core.errors import NotFound
from telemetry.models import LegalHold, PurgeItem, PurgeRun, PurgeState, Receipt

__all__ = ["hold_by_id", "holds", "items_of", "purge_run_by_id", "purge_runs", "receipts", "waiting_runs"]


def purge_runs(*, tenant: str = "", state: str = "") -> QuerySet[PurgeRun]:
    """Runs with their tenant and what they removed (``done_rows``, ``archived_rows``, ``held_rows``), newest first."""
    rows = PurgeRun.objects.select_related("tenant").annotate(
        done_rows=Coalesce(Sum("items__rows"), 0),
        done_bytes=Coalesce(Sum(F("items__size_bytes") + F("items__archived_bytes")), 0),
        archived_rows=Coalesce(Sum("items__archived_rows"), 0),
        held_rows=Coalesce(Sum("items__held_rows"), 0),
    )
    if tenant:
        rows = rows.filter(tenant__slug=tenant)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-id")


def waiting_runs() -> QuerySet[PurgeRun]:
    """Those that wait for approval, the oldest first."""
    return PurgeRun.objects.filter(state=PurgeState.WAITING).select_related("tenant").order_by("id")


def purge_run_by_id(run_id: int) -> PurgeRun:
    """The run with its tenant and sums; ``NotFound``."""
    found = purge_runs().filter(pk=run_id).first()
    if found is None:
        raise NotFound("there is no such run")
    return found


def items_of(run: PurgeRun) -> QuerySet[PurgeItem]:
    """What the run does to each event, most rows first, with installation and app."""
    return run.items.select_related("installation__app", "installation__tenant").order_by(
        "-planned_rows", "name", "version", "id"
    )


def holds(*, tenant: str = "", is_active: bool | None = None) -> QuerySet[LegalHold]:
    """Legal holds with tenant and installation, newest first."""
    rows = LegalHold.objects.select_related("tenant", "installation__app", "installation__tenant")
    if tenant:
        rows = rows.filter(tenant__slug=tenant)
    if is_active is not None:
        rows = rows.filter(lifted_at__isnull=is_active)
    return rows.order_by("-placed_at", "-id")


def hold_by_id(hold_id: int) -> LegalHold:
    """The hold with its tenant; ``NotFound``."""
    found = holds().filter(pk=hold_id).first()
    if found is None:
        raise NotFound("there is no such hold")
    return found


def receipts(*, tenant: str = "", kind: str = "") -> QuerySet[Receipt]:
    """Receipts with their tenant, newest first."""
    rows = Receipt.objects.select_related("tenant")
    if tenant:
        rows = rows.filter(tenant__slug=tenant)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.order_by("-recorded_at", "-id")
