"""The event store of this studio."""

from typing import Final

from telemetry.stores.base import EventStore
from telemetry.stores.postgres import PostgresEventStore

__all__ = ["EVENT_STORE"]

EVENT_STORE: Final[EventStore] = PostgresEventStore()
