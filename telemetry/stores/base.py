"""What an event store does, whichever database it keeps its rows in."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.stores.removals import Removed

__all__ = [
    "EventGroup",
    "EventRow",
    "EventStore",
    "EventWindow",
    "RemovedRows",
    "RestoredRow",
    "RowChange",
    "RowSelection",
    "RowsDigest",
    "ScannedRow",
    "StoredRow",
    "StoredSize",
]


# One redacted event to be kept: the 16 bytes of its UUID, the instant at which it occurred, and its properties and its
# context, JSON objects as UTF-8 text. A plain tuple: there are many, and a named one takes five times as long to make.
EventRow = tuple[bytes, datetime, bytes, bytes]


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


class RowsDigest(NamedTuple):
    """How many rows there are, and what they say.

    ``digest`` is the SHA-256, in hex, of the rows' own SHA-256 in hex, sorted and strung together; equal for equal rows
    whatever their order. See ``telemetry.stores.digests`` for what of a row goes into it.
    """

    rows: int
    digest: str


class RowSelection(NamedTuple):
    """Events of one installation in one retention class, received within [start, end), past their day or not.

    What a legal hold keeps is never selected.

    ``events`` are names with versions; ``None`` means all. ``expires_by`` leaves out what has to stay after it.
    """

    installation_id: int
    retention_class: int
    start: datetime
    end: datetime
    events: tuple[tuple[str, int], ...] | None = None
    expires_by: datetime | None = None


class RemovedRows(NamedTuple):
    """Rows that were removed: together, and by event and day."""

    digest: RowsDigest
    counts: tuple[Removed, ...]


class RestoredRow(NamedTuple):
    """One event on its way back; JSON objects as UTF-8 text, ``retention_class`` one that has a place for it."""

    id: UUID
    name: str
    version: int
    received_at: datetime
    occurred_at: datetime
    retention_class: int
    privacy: str
    source: str
    app_version: str | None
    inclusion_probability: float
    config_revision: int
    properties: bytes
    context: bytes


class ScannedRow(NamedTuple):
    """One kept event, past its day or not, and whether a legal hold keeps it."""

    row: StoredRow
    is_held: bool


class RowChange(NamedTuple):
    """What becomes of a kept event: JSON objects as UTF-8 text, and its level."""

    row: StoredRow
    properties: bytes
    context: bytes
    privacy: PrivacyLevel


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

    def digest(self, selection: RowSelection) -> RowsDigest:
        """Number and digest of the selected rows."""

    def part_ends(self, selection: RowSelection, *, most: int) -> list[datetime]:
        """Instants within the selection, in order, at which it can be cut into parts of about ``most`` rows."""

    def export(self, selection: RowSelection, *, installation: UUID, target: Path) -> None:
        """``target`` holds the selected rows as CSV without a head, in the columns of ``telemetry.stores.digests``.

        ``installation`` is what stands for the installation in the file. Raises ``OSError`` when the disk is full.
        """

    def remove(self, selection: RowSelection) -> RemovedRows:
        """The selected rows are gone once the transaction commits; what is told of them is of exactly those."""

    def restore(
        self, *, tenant_id: int, installation_id: int, expires_at: datetime, rows: Sequence[RestoredRow]
    ) -> dict[tuple[str, int], int]:
        """Those of the rows that are not there are kept once the transaction commits, until ``expires_at``.

        By name and version, how many that were.
        """

    def names(self, installation_id: int) -> list[str]:
        """The names of what is there of the installation, past its day or not; sorted."""

    def scan(self, installation_id: int, name: str, *, after: tuple[datetime, UUID], limit: int) -> list[ScannedRow]:
        """The next ``limit`` events of this name after an instant of receipt and an id, in their order."""

    def change(self, installation_id: int, changes: Sequence[RowChange]) -> set[UUID]:
        """The events, which have one name, show what the changes say once the transaction commits.

        The ids of those that were still there. Called after ``removals.lock_removals``.
        """

    def sizes(self) -> list[StoredSize]:
        """What each class holds, the shortest first and what is held last."""
