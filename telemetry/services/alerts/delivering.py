"""One round for one channel, and which channels have something to say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from telemetry.models import AlertChannel, IncidentStatus, Notification, NotificationState
from telemetry.services.alerts.claiming import awake, claim
from telemetry.services.alerts.sending import send_notification
from telemetry.services.alerts.settling import settle_notification
from tenants.context import ALL, tenant_context

__all__ = ["due_channels", "forget_old_notifications", "notify_once"]

# Rows that are deleted at once.
_SLICE: Final = 5_000


def notify_once(channel_id: int) -> bool:
    """The channel's oldest notification that is due is sent and settled; whether to come again at once.

    Any number of workers may call it at once for the same channel, and any of them may be killed: each notification
    gets there at least once, in the order of what happened, and under the same id.
    """
    taken = claim(channel_id, now=timezone.now())
    if taken is None:
        return False
    return settle_notification(taken, send_notification(taken), now=timezone.now())


def due_channels(now: datetime) -> Sequence[int]:
    """The channels that have something to say now, may be called, and are in nobody's hands; one query."""
    waiting = Notification.objects.filter(channel=OuterRef("pk"), state=NotificationState.WAITING, due_at__lte=now)
    with tenant_context(ALL):
        found = AlertChannel.objects.filter(awake(now), Exists(waiting))
        return list(found.order_by("pk").values_list("pk", flat=True))


def forget_old_notifications(now: datetime) -> int:
    """A slice of what was settled and is past ``STUDIO_DEAD_LETTER_DAYS`` is gone; how many.

    What tells of an incident stays while that is not over: who was told of its beginning is told of its end.
    """
    oldest = now - timedelta(days=settings.STUDIO_DEAD_LETTER_DAYS)
    over = Q(incident=None) | Q(incident__status=IncidentStatus.RESOLVED)
    with tenant_context(ALL):
        old = Notification.objects.filter(over, created_at__lt=oldest, settled_at__isnull=False).order_by("created_at")
        ids = list(old.values_list("pk", flat=True)[:_SLICE])
        return Notification.objects.filter(pk__in=ids).delete()[0]
