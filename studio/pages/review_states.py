"""Where a review is in its life, in words; and what waits for somebody."""

from typing import Final

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from studio import markup
from telemetry.models import ReviewRecord, ReviewState
from tenants.actors import Actor

__all__ = ["review_chip", "waiting_reviews"]

TONES: Final = {
    ReviewState.OPEN: "blue",
    ReviewState.APPROVED: "green",
    ReviewState.CHANGES_REQUESTED: "amber",
    ReviewState.PUBLISHED: "ink",
}
WORDS: Final = {ReviewState.CHANGES_REQUESTED: "changes requested", ReviewState.VOIDED: "void: draft edited"}


def review_chip(state: str, *, named: bool = False) -> SafeString:
    """The state of a review, the same everywhere; ``named`` where other states stand beside it."""
    known = ReviewState(state)
    word = WORDS.get(known, known.value)
    return markup.chip(f"review {word}" if named else word, TONES.get(known, "grey"))


def waiting_reviews(actor: Actor) -> QuerySet[ReviewRecord] | None:
    """The reviews that wait for this person: others' open ones to judge, and approved ones to publish.

    ``None`` for somebody who may do neither.
    """
    judges, publishes = actor.can("review.approve"), actor.can("spec.publish")
    if not judges and not publishes:
        return None
    reviews = ReviewRecord.objects.order_by()
    to_judge = reviews.filter(state=ReviewState.OPEN).exclude(author_id=actor.person_id)
    to_publish = reviews.filter(state=ReviewState.APPROVED)
    return (to_judge | to_publish) if judges and publishes else to_judge if judges else to_publish
