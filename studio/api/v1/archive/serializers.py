"""What archived files look like."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.models import ArchiveFile
from telemetry.selectors.archives import ArchiveFilter, events_in

__all__ = ["ArchiveFileItem", "ArchiveFilePage", "ArchiveFileQuery", "filter_of", "write_file"]


class ArchiveFileQuery(PageQuery, frozen=True, kw_only=True):
    """Which files: those that fit every parameter. Days are of receipt, both included."""

    installation: UUID | None = None
    event: Annotated[str, msgspec.Meta(max_length=200, description="Files that hold events of this name.")] = ""
    since: date | None = None
    until: date | None = None
    state: Annotated[str, msgspec.Meta(pattern="^(verified|kept|restored|replaced|expired)?$")] = ""


class ArchivedEventCount(Shape, frozen=True, kw_only=True):
    """How many events of a name and version a file holds."""

    event: str
    rows: int


class ArchiveFileItem(Shape, frozen=True, kw_only=True):
    """One file: `rowDigest` is that of its rows, `sha256` that of its bytes; it goes at `expiresAt`.

    `kept` files hold the only copy of their events. Those that are `restored`, `replaced` or `expired` are deleted.
    """

    id: UUID
    tenant: str
    app: str
    environment: str
    installation: UUID
    retention_class: int
    starts_on: date
    state: str
    rows: int
    size_bytes: int
    row_digest: str
    sha256: str
    received_from: datetime | None
    received_until: datetime | None
    expires_at: datetime | None
    created_at: datetime
    events: tuple[ArchivedEventCount, ...]


class ArchiveFilePage(Page[ArchiveFileItem], frozen=True, kw_only=True):
    """Some of the files, the newest day first."""


def filter_of(query: ArchiveFileQuery) -> ArchiveFilter:
    """The query in the words of the selector."""
    return ArchiveFilter(
        installation=query.installation,
        event=query.event,
        since=query.since,
        until=query.until,
        state=query.state,
    )


def write_file(file: ArchiveFile) -> ArchiveFileItem:
    """A file, which comes with installation, tenant and app."""
    installation = file.installation
    return ArchiveFileItem(
        id=file.public_id,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=installation.environment,
        installation=installation.public_id,
        retention_class=file.retention_class,
        starts_on=file.starts_on,
        state=file.state,
        rows=file.rows,
        size_bytes=file.size_bytes,
        row_digest=file.row_digest,
        sha256=file.sha256,
        received_from=file.received_from,
        received_until=file.received_until,
        expires_at=file.expires_at,
        created_at=file.created_at,
        events=tuple(ArchivedEventCount(event=event, rows=rows) for event, rows in events_in(file)),
    )
