"""Reading providers and what they are owed."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Min, QuerySet, Sum

from telemetry.core.errors import NotFound
from telemetry.models import DeliveryRecord, DeliveryState, ProviderRecord
from tenants.models import Installation

__all__ = ["Owed", "deliveries", "delivery_by_id", "named_provider", "owed", "provider_by_id", "providers"]


class Owed(NamedTuple):
    """Events that wait for a provider, since when the oldest does, and events that were given up."""

    waiting: int = 0
    waiting_since: datetime | None = None
    dead: int = 0


def providers(installation: Installation | None = None) -> QuerySet[ProviderRecord]:
    """The providers of the tenants in the context, or of one installation, by tenant, app and name."""
    rows = ProviderRecord.objects.select_related("installation__tenant", "installation__app")
    if installation is not None:
        rows = rows.filter(installation=installation)
    return rows.order_by(
        "installation__tenant__slug", "installation__app__slug", "installation__environment", "name", "pk"
    )


def provider_by_id(public_id: UUID) -> ProviderRecord:
    """The provider with installation, tenant and app; ``NotFound``, also when it is another tenant's."""
    found = providers().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such provider")
    return found


def named_provider(installation: Installation, name: str) -> ProviderRecord:
    """The installation's provider of this name; ``NotFound``."""
    found = providers(installation).filter(name=name).first()
    if found is None:
        raise NotFound("the installation has no provider of this name")
    return found


def owed(provider_ids: list[int]) -> Mapping[int, Owed]:
    """By provider, what it is owed and what was given up; one query."""
    rows = DeliveryRecord.objects.filter(
        provider__in=provider_ids, state__in=(DeliveryState.WAITING, DeliveryState.DEAD)
    )
    found: dict[int, Owed] = {provider_id: Owed() for provider_id in provider_ids}
    counted = rows.order_by().values_list("provider", "state").annotate(Sum("count"), Min("created_at"))
    for provider_id, state, count, since in counted:
        if state == DeliveryState.WAITING:
            found[provider_id] = found[provider_id]._replace(waiting=count, waiting_since=since)
        else:
            found[provider_id] = found[provider_id]._replace(dead=count)
    return found


def deliveries(provider: ProviderRecord, state: DeliveryState | None = None) -> QuerySet[DeliveryRecord]:
    """The provider's deliveries, the newest first; of one state, or those that wait, went and were given up."""
    rows = DeliveryRecord.objects.filter(provider=provider)
    return (rows if state is None else rows.filter(state=state)).order_by("-id")


def delivery_by_id(provider: ProviderRecord, delivery_id: int) -> DeliveryRecord:
    """The provider's delivery with this id; ``NotFound``."""
    found = DeliveryRecord.objects.filter(provider=provider, pk=delivery_id).first()
    if found is None:
        raise NotFound("there is no such delivery")
    return found
