"""Who delivers what: one worker for a provider at a time, and rows that come back if that worker dies."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import F, Q

from telemetry.models import DeliveryRecord, DeliveryState, ProviderRecord
from telemetry.providers.clients import client_of
from tenants.context import ALL, tenant_context

__all__ = ["LEASE", "Claim", "claim"]

# Several times what a call may take: only a worker that was killed lets it run out.
LEASE: Final = timedelta(seconds=60)
# Rows to look at; together they hold more events than one call takes.
_MOST_ROWS: Final = 50


class Claim(NamedTuple):
    """Rows of one provider that this worker alone may send now, and the end of its time."""

    provider: ProviderRecord
    rows: Sequence[DeliveryRecord]
    ends_at: datetime


def claim(provider_id: int, *, now: datetime) -> Claim | None:
    """The oldest rows that are due, as many as fit into one call; committed on return.

    ``None`` when the provider is switched off, rests, is in somebody else's hands, or is owed nothing. After a failure,
    one row is enough to see whether it is over.
    """
    ends_at = now + LEASE
    with tenant_context(ALL):
        free = Q(leased_until=None) | Q(leased_until__lte=now)
        awake = Q(paused_until=None) | Q(paused_until__lte=now)
        providers = ProviderRecord.objects.filter(free, awake, pk=provider_id, is_enabled=True)
        if not providers.update(leased_until=ends_at):
            return None
        provider = ProviderRecord.objects.select_related("installation__tenant", "installation__app").get(
            pk=provider_id
        )
        rows = _fitting(provider, _due(provider, now))
        if not rows:
            ProviderRecord.objects.filter(pk=provider_id).update(leased_until=None)
            return None
        DeliveryRecord.objects.filter(pk__in=[row.pk for row in rows]).update(
            attempts=F("attempts") + 1, due_at=ends_at
        )
        return Claim(provider, rows, ends_at)


def _due(provider: ProviderRecord, now: datetime) -> Sequence[DeliveryRecord]:
    rows = DeliveryRecord.objects.filter(provider=provider, state=DeliveryState.WAITING, due_at__lte=now)
    return list(rows.order_by("id").select_for_update(skip_locked=True)[:_MOST_ROWS])


def _fitting(provider: ProviderRecord, rows: Sequence[DeliveryRecord]) -> Sequence[DeliveryRecord]:
    """The first rows, up to what one call takes; one that is to be sent alone is."""
    most = client_of(provider.kind).most_events
    fitting: list[DeliveryRecord] = []
    count = 0
    for row in rows:
        count += row.count
        if fitting and (row.is_alone or count > most):
            break
        fitting.append(row)
        if row.is_alone or provider.failures:
            break
    return fitting
