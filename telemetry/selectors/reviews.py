"""Reviews of drafts; they belong to the whole workspace, like the specs.

Lists are querysets, not run yet, in the order of their page.
"""

from django.db.models import Count, QuerySet

from telemetry.core.errors import NotFound
from telemetry.models import LIVE_STATES, ReviewComment, ReviewRecord, SpecRecord

__all__ = ["all_reviews", "comments_of", "live_review", "open_reviews", "review_by_id", "reviews_of"]


def all_reviews() -> QuerySet[ReviewRecord]:
    """Every review of every spec, newest first; rows as in ``reviews_of``."""
    return _reviews()


def reviews_of(spec: SpecRecord) -> QuerySet[ReviewRecord]:
    """The reviews of the spec, newest first, each with spec, ``published_as`` and ``comment_count``; one query."""
    return _reviews().filter(spec=spec)


def open_reviews() -> QuerySet[ReviewRecord]:
    """The reviews of all specs that are under way, the oldest first; rows as in ``reviews_of``."""
    return _reviews().filter(state__in=LIVE_STATES).order_by("id")


def live_review(spec: SpecRecord) -> ReviewRecord | None:
    """The review of the spec that is under way, or ``None``; a row as in ``reviews_of``. One query."""
    return _reviews().filter(spec=spec, state__in=LIVE_STATES).order_by().first()


def review_by_id(review_id: int) -> ReviewRecord:
    """The review, a row as in ``reviews_of``; ``NotFound``. One query."""
    review = _reviews().filter(pk=review_id).order_by().first()
    if review is None:
        raise NotFound("there is no such review")
    return review


def comments_of(review: ReviewRecord) -> QuerySet[ReviewComment]:
    """What was said in the review, verdicts included, in the order in which it was said; one query."""
    return ReviewComment.objects.filter(review=review)


def _reviews() -> QuerySet[ReviewRecord]:
    rows = ReviewRecord.objects.select_related("spec", "published_as__based_on")
    rows = rows.defer("published_as__document", "published_as__based_on__document")
    # The model declares the count, so that whoever shows a row may name it.
    return rows.annotate(comment_count=Count("comments")).order_by("-id")  # type: ignore[no-redef]
