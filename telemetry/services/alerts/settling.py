"""What becomes of a notification and of its channel, by how the sending went."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from telemetry.models import AlertChannel, Notification, NotificationKind, NotificationState
from telemetry.services.alerts.claiming import Claim
from telemetry.services.deliveries.sending import Sending, Trouble
from telemetry.services.deliveries.settling import pause_after
from tenants.context import tenant_context

__all__ = ["settle_notification"]


def settle_notification(claim: Claim, sending: Sending, *, now: datetime) -> bool:
    """Notification and channel say how it went, and the channel is free again; committed on return.

    False, and nothing is changed, if the claim's time ran out meanwhile: then somebody else has it, or will.
    """
    with tenant_context((claim.channel.tenant_id,)):
        held = AlertChannel.objects.select_for_update().filter(
            pk=claim.channel.pk, leased_until=claim.ends_at, leased_until__gt=now
        )
        channel = held.first()
        if channel is None:
            return False
        changes = _changes(channel, claim.row, sending, now)
        AlertChannel.objects.filter(pk=channel.pk).update(leased_until=None, **changes)
    return True


def _changes(channel: AlertChannel, row: Notification, sending: Sending, now: datetime) -> dict[str, Any]:
    if sending.trouble is None:
        _update(row, state=NotificationState.DELIVERED, settled_at=now, error="", status=None)
        return {
            "failures": 0,
            "paused_until": None,
            "last_error": "",
            "last_status": None,
            "last_delivered_at": now,
            "delivered": F("delivered") + 1,
        }
    said = {"last_error": sending.error, "last_status": sending.status, "last_error_at": now}
    if sending.trouble is Trouble.CONTENT or row.kind == NotificationKind.TEST:
        # Nobody will want it later either: a test is a question of now.
        _update(row, state=NotificationState.DEAD, settled_at=now, error=sending.error, status=sending.status)
        return said
    return {**said, **_rest(channel, row, sending, sending.trouble, now)}


def _rest(
    channel: AlertChannel, row: Notification, sending: Sending, trouble: Trouble, now: datetime
) -> dict[str, Any]:
    """The channel rests; what has waited too long is given up."""
    failures = channel.failures + 1
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
    pause = pause_after(trouble, failures, sending.retry_after, jitter)
    _update(row, due_at=now, error=sending.error, status=sending.status)
    oldest = now - timedelta(hours=settings.STUDIO_DELIVERY_RETRY_HOURS)
    Notification.objects.filter(
        channel=channel, state=NotificationState.WAITING, attempts__gt=0, created_at__lt=oldest
    ).update(state=NotificationState.DEAD, settled_at=now, error=sending.error, status=sending.status)
    return {"failures": failures, "paused_until": now + timedelta(seconds=pause)}


def _update(row: Notification, **changes: Any) -> None:
    Notification.objects.filter(pk=row.pk).update(**changes)
