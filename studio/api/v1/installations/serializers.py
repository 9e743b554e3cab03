"""What installations, and the versions of their overrides, look like."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.config import EffectiveConfig, SpecReference, TenantOverride
from telemetry.core.enums import Environment
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig

__all__ = [
    "ConfigPublication",
    "ConfigRollback",
    "ConfigState",
    "ConfigVersion",
    "ConfigVersionItem",
    "ConfigVersionPage",
    "EffectiveSummary",
    "InstallationItem",
    "InstallationPage",
    "InstallationQuery",
    "summarise",
    "write_config",
    "write_config_item",
    "write_installation",
]

# The words of the model's ``ConfigStatus``: Django's kind of enumeration has no JSON schema.
Status = Literal["draft", "preview", "published", "superseded", "archived"]
Number = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
Summary = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Slug = Annotated[str, msgspec.Meta(max_length=128)]


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

    ``effective`` is null while no published spec is bound; ``problem`` says so then.
    """

    published: ConfigVersion | None
    draft: ConfigVersion | None
    effective: EffectiveSummary | None
    problem: str


class ConfigPublication(Shape, frozen=True, kw_only=True):
    """Which draft or preview goes live, by its checksum as reviewed, and what has changed, in words.

    ``expectedPublishedNumber`` is the version that the reviewer saw as live, null if there was none.
    """

    number: Number
    expected_checksum: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    expected_published_number: Number | None
    change_summary: Summary


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
        status=cast("Status", config.status),
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
