"""How the whole studio does, over all tenants: numbers for its operators, without anybody's name.

The caller opens the context of all tenants.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum

from telemetry.models import DeliveryRecord, DeliveryState, EvaluationState, Incident, IncidentStatus, ProviderRecord
from tenants.models import ConfigReader, ConfigRevisionCounter

__all__ = [
    "Lag",
    "Readers",
    "Waiting",
    "config_readers",
    "evaluation_lag",
    "events_waiting",
    "incidents_by_status",
    "providers_by_state",
]

_OPEN: Final = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MUTED)


class Waiting(NamedTuple):
    """Events that providers of one kind are owed, since when the oldest is, and events that were given up."""

    events: int = 0
    since: datetime | None = None
    dead: int = 0


class Lag(NamedTuple):
    """How many installations should have been judged by now, and for how long the first of them has been due."""

    due: int
    behind: timedelta


class Readers(NamedTuple):
    """Processes that answer configs from memory, and those that have not seen the last change yet.

    One that was killed is counted until somebody publishes.
    """

    all: int
    behind: int


def events_waiting() -> Mapping[str, Waiting]:
    """By kind of provider, those that there are; two queries, each along an index."""
    found: dict[str, Waiting] = {}
    waiting = DeliveryRecord.objects.filter(state=DeliveryState.WAITING).order_by().values_list("provider__kind")
    for kind, events, since in waiting.annotate(Sum("count"), Min("created_at")):
        found[kind] = Waiting(events, since)
    dead = DeliveryRecord.objects.filter(provider=OuterRef("pk"), state=DeliveryState.DEAD).order_by()
    counted = Subquery(dead.values("provider").annotate(events=Sum("count")).values("events"))
    # By provider: there are few of them, and each has an index on its dead letters.
    for kind, events in ProviderRecord.objects.order_by().values_list("kind", counted):
        before = found.get(kind, Waiting())
        found[kind] = before._replace(dead=before.dead + (events or 0))
    return found


def providers_by_state() -> Mapping[str, int]:
    """How many providers are ``delivering``, ``failing`` or ``off``; one query."""
    states: Counter[str] = Counter(delivering=0, failing=0, off=0)
    for is_enabled, failures in ProviderRecord.objects.order_by().values_list("is_enabled", "failures"):
        states["off" if not is_enabled else "failing" if failures else "delivering"] += 1
    return states


def incidents_by_status() -> Mapping[str, int]:
    """How many incidents are open, acknowledged or muted; one query."""
    rows = Incident.objects.filter(status__in=_OPEN).order_by().values_list("status").annotate(Count("pk"))
    return {status.value: 0 for status in _OPEN} | dict(rows)


def evaluation_lag(now: datetime) -> Lag:
    """How late the judging of anomaly rules is; installations that nobody ever judged count as due only. One query."""
    due = EvaluationState.objects.filter(due_at__lte=now)
    found = due.aggregate(due=Count("pk"), first=Min("due_at", filter=Q(checked_at__isnull=False)))
    return Lag(found["due"], timedelta() if found["first"] is None else now - found["first"])


def config_readers() -> Readers:
    """Who holds a lease to answer configs; one query."""
    last = Subquery(ConfigRevisionCounter.objects.values("value")[:1])
    found = ConfigReader.objects.aggregate(all=Count("pk"), behind=Count("pk", filter=Q(seen__lt=last)))
    return Readers(found["all"], found["behind"])
