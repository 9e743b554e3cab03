"""Where events that somebody watches were passed on."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from telemetry.models import DeliveryRecord, DeliveryState
from telemetry.selectors.providers import providers
from tenants.models import Installation

__all__ = ["LiveDelivery", "live_deliveries"]

# Rows of each provider and state that are looked through, the newest first. A row has up to a hundred events, so this
# is far more than a page of lines comes from.
MOST_ROWS: Final = 100


class LiveDelivery(NamedTuple):
    """How far one event got with one provider, by its name; ``error`` is a word of ours, empty while all is well."""

    provider: str
    state: DeliveryState
    error: str


def live_deliveries(installation: Installation, event_ids: Collection[UUID]) -> Mapping[UUID, list[LiveDelivery]]:
    """By event, how far it got with each provider that it goes to, by name; none for events of longer ago.

    No query without events, one if the installation has no provider, two otherwise.
    """
    if not event_ids:
        return {}
    names = {provider.pk: provider.name for provider in providers(installation)}
    wanted, found = set(event_ids), defaultdict[UUID, list[LiveDelivery]](list)
    for provider_id, state, error, ids in _newest_rows(list(names)):
        delivery = LiveDelivery(names[provider_id], DeliveryState(state), error)
        for event_id in wanted.intersection(ids):
            found[event_id].append(delivery)
    return {event_id: sorted(deliveries) for event_id, deliveries in found.items()}


def _newest_rows(provider_ids: list[int]) -> Collection[tuple[int, str, str, list[UUID]]]:
    """The newest rows of each provider and state, which its index gives in this order."""
    parts = [
        DeliveryRecord.objects.filter(provider=provider_id, state=state)
        .order_by("-id")
        .values_list("provider", "state", "error", "event_ids")[:MOST_ROWS]
        for provider_id in provider_ids
        for state in DeliveryState
    ]
    return list(parts[0].union(*parts[1:], all=True)) if parts else []
