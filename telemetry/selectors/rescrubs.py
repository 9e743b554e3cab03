"""Runs that hide what was stored openly, as lists and pages show them."""

from uuid import UUID

from django.db.models import QuerySet

from telemetry.core.errors import NotFound
from telemetry.models import RescrubRun, RescrubState

__all__ = ["PLACES", "rescrub_by_id", "rescrub_rows", "rescrub_runs", "runs_to_decide"]

# In the order in which people ask about them.
PLACES = ("store", "archive", "quarantine", "held")


def rescrub_runs() -> QuerySet[RescrubRun]:
    """The runs of the context, the newest first, with installation, tenant and app."""
    return RescrubRun.objects.select_related("installation__tenant", "installation__app").order_by("-id")


def runs_to_decide() -> QuerySet[RescrubRun]:
    """Those that wait for a decision."""
    return RescrubRun.objects.filter(state=RescrubState.READY)


def rescrub_by_id(public_id: UUID) -> RescrubRun:
    """The run, with installation, tenant and app; raises ``NotFound`` if the context does not show it."""
    found = rescrub_runs().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such run")
    return found


def rescrub_rows(run: RescrubRun, place: str) -> tuple[int, int]:
    """How many rows in a place the count found, and how many were changed there."""
    return sum(run.found.get(place, {}).values()), sum(run.changed.get(place, {}).values())
