"""What exceptions from a privacy floor look like."""

from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from django.utils import timezone

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.config import FloorException
from telemetry.core.enums import Environment
from tenants.mappers import exception_of
from tenants.models import FloorExceptionRecord

__all__ = ["ExceptionItem", "ExceptionPage", "ExceptionQuery", "NewException", "write_exception"]

Slug = Annotated[str, msgspec.Meta(max_length=128)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
State = Literal["planned", "live", "ended", "revoked"]


class ExceptionQuery(PageQuery, frozen=True, kw_only=True):
    """Which exceptions; those that end last come first."""

    tenant: Slug | None = None
    app: Slug | None = None
    state: State | None = None


class NewException(Shape, frozen=True, kw_only=True):
    """What is freed, for whom and how long: ``startsAt`` unset is now, ``endsAt`` at most 90 days after it.

    Without ``environment`` it holds in all of the tenant's for the app. The ``number`` of ``exception`` is for us to
    give.
    """

    tenant: Slug
    app: Slug
    environment: Environment | None = None
    exception: FloorException
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    starts_at: Instant | None = None
    ends_at: Instant


class ExceptionItem(Shape, frozen=True, kw_only=True):
    """An exception. ``endsAt`` of a revoked one is the instant at which it ended, or where it would have started."""

    id: int
    tenant: str
    app: str
    environment: Environment | None
    exception: FloorException
    reason: str
    state: State
    starts_at: datetime
    ends_at: datetime
    granted_by: str
    granted_at: datetime
    revoked_by: str
    revoked_at: datetime | None


class ExceptionPage(Page[ExceptionItem], frozen=True, kw_only=True):
    """Some of the exceptions."""


def write_exception(record: FloorExceptionRecord) -> ExceptionItem:
    """No query if tenant, app and installation were selected with it."""
    return ExceptionItem(
        id=record.pk,
        tenant=record.tenant.slug,
        app=record.app.slug,
        environment=None if record.installation is None else Environment(record.installation.environment),
        exception=exception_of(record),
        reason=record.reason,
        state=cast("State", record.state_at(timezone.now())),
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        granted_by=record.granted_by_label,
        granted_at=record.granted_at,
        revoked_by=record.revoked_by_label,
        revoked_at=record.revoked_at,
    )
