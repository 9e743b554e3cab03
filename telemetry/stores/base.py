"""What an event store does, whichever database it keeps its rows in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from telemetry.core.enums import EventSource, PrivacyLevel

__all__ = ["EventGroup", "EventRow", "EventStore", "EventWindow", "StoredRow", "StoredSize"]


class EventRow(NamedTuple):
    """One redacted event to be kept: the 16 bytes of its UUID, and JSON objects as UTF-8 text."""

    id: bytes
    occurred_at: datetime
    properties: bytes
    context: bytes


class EventGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one batch that share everything but what ``EventRow`` has; most batches are a few groups."""

    name: str
    version: int
    expires_at: datetime
    retention_class: int
    privacy: PrivacyLevel
    source: EventSource
    app_version: str | None
    inclusion_probability: float
    config_revision: int
    rows: list[EventRow]


class EventWindow(NamedTuple):
    """Which events are asked for: received within [start, end), of one name or of all, the newest first."""

    start: datetime
    end: datetime
    name: str | None = None
    version: int | None = None
    limit: int = 100


class StoredRow(NamedTuple):
    """One kept event as it is read."""

    id: UUID
    name: str
    version: int
    received_at: datetime
    occurred_at: datetime
    expires_at: datetime
    retention_class: int
    privacy: str
    source: str
    app_version: str | None
    inclusion_probability: float
    config_revision: int
    properties: dict[str, Any]
    context: dict[str, Any]


class StoredSize(NamedTuple):
    """What one retention class holds, of all tenants; ``rows`` is the database's estimate."""

    retention_class: int
    rows: int
    size_bytes: int


class EventStore(Protocol):
    """Keeps redacted events until their retention ends.

    All calls happen in a tenant context that shows the installation. Nobody reads a row past its ``expires_at``.
    """

    def write(
        self, *, tenant_id: int, installation_id: int, received_at: datetime, groups: Sequence[EventGroup]
    ) -> None:
        """The events are kept once the transaction commits, if there is one; that no id comes twice is the caller's."""

    def read(self, installation_id: int, window: EventWindow) -> list[StoredRow]:
        """The installation's events in the window, the newest first, at most ``window.limit``."""

    def fetch(
        self, installation_id: int, received_at: datetime, names: Sequence[str], ids: Sequence[UUID]
    ) -> list[StoredRow]:
        """The installation's events with these ids and names that were received at this instant, and are still there.

        In the order of ``ids``; those that are gone are left out.
        """

    def counts(self, installation_id: int, start: datetime, end: datetime) -> dict[tuple[str, int], int]:
        """By name and version, how many events received in [start, end) are there, past their day or not."""

    def sizes(self) -> list[StoredSize]:
        """What each class holds, the shortest first and what is held last."""
