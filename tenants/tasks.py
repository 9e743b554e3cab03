"""Jobs about tenants."""

from celery import shared_task

from tenants.context import ALL, tenant_context
from tenants.services.settling import SLICE, settle_due

__all__ = ["settle_planned_changes"]


@shared_task(name="tenants.settle_planned_changes")
def settle_planned_changes() -> None:
    """What was due is settled, slice by slice; running it twice, or at the same time, changes nothing more."""
    settled = SLICE
    while settled == SLICE:
        with tenant_context(ALL):
            settled = settle_due()
