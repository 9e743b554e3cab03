"""Events to another studio, as the reports that trackers send."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from telemetry.core.events import Written
from telemetry.core.reports import report_accepted
from telemetry.providers.base import Connection, Delivery, Settings
from telemetry.providers.outgoing.session import GuardedSession

__all__ = ["InternalClient", "InternalSettings"]


class InternalSettings(Settings, frozen=True, kw_only=True):
    """``url`` is the other studio's address, such as https://studio.example.com."""

    url: str


class InternalClient:
    """Posts to the other studio's batch API; ids stay the same, so that it counts each event once."""

    settings_type: ClassVar[type[Settings]] = InternalSettings
    needs_credential: ClassVar[bool] = True
    credential_label: ClassVar[str] = "API key with the scope ingest"
    most_events: ClassVar[int] = 500

    def address_of(self, settings: InternalSettings) -> tuple[str, str]:
        """The address of batches."""
        return "url", f"{settings.url.rstrip('/')}/api/v1/events/batch"

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """The other studio has the events."""
        reports = [
            msgspec.structs.replace(
                report_accepted(Written(dispatch=delivery.dispatch, metrics={}, redacted=delivery.hidden)),
                # A number of our own counter says nothing over there.
                config_revision=0,
            )
            for delivery in deliveries
        ]
        body = msgspec.json.encode({"sentAt": datetime.now(UTC), "events": (), "reports": reports})
        _, address = self.address_of(connection.settings)
        session.post(
            address,
            data=gzip.compress(body),
            headers={
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
                "Authorization": f"Bearer {connection.credential}",
            },
        )
