"""Runs that hide what was stored openly, in words."""

from typing import Final

from django.db.models import QuerySet

from telemetry.models import RescrubRun, RescrubState
from telemetry.selectors.rescrubs import runs_to_decide
from tenants.actors import Actor

__all__ = ["PLACE_WORDS", "RUN_TONES", "waiting_runs"]

RUN_TONES: Final = {
    RescrubState.COUNTING: "blue",
    RescrubState.READY: "amber",
    RescrubState.RUNNING: "blue",
    RescrubState.CHECKING: "blue",
    RescrubState.DONE: "green",
    RescrubState.NOTHING: "green",
    RescrubState.CANCELLED: "grey",
}
PLACE_WORDS: Final = {
    "store": "Stored",
    "archive": "Archived",
    "quarantine": "Held in quarantine",
    "held": "Kept by a legal hold",
}


def waiting_runs(actor: Actor) -> QuerySet[RescrubRun] | None:
    """The runs that wait for this person's decision; ``None`` for who may not decide."""
    return runs_to_decide() if actor.can_somewhere("rescrub.manage") else None
