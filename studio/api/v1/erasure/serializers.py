"""What erasure requests look like; whom they are about goes in and never comes out."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec
from django.utils import timezone

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.models import ErasureForward, ErasureRequest
from telemetry.providers.erasing import leaves_of
from telemetry.selectors.erasure import PlaceRow, forwards_of, is_overdue, place_rows

__all__ = [
    "ErasureCase",
    "ErasureDeed",
    "ErasureItem",
    "ErasurePage",
    "ErasureQuery",
    "Instant",
    "NewErasure",
    "Pseudonyms",
    "Reference",
    "Slugs",
    "Subjects",
    "write_requests",
]

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
# Longer than any id that is taken, so that the rule that is broken is named by the service.
Text = Annotated[str, msgspec.Meta(max_length=2_000)]
Subjects = Annotated[tuple[Text, ...], msgspec.Meta(max_length=100)]
Pseudonyms = Annotated[tuple[Text, ...], msgspec.Meta(max_length=1_000)]
Slugs = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=128)], ...], msgspec.Meta(max_length=1_000)]
Reference = Annotated[str, msgspec.Meta(max_length=64)]
# The words of the models' choices: Django's kind of enumeration has no JSON schema.
State = Literal["counting", "ready", "erasing", "verifying", "forwarding", "held", "done", "cancelled"]
ForwardWord = Literal["waiting", "done", "unsupported", "failed"]


class ErasureQuery(PageQuery, frozen=True, kw_only=True):
    """Which requests; the newest come first."""

    tenant: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    case: UUID | None = None
    state: State | None = None


class NewErasure(Shape, frozen=True, kw_only=True):
    """Whom to erase, and where.

    `subjects` are the ids of one person as apps send them: of users, sessions or devices. They are not stored.
    One of less than 6 characters, 8 digits alone or 16 letters alone is not looked for inside longer texts.
    `pseudonyms` are what another studio calls the person. `tenants` are slugs; without any, all tenants in which the
    caller may do this. `keptAwayUntil` is until when events of the person are not taken in again; without it, for good.
    With `isConfirmed` nobody looks at the count first.
    """

    subjects: Subjects = ()
    pseudonyms: Pseudonyms = ()
    tenants: Slugs = ()
    reference: Reference = ""
    kept_away_until: Instant | None = None
    is_confirmed: bool = False


class ErasureDeed(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class ErasureRows(Shape, frozen=True, kw_only=True):
    """How many rows of a place; `installation` and `event` are `null` and empty where the place has none."""

    place: str
    installation: UUID | None
    event: str
    rows: int


class ErasureProvider(Shape, frozen=True, kw_only=True):
    """A provider that is told too; `unsupported` ones a person has to tell. `error` is a word of ours.

    `leaves` says what of the person such a provider keeps all the same, in words; empty if nothing.
    """

    name: str
    kind: str
    installation: str
    state: ForwardWord
    attempts: int
    error: str
    status: int | None
    settled_at: datetime | None
    leaves: str


class ErasureItem(Shape, frozen=True, kw_only=True):
    """A request at one tenant. `keys` are the pseudonym keys under which the person was looked for.

    `found` is what was counted before anybody confirmed, `erased` what is gone, `left` what the last look found
    afterwards. `receipt` is the number in the tenant's chain of receipts.
    """

    id: UUID
    case: UUID
    tenant: str
    state: State
    reference: str
    keys: int
    found: tuple[ErasureRows, ...]
    erased: tuple[ErasureRows, ...]
    left: tuple[ErasureRows, ...]
    held_by: str
    trouble: str
    providers: tuple[ErasureProvider, ...]
    receipt: int | None
    kept_away_until: datetime | None
    due_on: date
    is_overdue: bool
    created_at: datetime
    created_by: str
    confirmed_at: datetime | None
    confirmed_by: str
    erased_at: datetime | None
    finished_at: datetime | None


class ErasureCase(Shape, frozen=True, kw_only=True):
    """The requests that were entered together, one for each tenant."""

    case: UUID
    requests: tuple[ErasureItem, ...]


class ErasurePage(Page[ErasureItem], frozen=True, kw_only=True):
    """Some of the requests, the newest first."""


def write_requests(rows: Sequence[ErasureRequest]) -> tuple[ErasureItem, ...]:
    """Requests with their tenant and receipt; two queries for all of them."""
    counts = place_rows(*(counted for row in rows for counted in (row.found, row.erased, row.left)))
    forwards = forwards_of([row.pk for row in rows])
    today = timezone.now().date()
    return tuple(
        _write(row, counts[3 * place : 3 * place + 3], forwards[row.pk], today) for place, row in enumerate(rows)
    )


def _write(
    row: ErasureRequest, counts: Sequence[Sequence[PlaceRow]], forwards: Sequence[ErasureForward], today: date
) -> ErasureItem:
    found, erased, left = (tuple(map(_rows, each)) for each in counts)
    return ErasureItem(
        id=row.public_id,
        case=row.case_id,
        tenant=row.tenant.slug,
        state=cast("State", row.state),
        reference=row.reference,
        keys=row.probe_epoch,
        found=found,
        erased=erased,
        left=left,
        held_by=row.held_by,
        trouble=row.trouble,
        providers=tuple(map(_provider, forwards)),
        receipt=None if row.receipt is None else row.receipt.sequence,
        kept_away_until=row.ends_at,
        due_on=row.due_on,
        is_overdue=is_overdue(row, today),
        created_at=row.created_at,
        created_by=row.created_by_label,
        confirmed_at=row.confirmed_at,
        confirmed_by=row.confirmed_by_label,
        erased_at=row.erased_at,
        finished_at=row.finished_at,
    )


def _rows(row: PlaceRow) -> ErasureRows:
    installation = None if row.installation is None else row.installation.public_id
    return ErasureRows(place=row.place, installation=installation, event=row.event, rows=row.rows)


def _provider(row: ErasureForward) -> ErasureProvider:
    return ErasureProvider(
        name=row.name,
        kind=row.kind,
        installation=row.place,
        state=cast("ForwardWord", row.state),
        attempts=row.attempts,
        error=row.error,
        status=row.status,
        settled_at=row.settled_at,
        leaves=leaves_of(row.kind),
    )
