"""Letting held events go when their days are over, or when nobody may hold them any longer."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils import timezone

from telemetry.core.errors import Conflict
from telemetry.models import HeldEvent, LegalHold
from telemetry.services.configs import effective_config
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["purge_held_events"]

# What one statement deletes in well under a second.
PORTION: Final = 5_000


def purge_held_events() -> int:
    """Events past their days are gone, and those that the config in force would not hold so long; how many.

    What a legal hold keeps stays.

    A spec that holds them for fewer days, or a floor that forbids it, so has an effect on what is held already. Running
    it twice changes nothing more. Portions of 5,000, each in a transaction of its own.
    """
    gone = 0
    while (portion := _purge_portion()) == PORTION:
        gone += portion
    return gone + portion + sum(_purge_shortened(installation_id) for installation_id in _holding())


def _purge_portion() -> int:
    with tenant_context(ALL):
        expired = _free().filter(expires_at__lte=timezone.now()).order_by("id").values("pk")[:PORTION]
        count, _ = HeldEvent.objects.filter(pk__in=expired).delete()
    return count


def _holding() -> list[int]:
    with tenant_context(ALL):
        return list(HeldEvent.objects.order_by().values_list("installation_id", flat=True).distinct())


def _purge_shortened(installation_id: int) -> int:
    with tenant_context(ALL):
        installation = Installation.objects.select_related("tenant", "app").get(pk=installation_id)
        try:
            days = effective_config(installation).quarantine_days
        except Conflict:
            # No spec is bound any more: nobody says that anything is to be held.
            days = 0
        too_old = timezone.now() - timedelta(days=days)
        count, _ = _free().filter(installation_id=installation_id, received_at__lte=too_old).delete()
    return count


def _free() -> QuerySet[HeldEvent]:
    """What no legal hold keeps.

    When a sealed event happened, nobody can tell without opening it: it may be as long before it came as events are
    taken, and what may have happened in the span of a hold is kept.
    """
    longest = timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS)
    holds = LegalHold.objects.filter(
        Q(installation=None) | Q(installation=OuterRef("installation")),
        Q(event_name="") | Q(event_name=OuterRef("event_name")),
        Q(subjects=[]) | Q(subjects__overlap=OuterRef("subjects")),
        Q(starts_at=None) | Q(starts_at__lte=OuterRef("received_at")),
        Q(ends_at=None) | Q(ends_at__gt=ExpressionWrapper(OuterRef("received_at") - longest, DateTimeField())),
        tenant=OuterRef("tenant"),
        lifted_at=None,
    )
    return HeldEvent.objects.filter(~Exists(holds))
