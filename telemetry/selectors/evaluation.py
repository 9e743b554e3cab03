"""Whether anomaly rules are judged in time."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from telemetry.models import EvaluationState
from tenants.models import Installation

__all__ = ["IS_LATE", "LATE_AFTER", "Lateness", "late_states", "lateness"]

# For whoever has a connection and no models: a parameter, the instant before which what is due is late.
IS_LATE: Final = """
SELECT EXISTS (SELECT FROM telemetry_evaluationstate WHERE due_at < %(before)s AND checked_at IS NOT NULL)
    OR EXISTS (
        SELECT FROM tenants_installation installation
        WHERE installation.created_at < %(before)s AND NOT EXISTS (
            SELECT FROM telemetry_evaluationstate state
            WHERE state.installation_id = installation.id AND state.checked_at IS NOT NULL
        )
    )
"""
# Beat ticks twice a minute, and a run takes two minutes at most: after ten, something is wrong.
LATE_AFTER: Final = timedelta(minutes=10)


class Lateness(NamedTuple):
    """How many installations wait to be judged for longer than ten minutes, and since when the longest."""

    installations: int
    since: datetime | None


def late_states(now: datetime) -> QuerySet[EvaluationState]:
    """The states of installations of the context that were judged before and are overdue."""
    return EvaluationState.objects.filter(due_at__lt=now - LATE_AFTER, checked_at__isnull=False)


def lateness(now: datetime | None = None) -> Lateness:
    """Of the installations of the context, those that were never judged included; one query."""
    instant = now or timezone.now()
    late = late_states(instant).order_by().values_list("due_at", flat=True)
    judged = EvaluationState.objects.filter(installation=OuterRef("pk"), checked_at__isnull=False)
    never = Installation.objects.filter(~Exists(judged), Q(created_at__lt=instant - LATE_AFTER)).order_by()
    instants = list(late.union(never.values_list("created_at", flat=True), all=True))
    return Lateness(len(instants), min(instants, default=None))
