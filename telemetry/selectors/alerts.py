"""Reading alert channels, routes and notifications, in the context's tenants."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from telemetry.core.errors import NotFound
from telemetry.models import AlertChannel, AlertRoute, Incident, Notification, NotificationState
from tenants.models import Tenant

__all__ = [
    "Pending",
    "channel_by_id",
    "channels",
    "notifications",
    "notifications_by_kind",
    "notifications_of",
    "pending",
    "route_by_id",
    "routes",
]


class Pending(NamedTuple):
    """How many notifications wait for a channel, since when, how many were given up, and how many are gathered."""

    waiting: int = 0
    waiting_since: datetime | None = None
    dead: int = 0
    gathered: int = 0


def channels(tenant: Tenant | None = None) -> QuerySet[AlertChannel]:
    """The channels of the context's tenants, or of one of them, by tenant and name, with their tenant."""
    rows = AlertChannel.objects.select_related("tenant")
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    return rows.order_by("tenant__slug", "name", "pk")


def channel_by_id(public_id: UUID) -> AlertChannel:
    """The channel with its tenant; ``NotFound``, also when it is another tenant's."""
    found = channels().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such alert channel")
    return found


def routes(channel: AlertChannel | None = None) -> QuerySet[AlertRoute]:
    """The routes of the context's tenants, or those to one channel, fallbacks last, with all that they name."""
    rows = AlertRoute.objects.select_related("channel", "tenant", "app", "installation__tenant", "installation__app")
    if channel is not None:
        rows = rows.filter(channel=channel)
    return rows.order_by("tenant__slug", "is_fallback", "pk")


def route_by_id(route_id: int) -> AlertRoute:
    """The route; ``NotFound``, also when it is another tenant's."""
    found = routes().filter(pk=route_id).first()
    if found is None:
        raise NotFound("there is no such alert route")
    return found


def pending(channel_ids: Collection[int]) -> Mapping[int, Pending]:
    """By channel, what has not got there; one query."""
    found = dict.fromkeys(channel_ids, Pending())
    states = (NotificationState.WAITING, NotificationState.DEAD, NotificationState.GATHERED)
    rows = Notification.objects.filter(channel__in=channel_ids, state__in=states).order_by()
    for channel_id, state, count, since in rows.values_list("channel", "state").annotate(
        Count("pk"), Min("created_at")
    ):
        known = found[channel_id]
        if state == NotificationState.WAITING:
            found[channel_id] = known._replace(waiting=count, waiting_since=since)
        elif state == NotificationState.DEAD:
            found[channel_id] = known._replace(dead=count)
        else:
            found[channel_id] = known._replace(gathered=count)
    return found


def notifications(channel: AlertChannel, state: NotificationState | None = None) -> QuerySet[Notification]:
    """What the channel was told, the newest first; of one state, or all."""
    rows = Notification.objects.filter(channel=channel).select_related("incident", "digest")
    return (rows if state is None else rows.filter(state=state)).order_by("-id")


def notifications_by_kind() -> Mapping[tuple[str, str], int]:
    """How many notifications wait and were given up, by kind of channel and state; one query."""
    rows = Notification.objects.filter(state__in=(NotificationState.WAITING, NotificationState.DEAD)).order_by()
    counted = rows.values_list("channel__kind", "state").annotate(Count("pk"))
    return {(kind, state): count for kind, state, count in counted}


def notifications_of(incident: Incident, *, limit: int = 50) -> list[Notification]:
    """Who was told of the incident, and who was not, the newest first; one query."""
    rows = Notification.objects.filter(incident=incident).select_related("channel", "digest__channel")
    return list(rows.order_by("-id")[:limit])
