"""The end of a run: nothing is left of what it had to remove, and a receipt says what it removed."""

import hashlib
import json
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from telemetry.core.layers import event_reference
from telemetry.core.timestamps import format_timestamp
from telemetry.models import PurgeItem, PurgeRun, PurgeState, ReceiptKind
from telemetry.services.purging.terms import apply_changes
from telemetry.services.receipts import record_receipt
from tenants.actors import SYSTEM

__all__ = ["abandon_run", "finish_run"]

# More events than these are in the receipt by the hash of their list alone, which the run's page shows.
LISTED_EVENTS: Final = 200


def finish_run(run: PurgeRun) -> bool:
    """The run is done and has its receipt, in the caller's transaction; whether it was this call that finished it.

    What is called there has looked after ``lock_removals``, and found nothing left.
    """
    finished = PurgeRun.objects.filter(pk=run.pk, state=PurgeState.RUNNING).update(
        state=PurgeState.DONE, finished_at=timezone.now()
    )
    if not finished:
        return False
    run.refresh_from_db()
    apply_changes(run.tenant_id, run.applies)
    record_receipt(tenant=run.tenant, kind=ReceiptKind.PURGE, facts=_facts(run, is_complete=True), actor=SYSTEM)
    return True


def abandon_run(run: PurgeRun) -> None:
    """The run goes no further; what it has removed has its receipt, in the caller's transaction."""
    stopped = PurgeRun.objects.filter(pk=run.pk, state=PurgeState.RUNNING).update(
        state=PurgeState.REPLACED, finished_at=timezone.now()
    )
    if stopped and run.items.filter(Q(rows__gt=0) | Q(archived_rows__gt=0)).exists():
        record_receipt(tenant=run.tenant, kind=ReceiptKind.PURGE, facts=_facts(run, is_complete=False), actor=SYSTEM)


def _facts(run: PurgeRun, *, is_complete: bool) -> dict[str, Any]:
    items = list(run.items.select_related("installation").order_by("installation_id", "name", "version"))
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
