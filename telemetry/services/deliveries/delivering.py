"""One round for one provider, and which providers have something to do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from telemetry.models import DeliveryRecord, DeliveryState, ProviderRecord
from telemetry.services.deliveries.claiming import claim
from telemetry.services.deliveries.sending import send
from telemetry.services.deliveries.settling import settle
from tenants.context import ALL, tenant_context

__all__ = ["deliver_once", "due_providers", "forget_old_deliveries"]

# Rows that are deleted at once.
_SLICE: Final = 5_000
# Longer rests are ended by the sweep.
_SOON: Final = 60.0


def deliver_once(provider_id: int) -> float | None:
    """One call's worth of what the provider is owed is sent and settled; in how many seconds to come again.

    ``None``: there is nothing to do there, or not before the next sweep. Any number of workers may call it at once for
    the same provider, and any of them may be killed: each event gets there at least once.
    """
    taken = claim(provider_id, now=timezone.now())
    if taken is None:
        return None
    settle(taken, send(taken), now=timezone.now())
    return _next_round(provider_id)


def due_providers(now: datetime) -> Sequence[int]:
    """The providers that are owed something now, are awake, and in nobody's hands; one query."""
    waiting = DeliveryRecord.objects.filter(provider=OuterRef("pk"), state=DeliveryState.WAITING, due_at__lte=now)
    with tenant_context(ALL):
        found = ProviderRecord.objects.filter(
            Q(leased_until=None) | Q(leased_until__lte=now),
            Q(paused_until=None) | Q(paused_until__lte=now),
            Exists(waiting),
            is_enabled=True,
        )
        return list(found.order_by("pk").values_list("pk", flat=True))


def forget_old_deliveries(now: datetime) -> int:
    """A slice of deliveries past ``STUDIO_DELIVERY_DAYS``, and dead letters past their days, is gone; how many."""
    ends = {
        DeliveryState.DELIVERED: now - timedelta(days=settings.STUDIO_DELIVERY_DAYS),
        DeliveryState.DEAD: now - timedelta(days=settings.STUDIO_DEAD_LETTER_DAYS),
    }
    over = Q()
    for state, end in ends.items():
        over |= Q(state=state, settled_at__lt=end)
    with tenant_context(ALL):
        old = DeliveryRecord.objects.filter(over, settled_at__isnull=False).order_by("settled_at")[:_SLICE]
        deleted, _ = DeliveryRecord.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
        return deleted


def _next_round(provider_id: int) -> float | None:
    now = timezone.now()
    with tenant_context(ALL):
        provider = ProviderRecord.objects.filter(pk=provider_id, is_enabled=True).first()
        if (
            provider is None
            or not DeliveryRecord.objects.filter(provider=provider, state=DeliveryState.WAITING).exists()
        ):
            return None
    if provider.paused_until is None:
        return 0.0
    pause = (provider.paused_until - now).total_seconds()
    return max(0.0, pause) if pause <= _SOON else None
