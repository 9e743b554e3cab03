"""The end of a run: nothing is left of what it had to remove, and a receipt says what it removed."""

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any, Final

from django.utils import timezone

from telemetry.core.layers import event_reference
from telemetry.core.timestamps import format_timestamp
from telemetry.models import PurgeItem, PurgeRun, PurgeState, ReceiptKind
from telemetry.services.purging.terms import apply_changes
from telemetry.services.receipts import record_receipt, record_receipts
from tenants.actors import SYSTEM

__all__ = ["abandon_run", "finish_runs"]

# More events than these are in the receipt by the hash of their list alone, which the run's page shows.
LISTED_EVENTS: Final = 200
# Runs that are finished at once: their receipts are held in memory together.
PORTION: Final = 100


def finish_runs(runs: Collection[PurgeRun]) -> None:
    """The runs are done, each with its receipt, in the caller's transaction; those that another has finished stay so.

    What calls this has looked after ``lock_removals``, and found nothing left. Six queries for each hundred runs, and
    two for each whose tenant's retention has changed.
    """
    keys = sorted(run.pk for run in runs)
    for start in range(0, len(keys), PORTION):
        # Locked, so that they are as whoever had them last has left them.
        found = PurgeRun.objects.select_for_update(of=("self",)).select_related("tenant").order_by("pk")
        ours = list(found.filter(pk__in=keys[start : start + PORTION], state=PurgeState.RUNNING))
        PurgeRun.objects.filter(pk__in=[run.pk for run in ours]).update(
            state=PurgeState.DONE, finished_at=timezone.now()
        )
        items = _items_of(ours)
        for run in ours:
            apply_changes(run.tenant_id, run.applies)
        if ours:
            record_receipts(
                [(run.tenant, _facts(run, items.get(run.pk, ()), is_complete=True)) for run in ours],
                kind=ReceiptKind.PURGE,
                actor=SYSTEM,
            )


def abandon_run(run: PurgeRun) -> None:
    """The run goes no further; what it has removed has its receipt, in the caller's transaction."""
    stopped = PurgeRun.objects.filter(pk=run.pk, state=PurgeState.RUNNING).update(
        state=PurgeState.REPLACED, finished_at=timezone.now()
    )
    items = _items_of([run]).get(run.pk, []) if stopped else []
    if any(item.rows or item.archived_rows for item in items):
        facts = _facts(run, items, is_complete=False)
        record_receipt(tenant=run.tenant, kind=ReceiptKind.PURGE, facts=facts, actor=SYSTEM)


def _items_of(runs: Collection[PurgeRun]) -> dict[int, list[PurgeItem]]:
    """The items of the runs by the run's id, in the order of receipts; one query."""
    found: dict[int, list[PurgeItem]] = {}
    items = PurgeItem.objects.filter(run__in=runs).select_related("installation")
    for item in items.order_by("installation_id", "name", "version"):
        found.setdefault(item.run_id, []).append(item)
    return found


def _facts(run: PurgeRun, items: Sequence[PurgeItem], *, is_complete: bool) -> dict[str, Any]:
    events = [_fact(item) for item in items if item.rows or item.archived_rows or item.held_rows]
    listing = json.dumps(events, sort_keys=True, separators=(",", ":"))
    return {
        "run": run.pk,
        "cutoff": format_timestamp(run.cutoff),
        "planned_rows": run.planned_rows,
        "rows": sum(item.rows for item in items),
        "bytes": sum(item.size_bytes for item in items),
        "archived_rows": sum(item.archived_rows for item in items),
        "held_rows": sum(item.held_rows for item in items),
        "is_complete": is_complete,
        "shortened_rows": run.shortened_rows,
        "config_revisions": {str(each["installation"]): each["revision"] for each in run.applies},
        "approved": bool(run.approved_at),
        "events_sha256": hashlib.sha256(listing.encode()).hexdigest(),
        "events": events if len(events) <= LISTED_EVENTS else [],
    }


def _fact(item: PurgeItem) -> dict[str, Any]:
    return {
        "installation": str(item.installation.public_id),
        "event": event_reference(item.name, item.version),
        "rows": item.rows,
        "archived_rows": item.archived_rows,
        "held_rows": item.held_rows,
    }
