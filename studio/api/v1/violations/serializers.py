"""What violations and decisions about them look like."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, Shape
from telemetry.core.enums import ViolationCode
from telemetry.models import ViolationDay, ViolationRecord, ViolationState
from telemetry.selectors.violations import ViolationFilter, ViolationOrder

__all__ = [
    "ViolationDecision",
    "ViolationDetail",
    "ViolationFileQuery",
    "ViolationItem",
    "ViolationPage",
    "ViolationQuery",
    "filter_of",
    "write_detail",
    "write_violation",
]

# The words of the model's ``ViolationState``: Django's kind of enumeration has no JSON schema.
State = Literal["open", "acknowledged", "resolved", "muted"]
Version = Annotated[str, msgspec.Meta(max_length=64)]


class ViolationFileQuery(Shape, frozen=True, kw_only=True):
    """Which violations: those that fit every parameter; without `state`, those that are open or acknowledged."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of an event's name or of a place.")] = ""
    installation: UUID | None = None
    event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    code: ViolationCode | None = None
    app_version: Version = ""
    state: tuple[State, ...] = ()
    seen_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    order: ViolationOrder = "last_seen"


class ViolationQuery(ViolationFileQuery, frozen=True, kw_only=True):
    """Which violations, and which part of them: pages count from 1."""

    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25


class ViolationItem(Shape, frozen=True, kw_only=True):
    """A group of violations: of one event, at one place, of one kind, from one version of the app.

    `event` is empty where the name may be data, `appVersion` where the client says none; where an installation has
    more groups than are kept, `code` is null in the one that counts the rest. `count` is exact and counts no duplicate.
    """

    id: int
    tenant: str
    app: str
    environment: str
    installation: UUID
    event: str
    event_version: int | None
    path: str
    code: ViolationCode | None
    message: str
    app_version: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    state: State
    resolved_in: str
    note: str
    decided_at: datetime | None
    decided_by: str
    reopened_at: datetime | None


class ViolationPage(Page[ViolationItem], frozen=True, kw_only=True):
    """Some of the violations."""


class DayCount(Shape, frozen=True, kw_only=True):
    """How many came on one day, in UTC."""

    day: date
    count: int


class OutlineName(Shape, frozen=True, kw_only=True):
    """What kind of value a name had: its type, its size in characters or entries, and whether the spec declares it."""

    place: Literal["properties", "metadata"]
    name: str
    type: str
    size: int | None
    is_declared: bool


class ViolationDetail(Shape, frozen=True, kw_only=True):
    """A violation, its days with any event, oldest first, and the outline of the first such event, without values.

    `unnamed` counts the names that are not shown, because they may be data.
    """

    violation: ViolationItem
    days: tuple[DayCount, ...]
    outline: tuple[OutlineName, ...]
    unnamed: int


class ViolationDecision(Shape, frozen=True, kw_only=True):
    """What becomes of the violation.

    `resolvedIn` is the version of the app in which it is mended: older ones that still send it leave it resolved.
    `allVersions`: the decision is about all groups that differ by the app's version only.
    """

    state: State
    resolved_in: Version = ""
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    all_versions: bool = False


def filter_of(query: ViolationFileQuery) -> ViolationFilter:
    """The query in the words of the selector."""
    return ViolationFilter(
        text=query.search,
        installation=query.installation,
        event=query.event,
        code="" if query.code is None else query.code.value,
        app_version=query.app_version,
        states=tuple(ViolationState(state) for state in query.state),
        seen_since=query.seen_since,
    )


def write_violation(row: ViolationRecord) -> ViolationItem:
    """A row of ``telemetry.selectors.violations``."""
    installation = row.installation
    return ViolationItem(
        id=row.pk,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=installation.environment,
        installation=installation.public_id,
        event=row.event_name,
        event_version=row.event_version,
        path=row.path,
        code=ViolationCode(row.code) if row.code else None,
        message=row.message,
        app_version=row.app_version,
        count=row.count,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        state=cast("State", row.state),
        resolved_in=row.resolved_in,
        note=row.note,
        decided_at=row.decided_at,
        decided_by=row.decided_by_label,
        reopened_at=row.reopened_at,
    )


def write_detail(row: ViolationRecord) -> ViolationDetail:
    """The row with its days and its sample; one query."""
    days = ViolationDay.objects.filter(violation=row).order_by("day")
    sample: dict[str, Any] = row.sample
    return ViolationDetail(
        violation=write_violation(row),
        days=tuple(DayCount(day=each.day, count=each.count) for each in days),
        outline=tuple(
            OutlineName(
                place=place, name=name, type=shown["type"], size=shown.get("size"), is_declared=shown["declared"]
            )
            for place in ("properties", "metadata")
            for name, shown in sample.get(place, {}).get("names", {}).items()
        ),
        unnamed=sum(part.get("unnamed", 0) for part in sample.values()),
    )
