"""What runs look like that hide what was stored openly."""

from datetime import datetime
from uuid import UUID

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.models import RescrubRun
from telemetry.selectors.rescrubs import PLACES

__all__ = ["RescrubDecision", "RescrubItem", "RescrubPage", "RescrubQuery", "write_run"]


class RescrubQuery(PageQuery, frozen=True, kw_only=True):
    """Which part of the list."""


class RescrubDecision(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class RescrubCount(Shape, frozen=True, kw_only=True):
    """How many rows of an event are open in a place, and how many were hidden there.

    `place` is `store`, `archive`, `quarantine`, or `held` for those that a legal hold keeps as they are.
    """

    place: str
    event: str
    found: int
    changed: int


class RescrubItem(Shape, frozen=True, kw_only=True):
    """One run at one installation: counted, then hidden on a person's word, then looked at once more.

    `state` is `counting`, `ready`, `running`, `checking`, `done`, `nothing` or `cancelled`; `reason` is `config` when a
    stricter config asked for it. `trouble` is what stopped the last step, which is tried again.
    """

    id: UUID
    tenant: str
    app: str
    environment: str
    installation: UUID
    state: str
    reason: str
    config_revision: int
    counts: tuple[RescrubCount, ...]
    trouble: str
    asked_by: str
    started_by: str
    created_at: datetime
    counted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class RescrubPage(Page[RescrubItem], frozen=True, kw_only=True):
    """Some of the runs, the newest first."""


def write_run(run: RescrubRun) -> RescrubItem:
    """A run, which comes with installation, tenant and app."""
    installation = run.installation
    counts = [
        RescrubCount(
            place=place,
            event=event,
            found=run.found.get(place, {}).get(event, 0),
            changed=run.changed.get(place, {}).get(event, 0),
        )
        for place in PLACES
        for event in sorted({**run.found.get(place, {}), **run.changed.get(place, {})})
    ]
    return RescrubItem(
        id=run.public_id,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=installation.environment,
        installation=installation.public_id,
        state=run.state,
        reason=run.reason,
        config_revision=run.config_revision,
        counts=tuple(counts),
        trouble=run.trouble,
        asked_by=run.asked_by,
        started_by=run.started_by,
        created_at=run.created_at,
        counted_at=run.counted_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
