"""What must be kept of the orders that every client sends, however it writes them."""

from datetime import datetime
from typing import Any

from telemetry.core.enums import EventSource
from telemetry.core.event_ids import kept_id
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.models import StoredEvent
from tenants.pseudonym_key import event_id_secret, installation_pseudonym_key
from tests.studio.api.compat.sending import Shop

__all__ = ["HAPPENED_AT", "ORDER", "PERSON", "assert_order", "kept", "pseudonym"]

PERSON = "alice@example.com"
# Neither now nor long ago: what is not a client's own word for the time would be far from it.
HAPPENED_AT = "2026-11-22T12:34:56.789Z"
ORDER: dict[str, Any] = {
    "orderId": "A-7",
    "total": 12.5,
    "email": PERSON,
    "items": [{"sku": "s-1", "count": 2}],
    "stray": "undeclared",
    "telemetry_event_version": 2,
}


def pseudonym(shop: Shop, raw: str) -> str:
    """What stands for this person, device or session."""
    return pseudonymiser_for(installation_pseudonym_key(shop.installation.tenant)).pseudonym(raw)


def kept(shop: Shop, client_id: str) -> str:
    """The id under which an event with this id is kept."""
    return str(kept_id(client_id, event_id_secret(shop.installation.tenant)))


def assert_order(event: StoredEvent, shop: Shop, source: EventSource, *, person: str = "user-123") -> None:
    """The event is the order: named, dated, versioned, redacted, pseudonymous."""
    assert (event.name, event.version, event.source) == ("Order Completed", 2, source)
    assert event.properties == {
        "orderId": "A-7",
        "total": 12.5,
        "email": pseudonym(shop, PERSON),
        "items": [{"sku": "s-1", "count": 2}],
    }
    assert event.context["userId"] == pseudonym(shop, person)
    # Clocks on one machine do not differ, so the client's word stands.
    assert event.occurred_at == datetime.fromisoformat(HAPPENED_AT)
