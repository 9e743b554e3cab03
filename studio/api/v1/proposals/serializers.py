"""What proposals and decisions about them look like."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.proposals import Confidence, Promise
from telemetry.models import Proposal, ProposalEvidence, ProposalStatus
from telemetry.selectors.proposals import ProposalFilter

__all__ = [
    "PatchOperation",
    "ProposalAcceptance",
    "ProposalDetail",
    "ProposalItem",
    "ProposalPage",
    "ProposalQuery",
    "ProposalRejection",
    "ProposalReopening",
    "ProposalSnooze",
    "ProposalTakingBack",
    "filter_of",
    "operations_of",
    "write_detail",
    "write_proposal",
]

# The words of the models' choices: Django's kind of enumeration has no JSON schema.
State = Literal["pending", "snoozed", "accepted", "rejected", "applied"]
Outcome = Literal["", "waiting", "kept", "broken"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class ProposalQuery(PageQuery, frozen=True, kw_only=True):
    """Which proposals: those that fit every parameter; without `state`, those that wait for somebody."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of a title, an event's or spec's name.")] = ""
    rule: Annotated[str, msgspec.Meta(max_length=64)] = ""
    spec: Annotated[str, msgspec.Meta(max_length=128)] = ""
    installation: UUID | None = None
    state: tuple[State, ...] = ()


class PatchOperation(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """One operation of a JSON Patch (RFC 6902); paths are JSON Pointers (RFC 6901)."""

    op: Literal["add", "remove", "replace", "test"]
    path: Annotated[str, msgspec.Meta(max_length=2000)]
    value: Any = msgspec.UNSET


class ProposalItem(Shape, frozen=True, kw_only=True):
    """One cause, and the change that would end it: of the spec, or of one installation's override.

    `patch` changes the canonical document of version `baseVersion`. `strength` is that of all evidence together.
    `outcome` says whether the promise held since the change was published as `appliedVersion`.
    """

    id: int
    rule: str
    spec: str
    event: str
    event_version: int
    subject: str
    tenant: str | None
    app: str | None
    environment: str | None
    installation: UUID | None
    title: str
    summary: str
    rationale: str
    confidence: Confidence
    blockers: tuple[str, ...]
    base_version: int
    patch: tuple[PatchOperation, ...]
    promise: Promise
    strength: float
    state: State
    created_at: datetime
    last_signal_at: datetime
    snoozed_until: datetime | None
    decided_at: datetime | None
    decided_by: str
    reason: str
    is_edited: bool
    applied_at: datetime | None
    applied_version: int | None
    outcome: Outcome
    measured_at: datetime | None
    measured_value: float | None
    measured_sample: int
    taken_back_at: datetime | None


class ProposalPage(Page[ProposalItem], frozen=True, kw_only=True):
    """Some of the proposals."""


class EvidenceItem(Shape, frozen=True, kw_only=True):
    """One source that spoke for the proposal; `installation` is empty where it is no single one's."""

    kind: str
    source: str
    installation: UUID | None
    facts: dict[str, str | float | bool]
    strength: float
    times: int
    first_seen_at: datetime
    last_seen_at: datetime


class ProposalDetail(Shape, frozen=True, kw_only=True):
    """A proposal and its evidence, the strongest first."""

    proposal: ProposalItem
    evidence: tuple[EvidenceItem, ...]


class ProposalAcceptance(Shape, frozen=True, kw_only=True):
    """How a proposal is taken up: `patch` instead of its own; with `publish`, live at once if that is allowed."""

    patch: Annotated[tuple[PatchOperation, ...], msgspec.Meta(max_length=500)] | None = None
    publish: bool = False
    comment: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ProposalRejection(Shape, frozen=True, kw_only=True):
    """Why not."""

    reason: Reason


class ProposalSnooze(Shape, frozen=True, kw_only=True):
    """Until when nobody is asked: 365 days ahead at most."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]


class ProposalReopening(Shape, frozen=True, kw_only=True):
    """Nothing more is to be said: an empty object."""


class ProposalTakingBack(Shape, frozen=True, kw_only=True):
    """Why a published change is undone; with `publish`, at once if that is allowed."""

    reason: Reason
    publish: bool = False


def filter_of(query: ProposalQuery) -> ProposalFilter:
    """The query in the words of the selector."""
    return ProposalFilter(
        text=query.search,
        rule=query.rule,
        spec=query.spec,
        installation=query.installation,
        states=tuple(ProposalStatus(state) for state in query.state),
    )


def operations_of(patch: Sequence[PatchOperation]) -> list[dict[str, Any]]:
    """The patch as plain data; an operation without a value has none."""
    return [cast("dict[str, Any]", msgspec.to_builtins(operation)) for operation in patch]


def write_proposal(row: Proposal) -> ProposalItem:
    """A row of ``telemetry.selectors.proposals``."""
    installation = row.installation
    return ProposalItem(
        id=row.pk,
        rule=row.rule,
        spec=row.spec_name,
        event=row.event_name,
        event_version=row.event_version,
        subject=row.subject,
        tenant=None if installation is None else installation.tenant.slug,
        app=None if installation is None else installation.app.slug,
        environment=None if installation is None else installation.environment,
        installation=None if installation is None else installation.public_id,
        title=row.title,
        summary=row.summary,
        rationale=row.rationale,
        confidence=Confidence(row.confidence),
        blockers=tuple(row.blockers),
        base_version=row.base_version,
        patch=tuple(PatchOperation(**operation) for operation in row.patch),
        promise=msgspec.convert(row.promise, Promise),
        strength=row.strength,
        state=cast("State", row.status),
        created_at=row.created_at,
        last_signal_at=row.last_signal_at,
        snoozed_until=row.snoozed_until,
        decided_at=row.decided_at,
        decided_by=row.decided_by_label,
        reason=row.reason,
        is_edited=row.is_edited,
        applied_at=row.applied_at,
        applied_version=row.applied_version,
        outcome=cast("Outcome", row.outcome),
        measured_at=row.measured_at,
        measured_value=row.measured_value,
        measured_sample=row.measured_sample,
        taken_back_at=row.taken_back_at,
    )


def write_detail(row: Proposal, evidence: Sequence[ProposalEvidence]) -> ProposalDetail:
    """The proposal with its evidence."""
    return ProposalDetail(proposal=write_proposal(row), evidence=tuple(map(_evidence, evidence)))


def _evidence(row: ProposalEvidence) -> EvidenceItem:
    return EvidenceItem(
        kind=row.kind,
        source=row.source,
        installation=None if row.installation is None else row.installation.public_id,
        facts=row.facts,
        strength=row.strength,
        times=row.times,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )
