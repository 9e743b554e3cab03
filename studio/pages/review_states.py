"""Where a review is in its life, in words; and what waits for somebody."""

from typing import Final

from django.utils.safestring import SafeString

from studio import markup
from telemetry.models import ReviewState
from telemetry.selectors.reviews import open_reviews
from tenants.actors import Actor

__all__ = ["count_waiting", "review_chip"]

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


def count_waiting(actor: Actor) -> int:
    """How many reviews wait for this person: others' open ones to judge, and approved ones to publish.

    One query; none for somebody who may do neither.
    """
    judges, publishes = actor.can("review.approve"), actor.can("spec.publish")
    if not judges and not publishes:
        return 0
    reviews = open_reviews().order_by()
    to_judge = reviews.filter(state=ReviewState.OPEN).exclude(author_id=actor.person_id)
    to_publish = reviews.filter(state=ReviewState.APPROVED)
    waiting = (to_judge | to_publish) if judges and publishes else to_judge if judges else to_publish
    return waiting.count()
