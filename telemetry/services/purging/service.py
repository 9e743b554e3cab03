"""One visit of the purge: count, plan, remove."""

from time import monotonic
from typing import Final

from telemetry.services.purging.clock import now_by_both
from telemetry.services.purging.executing import carry_on
from telemetry.services.purging.planning import plan_runs
from telemetry.services.purging.sealing import drop_outlived, seal_partitions

__all__ = ["PATIENCE_SECONDS", "purge"]

# Half of what a job may take: one step more fits in.
PATIENCE_SECONDS: Final = 45.0


def purge(*, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """What is due and needs nobody's word is gone, and its receipts are there, as far as time and locks allow.

    Whether something is left that could be done at once. Running it twice, or at the same time, removes nothing more,
    and after a kill at any point the next call goes on.
    """
    ends_at = monotonic() + patience_seconds

    def go_on() -> bool:
        return monotonic() < ends_at

    if not seal_partitions(go_on=go_on):
        return True
    plan_runs(now=now_by_both())
    if carry_on(go_on=go_on):
        return True
    # Rows that moved to a shorter class have opened what was counted.
    if not seal_partitions(go_on=go_on):
        return True
    drop_outlived()
    return False
