"""What specs and their versions look like."""

from datetime import datetime
from typing import Annotated, Final, Literal, cast

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.models import SpecRecord, SpecVersion

__all__ = [
    "SpecItem",
    "SpecPage",
    "SpecPublication",
    "SpecQuery",
    "SpecVersionItem",
    "SpecVersionPage",
    "write_spec",
    "write_version",
]

# The words of the model's ``VersionStatus``: Django's kind of enumeration has no JSON schema.
Status = Literal["published", "superseded", "archived"]

# Each word of ``order`` and the column behind it; there are no others.
SPEC_ORDER: Final = {
    "name": "name",
    "-name": "-name",
    "updatedAt": "updated_at",
    "-updatedAt": "-updated_at",
}


class SpecQuery(PageQuery, frozen=True, kw_only=True):
    """Which specs, and in which order."""

    search: Annotated[str, msgspec.Meta(max_length=128, description="Text that name or title contains.")] = ""
    order: Literal["name", "-name", "updatedAt", "-updatedAt"] = "name"


class SpecItem(Shape, frozen=True, kw_only=True):
    """A spec: its draft in short, and which version is published."""

    name: str
    title: str
    description: str
    domain: str
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    stability: str
    draft_version: int
    draft_revision: int
    event_count: int
    published_version: int | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SpecPage(Page[SpecItem], frozen=True, kw_only=True):
    """Some of the specs."""


class SpecPublication(Shape, frozen=True, kw_only=True):
    """Which draft is to be published, by the revision that was reviewed, and what has changed in it, in words."""

    expected_revision: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
    change_summary: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class SpecVersionItem(Shape, frozen=True, kw_only=True):
    """A frozen version; ``checksum`` is the SHA-256 of its document, in hex."""

    name: str
    version: int
    status: Status
    checksum: str
    change_summary: str
    published_by: str
    published_at: datetime
    based_on: int | None


class SpecVersionPage(Page[SpecVersionItem], frozen=True, kw_only=True):
    """Some of the versions of a spec, newest first."""


def write_spec(record: SpecRecord) -> SpecItem:
    """A row of ``telemetry.selectors.specs.specs_with_status``."""
    return SpecItem(
        name=record.name,
        title=record.title,
        description=record.description,
        domain=record.domain,
        owners=tuple(record.owners),
        tags=tuple(record.tags),
        stability=record.stability,
        draft_version=record.draft_version,
        draft_revision=record.draft_revision,
        event_count=record.event_count,
        published_version=record.published_version,
        published_at=record.published_at,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def write_version(version: SpecVersion) -> SpecVersionItem:
    """A row of ``telemetry.selectors.specs.versions_of``, or a version that was just published."""
    return SpecVersionItem(
        name=version.spec.name,
        version=version.version,
        status=cast("Status", version.status),
        checksum=version.checksum,
        change_summary=version.change_summary,
        published_by=version.published_by_label,
        published_at=version.published_at,
        based_on=None if version.based_on is None else version.based_on.version,
    )
