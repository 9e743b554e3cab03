"""Words about runs of retention, and which wait for somebody."""

from typing import Final

from django.db.models import QuerySet

from telemetry.models import PurgeRun
from telemetry.selectors.retention import waiting_runs
from tenants.actors import Actor

__all__ = ["RUN_TONES", "WHY_WAITING", "runs_to_approve"]

RUN_TONES: Final = {"waiting": "amber", "running": "blue", "done": "green", "replaced": "grey"}
WHY_WAITING: Final = {
    "large": "It is larger than this studio lets go without a person's word.",
    "clock": "More than a day and a half has passed since the last plan. If the studio was off, that is all; if its "
    "clock is wrong, approving would delete what should stay. Look at the cut-off.",
}


def runs_to_approve(actor: Actor) -> QuerySet[PurgeRun] | None:
    """The runs that wait for approval where the actor may approve; ``None`` for who may nowhere."""
    if actor.can("purge.approve"):
        return waiting_runs()
    tenants = [key for key in actor.grants if key is not None and actor.can("purge.approve", key)]
    return waiting_runs().filter(tenant_id__in=tenants) if tenants else None
