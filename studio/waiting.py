"""What waits for somebody: counted once for each request, for the side bar and for whoever else asks."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from django.db.models import QuerySet
from django.http import HttpRequest

from studio.pages.erasure_words import waiting_erasures
from studio.pages.finding_words import waiting_findings
from studio.pages.incident_words import waiting_incidents
from studio.pages.proposal_words import waiting_proposals
from studio.pages.purge_words import runs_to_approve
from studio.pages.rescrub_words import waiting_runs
from studio.pages.review_states import waiting_reviews
from studio.people import actor_of
from telemetry.selectors.counting import count_together
from tenants.actors import Actor

__all__ = ["waiting"]

# What waits for this person; ``None`` for who may do nothing about it.
_ROWS: Final[Mapping[str, Callable[[Actor], QuerySet[Any] | None]]] = {
    "erasures": waiting_erasures,
    "findings": waiting_findings,
    "incidents": waiting_incidents,
    "proposals": waiting_proposals,
    "purges": runs_to_approve,
    "rescrubs": waiting_runs,
    "reviews": waiting_reviews,
}
_ATTRIBUTE: Final = "studio_waiting"


def waiting(request: HttpRequest) -> Mapping[str, int]:
    """How many of each in ``_ROWS`` wait for the person, 0 where they may do nothing; one query for each request."""
    found = getattr(request, _ATTRIBUTE, None)
    if found is None:
        actor = actor_of(request)
        rows = {name: some for name, ask in _ROWS.items() if (some := ask(actor)) is not None}
        found = dict.fromkeys(_ROWS, 0) | count_together(rows)
        setattr(request, _ATTRIBUTE, found)
    return cast("Mapping[str, int]", found)
