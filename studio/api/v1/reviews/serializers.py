"""What reviews and what is said in them look like."""

from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec

from studio.api.shapes import Page, Shape
from telemetry.core.errors import FieldError
from telemetry.models import ReviewComment, ReviewRecord
from telemetry.services.reviews import PATH_LENGTH, ReviewRights

__all__ = [
    "CommentItem",
    "CommentPage",
    "NewComment",
    "NewReview",
    "Objection",
    "Remark",
    "ReviewDetail",
    "ReviewItem",
    "ReviewPage",
    "write_comment",
    "write_detail",
    "write_review",
]

# The words of the models' ``ReviewState`` and ``Verdict``: Django's kind of enumeration has no JSON schema.
State = Literal["open", "approved", "changes_requested", "withdrawn", "voided", "published"]
Decision = Literal["approved", "changes_requested", "withdrawn"]

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class NewReview(Shape, frozen=True, kw_only=True):
    """Which draft is to be reviewed, by its revision, and what has changed in it, in words."""

    expected_revision: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
    summary: Words


class NewComment(Shape, frozen=True, kw_only=True):
    """A remark about the whole draft, or about the place that ``path`` names: ``events[2].sampling.rate``."""

    text: Words
    path: Annotated[str, msgspec.Meta(max_length=PATH_LENGTH)] = ""


class Remark(Shape, frozen=True, kw_only=True):
    """Words that go with a decision, or none."""

    text: Annotated[str, msgspec.Meta(max_length=4000)]


class Objection(Shape, frozen=True, kw_only=True):
    """What has to change first."""

    text: Words


class ReviewItem(Shape, frozen=True, kw_only=True):
    """A review of one revision of a draft; ``publishedAs`` is the version that it became.

    ``checksum`` is the SHA-256 of the document under review, in hex.
    """

    id: int
    spec: str
    draft_revision: int
    draft_version: int
    checksum: str
    summary: str
    author: str
    state: State
    submitted_at: datetime
    closed_at: datetime | None
    published_as: int | None
    comment_count: int


class ReviewPage(Page[ReviewItem], frozen=True, kw_only=True):
    """Some of the reviews of a spec, newest first."""


class ReviewDetail(Shape, frozen=True, kw_only=True):
    """A review, and what the caller may do in it now; ``approvalObstacle`` says why not approve, empty if they may.

    While the review is under way, ``reasons`` are the places that somebody with the ability
    ``review.approve_personal_data`` has to approve.
    """

    review: ReviewItem
    reasons: tuple[FieldError, ...]
    may_comment: bool
    may_approve: bool
    may_request_changes: bool
    may_withdraw: bool
    approval_obstacle: str


class CommentItem(Shape, frozen=True, kw_only=True):
    """What somebody said in a review; ``verdict`` is what they decided by it, null for a remark."""

    id: int
    author: str
    verdict: Decision | None
    text: str
    path: str
    created_at: datetime


class CommentPage(Page[CommentItem], frozen=True, kw_only=True):
    """Some of what was said in a review, in the order in which it was said."""


def write_review(review: ReviewRecord) -> ReviewItem:
    """A row of ``telemetry.selectors.reviews``."""
    return ReviewItem(
        id=review.pk,
        spec=review.spec.name,
        draft_revision=review.draft_revision,
        draft_version=review.draft_version,
        checksum=review.checksum,
        summary=review.summary,
        author=review.author_label,
        state=cast("State", review.state),
        submitted_at=review.submitted_at,
        closed_at=review.closed_at,
        published_as=None if review.published_as is None else review.published_as.version,
        comment_count=review.comment_count,
    )


def write_detail(review: ReviewRecord, rights: ReviewRights) -> ReviewDetail:
    """A row of ``telemetry.selectors.reviews``, with what the caller may do."""
    allowed = rights._asdict()
    # For callers, the reasons say it all.
    del allowed["need"]
    return ReviewDetail(review=write_review(review), **allowed)


def write_comment(comment: ReviewComment) -> CommentItem:
    """A row of ``telemetry.selectors.reviews.comments_of``."""
    return CommentItem(
        id=comment.pk,
        author=comment.author_label,
        verdict=cast("Decision", comment.verdict) if comment.verdict else None,
        text=comment.text,
        path=comment.path,
        created_at=comment.created_at,
    )
