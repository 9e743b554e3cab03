"""A person's word for a run that is larger than the operators allow, or planned while the clock was in doubt."""

from django.db import transaction
from django.utils import timezone

from telemetry.core.errors import Conflict, StaleRevision
from telemetry.models import PurgeRun, PurgeState
from telemetry.services.purging.clock import now_by_both, trust
from telemetry.services.purging.planning import CLOCK
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["approve_run"]


@transaction.atomic
def approve_run(*, actor: Actor, run: PurgeRun, expected_rows: int) -> PurgeRun:
    """The run goes on as it was planned, in the next visit of the purge; it removes no more than what was shown.

    ``expected_rows`` is the number that the person saw. A run that waited because of the clock says with it that the
    clock is right. Needs ``purge.approve``. Raises ``Conflict`` if the run does not wait any more, and
    ``StaleRevision`` if it is not about so many rows.
    """
    require(actor, "purge.approve", run.tenant_id)
    if run.planned_rows != expected_rows:
        raise StaleRevision(f"the run would remove {run.planned_rows} events, not {expected_rows}: look at it again")
    approved = PurgeRun.objects.filter(pk=run.pk, state=PurgeState.WAITING, planned_rows=expected_rows).update(
        state=PurgeState.RUNNING, approved_at=timezone.now(), approved_by=actor.label
    )
    if not approved:
        raise Conflict("the run does not wait for approval any more: it was approved, or a newer plan took its place")
    run.refresh_from_db()
    if run.why_waiting == CLOCK:
        trust(now_by_both())
    audit.record(
        actor=actor,
        action="purge.approved",
        target=run,
        tenant_id=run.tenant_id,
        details={"rows": run.planned_rows, "bytes": run.planned_bytes, "cutoff": run.cutoff.isoformat()},
    )
    return run
