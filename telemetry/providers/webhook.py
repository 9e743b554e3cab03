"""Events to an address of your own, as signed JSON."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from telemetry.providers.base import Connection, Delivery, Settings
from telemetry.providers.outgoing.session import GuardedSession

__all__ = ["SIGNATURE_HEADER", "WebhookClient", "WebhookSettings", "sign", "signed_headers"]

SIGNATURE_HEADER = "Telemetry-Signature"


class WebhookSettings(Settings, frozen=True, kw_only=True):
    """``url`` is called with POST."""

    url: str


class WebhookClient:
    """Posts ``{"origin", "deliveries": [{"deliveryId", "event"}]}``, signed with the credential."""

    settings_type: ClassVar[type[Settings]] = WebhookSettings
    needs_credential: ClassVar[bool] = True
    credential_label: ClassVar[str] = "Signing secret"
    most_events: ClassVar[int] = 200

    def address_of(self, settings: WebhookSettings) -> tuple[str, str]:
        """The address itself."""
        return "url", settings.url

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """The other end has the events."""
        body = msgspec.json.encode(
            {
                "origin": connection.origin._asdict(),
                "deliveries": [{"deliveryId": each.id, "event": each.dispatch} for each in deliveries],
            }
        )
        _, address = self.address_of(connection.settings)
        session.post(
            address,
            data=body,
            # The same id as long as the same events are sent together.
            headers=signed_headers(
                body,
                connection.credential,
                delivery=uuid5(NAMESPACE_URL, "\n".join(str(each.id) for each in deliveries)),
            ),
        )


def signed_headers(body: bytes, secret: str, *, delivery: UUID) -> dict[str, str]:
    """The headers of a message: signed now, and with an id that is the same whenever it is sent."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "telemetry-studio",
        "Telemetry-Delivery": str(delivery),
        SIGNATURE_HEADER: sign(body, secret, at=int(time.time())),
    }


def sign(body: bytes, secret: str, *, at: int) -> str:
    """``t=<at>,v1=<signature>``: HMAC-SHA-256 of the seconds, a dot and the body, in hex.

    The time is signed too, so that a receiver can refuse what somebody recorded and plays back later.
    """
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signature}"
