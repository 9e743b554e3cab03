"""What becomes of a claim's rows and of its provider, by how the sending went."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import F

from telemetry.models import DeliveryRecord, DeliveryState, ProviderRecord
from telemetry.services.deliveries.claiming import Claim
from telemetry.services.deliveries.sending import Sending, Trouble
from tenants.context import tenant_context

__all__ = ["MOST_REFUSALS", "pause_after", "settle"]

# Seconds. What may pass is tried again soon, what somebody has to change less often.
_FIRST_PAUSE: Final = {Trouble.PASSING: 5.0, Trouble.SETTINGS: 60.0}
_LONGEST_PAUSE: Final = 900.0
_MOST_DOUBLINGS: Final = 16
# Single events refused in a row, with none taken in between: then it is not the events that are wrong.
MOST_REFUSALS: Final = 10


def settle(claim: Claim, sending: Sending, *, now: datetime) -> None:
    """Rows and provider say how it went, and the provider is free again; committed on return.

    Changes nothing if the claim's time ran out meanwhile: then somebody else has the rows, or will.
    """
    with tenant_context((claim.provider.tenant_id,)):
        held = ProviderRecord.objects.select_for_update().filter(
            pk=claim.provider.pk, leased_until=claim.ends_at, leased_until__gt=now
        )
        provider = held.first()
        if provider is None:
            return
        if sending.trouble is None:
            changes = _settle_delivered(claim.rows, sending, now)
        elif sending.trouble is Trouble.CONTENT:
            changes = _settle_refused(provider, claim.rows, sending, now)
        else:
            changes = _settle_failed(provider, claim.rows, sending, sending.trouble, now)
        ProviderRecord.objects.filter(pk=provider.pk).update(leased_until=None, **changes)


def pause_after(trouble: Trouble, failures: int, retry_after: float | None, jitter: float) -> float:
    """Seconds until the next attempt: doubled with each failure in a row, times ``jitter`` (0.5 to 1).

    At most a quarter of an hour, and never less than the other end asked for.
    """
    growing = _FIRST_PAUSE[trouble] * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    return max(min(growing, _LONGEST_PAUSE) * jitter, retry_after or 0.0)


def _settle_delivered(rows: Sequence[DeliveryRecord], sending: Sending, now: datetime) -> dict[str, Any]:
    _update(rows, state=DeliveryState.DELIVERED, settled_at=now, error="", status=None)
    changes: dict[str, Any] = {"failures": 0, "refusals": 0, "paused_until": None}
    if sending.sent:
        changes |= {"last_delivered_at": now, "delivered": F("delivered") + sending.sent}
    return changes


def _settle_refused(
    provider: ProviderRecord, rows: Sequence[DeliveryRecord], sending: Sending, now: datetime
) -> dict[str, Any]:
    """Halves what was sent until the one event is found that is not wanted; that one is given up."""
    said = _said(sending, now)
    if len(rows) > 1:
        _update(rows, is_alone=True, due_at=now)
        return {"failures": 0, "paused_until": None}
    [row] = rows
    if row.count > 1:
        _halve(row, now)
        return {"failures": 0, "paused_until": None}
    # What is too large says nothing about the next one.
    refusals = provider.refusals + (sending.error != "too_large")
    if refusals >= MOST_REFUSALS:
        # Nothing was taken for a while: the row waits, as it does for a wrong credential.
        return _settle_failed(provider, rows, sending, Trouble.SETTINGS, now)
    _update(rows, state=DeliveryState.DEAD, settled_at=now, error=sending.error, status=sending.status)
    return {"failures": 0, "paused_until": None, "refusals": refusals, **said}


def _settle_failed(
    provider: ProviderRecord, rows: Sequence[DeliveryRecord], sending: Sending, trouble: Trouble, now: datetime
) -> dict[str, Any]:
    """The provider rests; what has waited too long is given up."""
    failures = provider.failures + 1
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
    pause = pause_after(trouble, failures, sending.retry_after, jitter)
    _update(rows, due_at=now, error=sending.error, status=sending.status)
    oldest = now - timedelta(hours=settings.STUDIO_DELIVERY_RETRY_HOURS)
    DeliveryRecord.objects.filter(provider=provider, state=DeliveryState.WAITING, created_at__lt=oldest).update(
        state=DeliveryState.DEAD, settled_at=now, error=sending.error, status=sending.status
    )
    return {"failures": failures, "paused_until": now + timedelta(seconds=pause), **_said(sending, now)}


def _said(sending: Sending, now: datetime) -> dict[str, Any]:
    return {"last_error": sending.error, "last_status": sending.status, "last_error_at": now}


def _halve(row: DeliveryRecord, now: datetime) -> None:
    middle = row.count // 2
    for part in (row.event_ids[:middle], row.event_ids[middle:]):
        DeliveryRecord.objects.create(
            tenant_id=row.tenant_id,
            installation_id=row.installation_id,
            provider_id=row.provider_id,
            received_at=row.received_at,
            names=row.names,
            event_ids=part,
            count=len(part),
            is_alone=True,
            attempts=row.attempts + 1,
            created_at=row.created_at,
            due_at=now,
        )
    row.delete()


def _update(rows: Sequence[DeliveryRecord], **changes: Any) -> None:
    DeliveryRecord.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
