"""What access exports look like; whom they are about goes in and never comes out."""

from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from studio.api.shapes import Page, Shape
from studio.api.v1.erasure.serializers import Pseudonyms, Reference, Slugs, Subjects
from telemetry.models import AccessExport

__all__ = ["AccessCase", "AccessDocument", "AccessItem", "AccessPage", "NewAccess", "write_export"]

State = Literal["collecting", "ready", "expired"]


class NewAccess(Shape, frozen=True, kw_only=True):
    """Whose events to put together, and where from; the fields are those of an erasure request."""

    subjects: Subjects = ()
    pseudonyms: Pseudonyms = ()
    tenants: Slugs = ()
    reference: Reference = ""


class AccessItem(Shape, frozen=True, kw_only=True):
    """An export at one tenant. Once it is `ready` it can be downloaded until `expiresAt`."""

    id: UUID
    case: UUID
    tenant: str
    state: State
    reference: str
    keys: int
    events: int
    downloads: int
    due_on: date
    created_at: datetime
    created_by: str
    ready_at: datetime | None
    expires_at: datetime | None


class AccessCase(Shape, frozen=True, kw_only=True):
    """The exports that were asked for together, one for each tenant."""

    case: UUID
    exports: tuple[AccessItem, ...]


class AccessEvent(Shape, frozen=True, kw_only=True):
    """One event of the person as it is kept: in the store, in the archive, or sealed in the quarantine (`sent`)."""

    place: Literal["store", "archive", "quarantine"]
    app: str
    environment: str
    id: UUID
    event: str
    event_version: int | None = None
    occurred_at: datetime | None = None
    received_at: datetime
    expires_at: datetime | None = None
    privacy: str | None = None
    properties: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    refused_for: str | None = None
    sent: dict[str, Any] | None = None


class AccessDocument(Shape, frozen=True, kw_only=True):
    """The file that is downloaded: everything that is kept of one person at one tenant."""

    export: UUID
    tenant: str
    reference: str
    requested_at: datetime
    collected_at: datetime
    event_count: int
    events: tuple[AccessEvent, ...]


class AccessPage(Page[AccessItem], frozen=True, kw_only=True):
    """Some of the exports, the newest first."""


def write_export(row: AccessExport) -> AccessItem:
    """An export with its tenant."""
    return AccessItem(
        id=row.public_id,
        case=row.case_id,
        tenant=row.tenant.slug,
        state=cast("State", row.state),
        reference=row.reference,
        keys=row.probe_epoch,
        events=row.events,
        downloads=row.downloads,
        due_on=row.due_on,
        created_at=row.created_at,
        created_by=row.created_by_label,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
    )
