"""What privacy floors look like, and what another one would do."""

from datetime import datetime

from studio.api.shapes import PageQuery, Shape
from studio.api.v1.specs.impact import ImpactPage
from telemetry.core.config import PrivacyFloor
from tenants.mappers import floor_of
from tenants.models import App, FloorRecord

__all__ = ["FloorImpactPage", "FloorImpactQuery", "FloorItem", "write_floor"]


class FloorItem(Shape, frozen=True, kw_only=True):
    """A floor; ``app`` is null for the organisation's. One that nobody ever saved is empty and has no ``updatedAt``."""

    app: str | None
    floor: PrivacyFloor
    revision: int
    updated_at: datetime | None
    updated_by: str


class FloorImpactQuery(PageQuery, frozen=True, kw_only=True):
    """Which part of the list."""


class FloorImpactPage(ImpactPage, frozen=True, kw_only=True):
    """As for specs; ``unknownEvents`` are forced on or off by the floor and in no installation's spec."""

    unknown_events: tuple[str, ...]


def write_floor(app: App | None, record: FloorRecord | None) -> FloorItem:
    """No query."""
    return FloorItem(
        app=None if app is None else app.slug,
        floor=floor_of(record),
        revision=0 if record is None else record.config_revision,
        updated_at=None if record is None else record.updated_at,
        updated_by="" if record is None else record.updated_by_label,
    )
