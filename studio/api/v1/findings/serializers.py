"""What privacy findings and decisions about them look like."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.models import FindingState, PrivacyFinding
from telemetry.selectors.privacy_findings import FindingFilter

__all__ = [
    "AcceptedFinding",
    "DecidedFindings",
    "FindingAcceptance",
    "FindingDismissal",
    "FindingReopening",
    "FindingSnooze",
    "PrivacyFindingItem",
    "PrivacyFindingPage",
    "PrivacyFindingQuery",
    "filter_of",
    "write_finding",
]

# The words of the model's ``FindingState``: Django's kind of enumeration has no JSON schema.
State = Literal["open", "snoozed", "accepted", "dismissed"]


class PrivacyFindingQuery(PageQuery, frozen=True, kw_only=True):
    """Which findings: those that fit every parameter."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of an event's name or of a place.")] = ""
    installation: UUID | None = None
    detector: Detector | None = None
    state: State | None = None


class PrivacyFindingItem(Shape, frozen=True, kw_only=True):
    """What one detector recognised in one property of one event at one installation; never a value.

    `found` of `checked` values, which are some of all. `suggestedLevel` and `suggestedStrategy` are how such a value is
    best protected; an accepted one is hidden from `acceptedVersion` of `acceptedSpec` on.
    """

    id: int
    tenant: str
    app: str
    environment: str
    installation: UUID
    event: str
    event_version: int
    path: str
    detector: Detector
    is_declared: bool
    value_type: PropertyType
    found: int
    checked: int
    app_versions: tuple[str, ...]
    first_seen_at: datetime
    last_seen_at: datetime
    suggested_level: PrivacyLevel
    suggested_strategy: RedactionStrategy
    state: State
    reason: str
    snoozed_until: datetime | None
    accepted_spec: str
    accepted_version: int | None
    decided_at: datetime | None
    decided_by: str
    reopened_at: datetime | None


class PrivacyFindingPage(Page[PrivacyFindingItem], frozen=True, kw_only=True):
    """Some of the findings."""


class FindingAcceptance(Shape, frozen=True, kw_only=True):
    """How the property is to be hidden; without `strategy`, as suggested. `raiseLevel` raises the event's level too."""

    strategy: RedactionStrategy | None = None
    raise_level: bool = False


class AcceptedFinding(Shape, frozen=True, kw_only=True):
    """What was changed: the event of the spec's draft, which is to be published."""

    finding: PrivacyFindingItem
    spec: str
    event: str
    event_version: int


class FindingDismissal(Shape, frozen=True, kw_only=True):
    """Why it is no personal data."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class FindingSnooze(Shape, frozen=True, kw_only=True):
    """Until when it stays quiet, at most 365 days."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]


class FindingReopening(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class DecidedFindings(Shape, frozen=True, kw_only=True):
    """The finding as it is now, and how many were decided with it: the same ones of other installations, and itself."""

    finding: PrivacyFindingItem
    decided: int


def filter_of(query: PrivacyFindingQuery) -> FindingFilter:
    """The query in the words of the selector."""
    return FindingFilter(
        text=query.search,
        installation=query.installation,
        detector=query.detector,
        state=None if query.state is None else FindingState(query.state),
    )


def write_finding(row: PrivacyFinding) -> PrivacyFindingItem:
    """A row of ``telemetry.selectors.privacy_findings``."""
    installation, detector = row.installation, Detector(row.detector)
    return PrivacyFindingItem(
        id=row.pk,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=installation.environment,
        installation=installation.public_id,
        event=row.event_name,
        event_version=row.event_version,
        path=row.path,
        detector=detector,
        is_declared=row.is_declared,
        value_type=PropertyType(row.value_type),
        found=row.found,
        checked=row.checked,
        app_versions=tuple(row.app_versions),
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        suggested_level=SUGGESTIONS[detector].level,
        suggested_strategy=SUGGESTIONS[detector].strategy,
        state=cast("State", row.state),
        reason=row.reason,
        snoozed_until=row.snoozed_until,
        accepted_spec=row.accepted_spec,
        accepted_version=row.accepted_version,
        decided_at=row.decided_at,
        decided_by=row.decided_by_label,
        reopened_at=row.reopened_at,
    )
