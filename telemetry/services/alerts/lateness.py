"""The watch over the watchman: tenants are told when nobody judges their anomaly rules, and when somebody does again.

It runs where notifications are sent, by other workers than those that judge.
"""

from collections.abc import Iterable
from datetime import datetime

from telemetry.models import AlertChannel, EvaluationState, Notification, NotificationKind
from telemetry.selectors.evaluation import LATE_AFTER, late_states
from tenants.context import ALL, tenant_context

__all__ = ["tell_lateness"]


def tell_lateness(now: datetime) -> int:
    """Channels of routes without conditions have one notification of each lateness, and one of its end; how many.

    Safe to run many times at once: an installation counts once, for whoever marks it.
    """
    with tenant_context(ALL):
        late = late_states(now).filter(late_told_at=None).select_for_update(skip_locked=True, of=("self",))
        told = _tell(NotificationKind.LATE, list(late), now)
        on_time = EvaluationState.objects.filter(late_told_at__isnull=False, due_at__gte=now - LATE_AFTER)
        back = list(on_time.select_for_update(skip_locked=True, of=("self",)))
        return told + _tell(NotificationKind.ON_TIME, back, now)


def _tell(kind: NotificationKind, states: Iterable[EvaluationState], now: datetime) -> int:
    of_tenants: dict[int, list[EvaluationState]] = {}
    for state in states:
        of_tenants.setdefault(state.tenant_id, []).append(state)
    rows = [
        Notification(
            tenant_id=channel.tenant_id,
            channel=channel,
            kind=kind,
            facts={
                "installations": len(of_tenants[channel.tenant_id]),
                "since": f"{min(state.due_at for state in of_tenants[channel.tenant_id]):%Y-%m-%d %H:%M} UTC",
            },
            created_at=now,
            due_at=now,
        )
        for channel in _channels(of_tenants)
    ]
    Notification.objects.bulk_create(rows)
    ids = [state.pk for several in of_tenants.values() for state in several]
    mark = now if kind is NotificationKind.LATE else None
    EvaluationState.objects.filter(pk__in=ids).update(late_told_at=mark)
    return len(rows)


def _channels(tenant_ids: Iterable[int]) -> Iterable[AlertChannel]:
    """Those of fallbacks; the others are for somebody's own events."""
    found = AlertChannel.objects.filter(tenant__in=list(tenant_ids), routes__is_fallback=True, is_enabled=True)
    return found.distinct().order_by("pk")
