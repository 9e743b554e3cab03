"""Who sends what: one worker for a channel at a time, and a row that comes back if that worker dies."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import F, Q, QuerySet

from telemetry.models import (
    INCIDENT_KINDS,
    AlertChannel,
    IncidentStatus,
    Notification,
    NotificationKind,
    NotificationState,
)
from telemetry.services.alerts.telling import PUT_OFF, next_summary_at
from tenants.context import ALL, tenant_context

__all__ = ["LEASE", "Claim", "awake", "claim", "claim_test"]

# Several times what a call may take: only a worker that was killed lets it run out.
LEASE: Final = timedelta(seconds=60)
HOUR: Final = timedelta(hours=1)


class Claim(NamedTuple):
    """A notification that this worker alone may send now, with its channel, and the end of its time."""

    channel: AlertChannel
    row: Notification
    ends_at: datetime


def awake(now: datetime) -> Q:
    """The channels that may be called now: switched on, not resting, not muted, and in nobody's hands."""
    return (
        Q(is_enabled=True)
        & (Q(leased_until=None) | Q(leased_until__lte=now))
        & (Q(paused_until=None) | Q(paused_until__lte=now))
        & (Q(muted_until=None) | Q(muted_until__lte=now))
    )


def claim(channel_id: int, *, now: datetime) -> Claim | None:
    """The channel's oldest notification that is due; committed on return.

    ``None`` when the channel rests, is switched off or muted, is in somebody else's hands, or has nothing to say. What
    was put off and has ended since is withheld; what goes beyond its messages for this hour is gathered.
    """
    with tenant_context(ALL):
        channel = _take(channel_id, awake(now), now)
        if channel is None:
            return None
        _withhold_what_ended(channel, now)
        row = _due(channel, now).first()
        if row is not None and row.kind in INCIDENT_KINDS and _is_full(channel, now):
            _gather(channel, now)
            row = _due(channel, now).first()
        taken = None if row is None else _hold(channel, row, now)
        if taken is None:
            AlertChannel.objects.filter(pk=channel.pk).update(leased_until=None)
        return taken


def claim_test(notification: Notification, *, now: datetime) -> Claim | None:
    """This notification, whether its channel rests, is muted or switched off; ``None`` if somebody has the channel."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    with tenant_context((notification.tenant_id,)):
        channel = _take(notification.channel_id, free, now)
        return None if channel is None else _hold(channel, notification, now)


def _take(channel_id: int, allowed: Q, now: datetime) -> AlertChannel | None:
    """The channel, held by this worker; ``None`` if it is not one that is allowed."""
    if not AlertChannel.objects.filter(allowed, pk=channel_id).update(leased_until=now + LEASE):
        return None
    return AlertChannel.objects.get(pk=channel_id)


def _hold(channel: AlertChannel, row: Notification, now: datetime) -> Claim | None:
    """The row, as this worker's; ``None`` if its incident ended this very moment and it is withheld."""
    waiting = Notification.objects.filter(pk=row.pk, state=NotificationState.WAITING)
    if not waiting.update(attempts=F("attempts") + 1, due_at=now + LEASE):
        return None
    return Claim(channel, row, now + LEASE)


def _due(channel: AlertChannel, now: datetime) -> QuerySet[Notification]:
    rows = Notification.objects.filter(channel=channel, state=NotificationState.WAITING, due_at__lte=now)
    return rows.select_related("incident").order_by("id")


def _withhold_what_ended(channel: AlertChannel, now: datetime) -> None:
    """Openings that were put off until now, of incidents that are over, are told to nobody."""
    over = _due(channel, now).filter(
        kind=NotificationKind.OPENED,
        reason__in=PUT_OFF,
        attempts=0,
        incident__status=IncidentStatus.RESOLVED,
    )
    ids = list(over.values_list("pk", flat=True))
    Notification.objects.filter(pk__in=ids).update(state=NotificationState.WITHHELD, settled_at=now)


def _is_full(channel: AlertChannel, now: datetime) -> bool:
    """Whether the channel had its messages of the last hour; a worker that holds the channel counts exactly."""
    sent = Notification.objects.filter(
        channel=channel, kind__in=INCIDENT_KINDS, state=NotificationState.DELIVERED, settled_at__gt=now - HOUR
    )
    return sent.count() >= channel.most_per_hour


def _gather(channel: AlertChannel, now: datetime) -> None:
    """What is due of incidents goes into one summary."""
    storm = _due(channel, now).filter(kind__in=INCIDENT_KINDS).values_list("pk", flat=True)
    Notification.objects.filter(pk__in=list(storm)).update(
        state=NotificationState.GATHERED, reason="storm", due_at=next_summary_at(channel, now)
    )
