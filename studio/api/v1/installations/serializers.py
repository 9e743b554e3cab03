"""What installations, and the versions of their overrides, look like."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.config import EffectiveConfig, SpecReference, TenantOverride
from telemetry.core.diff import SpecDiff
from telemetry.core.enums import ChangeClass, Environment
from telemetry.core.errors import FieldError
from telemetry.core.override_editing import BulkEdit
from telemetry.services.explanations import LeafExplanation
from telemetry.services.toggles import EventFilter
from tenants.mappers import override_of
from tenants.models import ConfigPeriod, Installation, TenantAppConfig

__all__ = [
    "BulkAnswer",
    "BulkChange",
    "ConfigPreview",
    "ConfigPromotion",
    "ConfigPublication",
    "ConfigRollback",
    "ConfigSchedule",
    "ConfigState",
    "ConfigStateQuery",
    "ConfigVersion",
    "ConfigVersionItem",
    "ConfigVersionPage",
    "EffectiveSummary",
    "InstallationItem",
    "InstallationPage",
    "InstallationQuery",
    "LeftOut",
    "OverrideChangeItem",
    "OverrideDiff",
    "OverrideDiffQuery",
    "PlannedPeriod",
    "PlannedPeriods",
    "PromotionAnswer",
    "PromotionPlan",
    "PromotionQuery",
    "UndoAnswer",
    "summarise",
    "write_config",
    "write_config_item",
    "write_installation",
    "write_left_out",
    "write_override_changes",
    "write_period",
]

# The words of the model's ``ConfigStatus``: Django's kind of enumeration has no JSON schema.
Status = Literal["draft", "preview", "published", "superseded", "archived"]
Number = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
Summary = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Checksum = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Slug = Annotated[str, msgspec.Meta(max_length=128)]


class LeftOut(Shape, frozen=True, kw_only=True):
    """A wish that may not be: its place in the override, the rule, and what is expected."""

    code: str
    path: str
    message: str


class OverrideChangeItem(Shape, frozen=True, kw_only=True):
    """One wish that differs. ``before`` and ``after`` are what holds, the other two what is asked (null: inherited).

    ``rule`` decides ``severity``, ``reason`` says why; ``event`` is the event by name and version, if one.
    """

    path: str
    rule: str
    severity: ChangeClass
    reason: str
    event: str | None
    before: Any
    after: Any
    asked_before: Any
    asked_after: Any


class InstallationQuery(PageQuery, frozen=True, kw_only=True):
    """Which installations; they come by tenant, app and environment."""

    tenant: Slug | None = None
    app: Slug | None = None
    environment: Environment | None = None


class InstallationItem(Shape, frozen=True, kw_only=True):
    """An app at a tenant in an environment."""

    id: UUID
    tenant: str
    app: str
    environment: Environment
    created_at: datetime


class InstallationPage(Page[InstallationItem], frozen=True, kw_only=True):
    """Some of the installations."""


class ConfigVersionItem(Shape, frozen=True, kw_only=True):
    """A version of an installation's override; ``checksum`` is the SHA-256 of its document, in hex."""

    number: int
    status: Status
    checksum: str
    change_summary: str
    based_on: int | None
    created_by: str
    created_at: datetime
    published_by: str
    published_at: datetime | None


class ConfigVersion(ConfigVersionItem, frozen=True, kw_only=True):
    """A version with the override that it holds."""

    override: TenantOverride


class ConfigVersionPage(Page[ConfigVersionItem], frozen=True, kw_only=True):
    """Some of the versions of an installation's override, newest first."""


class EffectiveSummary(Shape, frozen=True, kw_only=True):
    """What holds at an installation, in short. ``missing`` names references that the spec does not have."""

    revision: int
    spec: SpecReference
    enabled: bool
    event_count: int
    enabled_event_count: int
    missing: tuple[str, ...]


class ConfigState(Shape, frozen=True, kw_only=True):
    """An installation's override: what is live, what is being edited, and what follows from it.

    ``effective`` is null while no published spec is bound; ``problem`` says so then. ``explanation`` is null
    without `explain=1`.
    """

    published: ConfigVersion | None
    draft: ConfigVersion | None
    effective: EffectiveSummary | None
    problem: str
    explanation: Mapping[str, LeafExplanation] | None = None


class ConfigStateQuery(Shape, frozen=True, kw_only=True):
    """How much is wanted."""

    explain: Annotated[
        bool, msgspec.Meta(description="1: with the story of each value of the effective config, by its path.")
    ] = False


class ConfigPublication(Shape, frozen=True, kw_only=True):
    """Which draft or preview goes live, by its checksum as reviewed, and what has changed, in words.

    ``expectedPublishedNumber`` is the version that the reviewer saw as live, null if there was none. With ``endsAt`` it
    ends by itself, and what holds without it is live again.
    """

    number: Number
    expected_checksum: Checksum
    expected_published_number: Number | None
    change_summary: Summary
    ends_at: Instant | None = None


class ConfigPreview(Shape, frozen=True, kw_only=True):
    """Which draft becomes final and fetchable by its number, by its checksum as it was seen."""

    number: Number
    expected_checksum: Checksum


