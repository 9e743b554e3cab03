"""What retention looks like: overviews, previews, runs, legal holds and receipts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.config import TenantOverride
from telemetry.core.enums import PrivacyLevel, RetentionPolicy
from telemetry.models import LegalHold, PurgeItem, PurgeRun, Receipt
from telemetry.services.purging.previewing import Preview
from telemetry.services.retention_overview import KeptEvent, RetentionOverview

__all__ = [
    "Approval",
    "HoldItem",
    "HoldPage",
    "HoldQuery",
    "Lifting",
    "NewHold",
    "PreviewAnswer",
    "PreviewRequest",
    "ReceiptFileQuery",
    "ReceiptPage",
    "ReceiptQuery",
    "RetentionAnswer",
    "RunDetail",
    "RunPage",
    "RunQuery",
    "write_hold",
    "write_overview",
    "write_preview",
    "write_receipt",
    "write_run",
    "write_run_detail",
]

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Slug = Annotated[
    str, msgspec.Meta(max_length=128, description="The slug of a tenant; without it, all of the caller's.")
]
Reason = Annotated[str, msgspec.Meta(max_length=400)]


class KeptItem(Shape, frozen=True, kw_only=True):
    """One event: what its config says, and what is stored of it.

    `privacy`, `days` and `policy` are null for what the config has no more. `due` events go with the next run, `held`
    ones would, were they not held.
    """

    event: str
    event_version: int
    privacy: PrivacyLevel | None
    days: int | None
    policy: RetentionPolicy | None
    rows: int
    bytes: int
    first_on: date | None
    last_on: date | None
    due: int
    held: int
    warnings: tuple[str, ...]


class ClassItem(Shape, frozen=True, kw_only=True):
    """What lies in one retention class, by the most days that it is for; 0 is what holds keep."""

    days: int
    rows: int
    bytes: int
    due: int
    held: int


class RetentionAnswer(Shape, frozen=True, kw_only=True):
    """What an installation keeps how long; the next run removes what ended before `cutoff`."""

    cutoff: datetime
    events: tuple[KeptItem, ...]
    classes: tuple[ClassItem, ...]


class PreviewRequest(Shape, frozen=True, kw_only=True):
    """The override that might be published; without one, what holds now."""

    override: TenantOverride | None = None


class PreviewItem(Shape, frozen=True, kw_only=True):
    """What would go of one event at one installation; `isArchived`: into the archive."""

    installation: UUID
    tenant: str
    event: str
    event_version: int
    is_archived: bool
    rows: int
    bytes: int
    held: int
    oldest_on: date
    newest_on: date


class PreviewAnswer(Shape, frozen=True, kw_only=True):
    """What a run that is planned now would remove; `shortenedRows` would stay, and end sooner than they do now."""

    cutoff: datetime
    rows: int
    bytes: int
    held: int
    shortened_rows: int
    items: tuple[PreviewItem, ...]


class RunQuery(PageQuery, frozen=True, kw_only=True):
    """Which runs: those that fit every parameter."""

    tenant: Slug = ""
    state: Literal["waiting", "running", "done", "replaced"] | None = None


class RunItem(Shape, frozen=True, kw_only=True):
    """One run at one tenant: it removes what ended before `cutoff`.

    `whyWaiting` is `large` or `clock`, and empty for runs that did not have to wait. `rows` are gone for good,
    `archivedRows` into the archive. `partitions` counts those that were dropped as a whole.
    """

    id: int
    tenant: str
    state: str
    why_waiting: str
    cutoff: datetime
    planned_at: datetime
    planned_rows: int
    planned_bytes: int
    rows: int
    bytes: int
    archived_rows: int
    held_rows: int
    shortened_rows: int
    partitions: int
    approved_at: datetime | None
    approved_by: str
    finished_at: datetime | None


class RunEvent(Shape, frozen=True, kw_only=True):
    """What the run does to one event of an installation, as planned and as done."""

    installation: UUID
    event: str
    event_version: int
    is_archived: bool
    planned_rows: int
    planned_bytes: int
    rows: int
    archived_rows: int
    held_rows: int
    oldest_on: date | None
    newest_on: date | None


class RunDetail(RunItem, frozen=True, kw_only=True):
    """A run with its events, 1,000 at most, most rows first."""

    events: tuple[RunEvent, ...]


class RunPage(Page[RunItem], frozen=True, kw_only=True):
    """Some of the runs, the newest first."""


class Approval(Shape, frozen=True, kw_only=True):
    """How many events the approver saw that the run removes."""

    expected_rows: Annotated[int, msgspec.Meta(ge=0)]


class HoldQuery(PageQuery, frozen=True, kw_only=True):
    """Which holds: those that fit every parameter."""

    tenant: Slug = ""
    is_active: bool | None = None


class NewHold(Shape, frozen=True, kw_only=True):
    """What is to be held: each part that is given narrows it.

    `subject` is a person's id exactly as apps send it; only its pseudonyms are kept. Events are held that happened, or
    came, within [`startsAt`, `endsAt`).
    """

    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    reason: Reason
    installation: UUID | None = None
    event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    subject: Annotated[str, msgspec.Meta(max_length=512)] = ""
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class HoldItem(Shape, frozen=True, kw_only=True):
    """One legal hold; `bySubject` says that it is about one person, whose id nobody is told."""

    id: int
    tenant: str
    installation: UUID | None
    event: str
    by_subject: bool
    starts_at: datetime | None
    ends_at: datetime | None
    reason: str
    placed_at: datetime
    placed_by: str
    is_active: bool
    lifted_at: datetime | None
    lifted_by: str
    lifted_because: str


class HoldPage(Page[HoldItem], frozen=True, kw_only=True):
    """Some of the holds, the newest first."""


class Lifting(Shape, frozen=True, kw_only=True):
    """Why the hold is not needed any more."""

    because: Reason


class ReceiptQuery(PageQuery, frozen=True, kw_only=True):
    """Which receipts: those that fit every parameter."""

    tenant: Slug = ""
    kind: Annotated[str, msgspec.Meta(max_length=20)] = ""


class ReceiptFileQuery(Shape, frozen=True, kw_only=True):
    """Whose receipts."""

    tenant: Annotated[str, msgspec.Meta(max_length=128, description="The slug of the tenant; it has to be named.")] = ""


class ReceiptItem(Shape, frozen=True, kw_only=True):
    """One receipt; `digest` is its hash, `previous` that of the one before it at the tenant."""

    tenant: str
    sequence: int
    kind: str
    recorded_at: datetime
    actor: str
    facts: dict[str, Any]
    previous: str
    digest: str
    public_key: str
    signature: str


class ReceiptPage(Page[ReceiptItem], frozen=True, kw_only=True):
    """Some of the receipts, the newest first."""


def write_overview(overview: RetentionOverview) -> RetentionAnswer:
    """What is kept how long."""
    return RetentionAnswer(
        cutoff=overview.preview.cutoff,
        events=tuple(map(_kept, overview.events)),
        classes=tuple(
            ClassItem(
                days=int(each.retention_class), rows=each.rows, bytes=each.size_bytes, due=each.due, held=each.held
            )
            for each in overview.classes
        ),
    )


def _kept(event: KeptEvent) -> KeptItem:
    return KeptItem(
        event=event.name,
        event_version=event.version,
        privacy=event.privacy,
        days=event.days,
        policy=event.policy,
        rows=event.rows,
        bytes=event.size_bytes,
        first_on=event.first_on,
        last_on=event.last_on,
        due=event.due,
        held=event.held,
        warnings=event.warnings,
    )


def write_preview(preview: Preview, places: dict[int, tuple[UUID, str]]) -> PreviewAnswer:
    """What would go; ``places`` are the public ids and tenants of the installations."""
    return PreviewAnswer(
        cutoff=preview.cutoff,
        rows=preview.rows,
        bytes=preview.size_bytes,
        held=preview.held,
        shortened_rows=preview.shortened_rows,
        items=tuple(
            PreviewItem(
                installation=places[item.installation_id][0],
                tenant=places[item.installation_id][1],
                event=item.name,
                event_version=item.version,
                is_archived=item.is_archived,
                rows=item.rows,
                bytes=item.size_bytes,
                held=item.held,
                oldest_on=item.oldest.day,
                newest_on=item.newest.day,
            )
            for item in preview.items
        ),
    )


def _run_fields(run: PurgeRun) -> dict[str, Any]:
    row: Any = run  # with the sums of telemetry.selectors.retention.purge_runs
    return {
        "id": run.pk,
        "tenant": run.tenant.slug,
        "state": run.state,
        "why_waiting": run.why_waiting,
        "cutoff": run.cutoff,
        "planned_at": run.planned_at,
        "planned_rows": run.planned_rows,
        "planned_bytes": run.planned_bytes,
        "rows": row.done_rows,
        "bytes": row.done_bytes,
        "archived_rows": row.archived_rows,
        "held_rows": row.held_rows,
        "shortened_rows": run.shortened_rows,
        "partitions": run.partitions,
        "approved_at": run.approved_at,
        "approved_by": run.approved_by,
        "finished_at": run.finished_at,
    }


def write_run(run: PurgeRun) -> RunItem:
    """A run as ``telemetry.selectors.retention`` finds it."""
    return RunItem(**_run_fields(run))


def write_run_detail(run: PurgeRun, items: list[PurgeItem]) -> RunDetail:
    """A run with its events."""
    return RunDetail(**_run_fields(run), events=tuple(map(_run_event, items)))


def _run_event(item: PurgeItem) -> RunEvent:
    return RunEvent(
        installation=item.installation.public_id,
        event=item.name,
        event_version=item.version,
        is_archived=item.is_archived,
        planned_rows=item.planned_rows,
        planned_bytes=item.planned_bytes,
        rows=item.rows,
        archived_rows=item.archived_rows,
        held_rows=item.held_rows,
        oldest_on=item.oldest_on,
        newest_on=item.newest_on,
    )


def write_hold(hold: LegalHold) -> HoldItem:
    """A hold as ``telemetry.selectors.retention`` finds it."""
    return HoldItem(
        id=hold.pk,
        tenant=hold.tenant.slug,
        installation=None if hold.installation is None else hold.installation.public_id,
        event=hold.event_name,
        by_subject=bool(hold.subjects),
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        reason=hold.reason,
        placed_at=hold.placed_at,
        placed_by=hold.placed_by,
        is_active=hold.is_active,
        lifted_at=hold.lifted_at,
        lifted_by=hold.lifted_by,
        lifted_because=hold.lifted_because,
    )


def write_receipt(row: Receipt) -> ReceiptItem:
    """A receipt as it is kept."""
    return ReceiptItem(
        tenant=row.tenant.slug,
        sequence=row.sequence,
        kind=row.kind,
        recorded_at=row.recorded_at,
        actor=row.actor,
        facts=row.facts,
        previous=row.previous,
        digest=row.digest,
        public_key=row.public_key,
        signature=row.signature,
    )