class ConfigSchedule(Shape, frozen=True, kw_only=True):
    """Which draft or preview goes live by itself and when, and until when; without an end it stays for good.

    ``expectedPublishedNumber`` is the version that the reviewer saw as live, null if there was none.
    """

    number: Number
    expected_checksum: Checksum
    expected_published_number: Number | None
    change_summary: Summary
    starts_at: Instant
    ends_at: Instant | None = None


class PlannedPeriod(Shape, frozen=True, kw_only=True):
    """When a version starts or ends by itself; without ``endsAt`` it stays for good."""

    id: int
    number: int
    starts_at: datetime
    ends_at: datetime | None
    planned_by: str
    change_summary: str


class PlannedPeriods(Shape, frozen=True, kw_only=True):
    """All that happens by itself at an installation, the first to start first."""

    items: tuple[PlannedPeriod, ...]


class BulkChange(Shape, frozen=True, kw_only=True):
    """One change for every event that the filter lets through."""

    filter: EventFilter = EventFilter()
    change: BulkEdit


class BulkAnswer(Shape, frozen=True, kw_only=True):
    """The draft with the change, the number of events, and the wishes that were left out because they may not be."""

    draft: ConfigVersion
    changed: int
    left_out: tuple[LeftOut, ...]


class UndoAnswer(Shape, frozen=True, kw_only=True):
    """The draft as it was before its last change, and what was undone, in words."""

    draft: ConfigVersion
    undone: str


class ConfigPromotion(Shape, frozen=True, kw_only=True):
    """From which other environment of the same app and tenant, and which version; without one, what is live there."""

    source: UUID = msgspec.field(name="from")
    number: Number | None = None


class PromotionQuery(Shape, frozen=True, kw_only=True):
    """The same, for looking at it first; `from` is required."""

    source: UUID | None = msgspec.field(default=None, name="from")
    number: Number | None = None


class PromotionPlan(Shape, frozen=True, kw_only=True):
    """What would be taken over from version ``number``, what cannot be and why, and what differs from what is live."""

    number: int
    override: TenantOverride
    left_out: tuple[LeftOut, ...]
    changes: tuple[OverrideChangeItem, ...]


class PromotionAnswer(Shape, frozen=True, kw_only=True):
    """The draft with what was taken over, and what could not be."""

    draft: ConfigVersion
    left_out: tuple[LeftOut, ...]


class OverrideDiffQuery(Shape, frozen=True, kw_only=True):
    """Which two versions; one that is left out stands for the app's defaults."""

    before: Number | None = msgspec.field(name="from", default=None)
    after: Number | None = msgspec.field(name="to", default=None)


class OverrideDiff(Shape, frozen=True, kw_only=True):
    """Every wish that differs, judged by what both come to under the spec and the floors of today."""

    changes: tuple[OverrideChangeItem, ...]


class ConfigRollback(Shape, frozen=True, kw_only=True):
    """Which superseded version comes back in place of the one that is live, and why, in words."""

    number: Number
    expected_published_number: Number
    change_summary: Summary


def write_installation(installation: Installation) -> InstallationItem:
    """No query if tenant and app were selected with it."""
    return InstallationItem(
        id=installation.public_id,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=Environment(installation.environment),
        created_at=installation.created_at,
    )


def write_config_item(config: TenantAppConfig) -> ConfigVersionItem:
    """One query unless ``based_on`` was selected with it."""
    return ConfigVersionItem(
        number=config.number,
        status=cast("Status", config.state),
        checksum=config.checksum,
        change_summary=config.change_summary,
        based_on=None if config.based_on is None else config.based_on.number,
        created_by=config.created_by_label,
        created_at=config.created_at,
        published_by=config.published_by_label,
        published_at=config.published_at,
    )


def write_config(config: TenantAppConfig) -> ConfigVersion:
    """The version with its override; queries as for ``write_config_item``."""
    return ConfigVersion(**msgspec.structs.asdict(write_config_item(config)), override=override_of(config))


def write_period(period: ConfigPeriod) -> PlannedPeriod:
    """No query if the version was selected with it."""
    return PlannedPeriod(
        id=period.pk,
        number=period.config.number,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        planned_by=period.planned_by_label,
        change_summary=period.config.change_summary,
    )


def write_left_out(errors: Iterable[FieldError]) -> tuple[LeftOut, ...]:
    """Each wish that may not be."""
    return tuple(LeftOut(code=error.code, path=error.path, message=error.message) for error in errors)


def write_override_changes(diff: SpecDiff) -> tuple[OverrideChangeItem, ...]:
    """Each wish that differs, in the order of the diff."""
    names = OverrideChangeItem.__struct_fields__
    return tuple(OverrideChangeItem(**{name: getattr(change, name) for name in names}) for change in diff.changes)


def summarise(config: EffectiveConfig) -> EffectiveSummary:
    """The effective config in short."""
    return EffectiveSummary(
        revision=config.revision,
        spec=config.spec,
        enabled=config.enabled,
        event_count=len(config.events),
        enabled_event_count=sum(event.enabled for event in config.events),
        missing=config.missing,
    )
