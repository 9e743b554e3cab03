"""One review of a draft, as it was at one revision."""

from django.db import models
from django.utils import timezone

from telemetry.models.spec_record import SpecRecord
from telemetry.models.spec_version import SpecVersion

__all__ = ["LIVE_STATES", "ReviewRecord", "ReviewState"]


class ReviewState(models.TextChoices):
    """Life of a review: open and approved ones are live, the others are over."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    WITHDRAWN = "withdrawn", "Withdrawn"
    VOIDED = "voided", "Void: the draft was edited"
    PUBLISHED = "published", "Published"


# A tuple of words, as migrations write them down.
LIVE_STATES = (ReviewState.OPEN.value, ReviewState.APPROVED.value)


class ReviewRecord(models.Model):
    """Whether people agree to exactly one ``draft_revision`` of a spec; an edit of the draft ends it.

    Who submitted what is final; ``state``, ``closed_at`` and ``published_as`` are not. ``checksum`` is the SHA-256 of
    the draft's canonical document, in hex, with ``draft_version`` as its version. ``author_id`` names the person, also
    when a key of theirs did it. ``comment_count`` is there when ``selectors.reviews.reviews_of`` gave the row.
    """

    comment_count: int

    # No index of its own: the index below begins with the spec.
    spec = models.ForeignKey(SpecRecord, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    draft_revision = models.PositiveIntegerField()
    draft_version = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64)
    summary = models.TextField(max_length=4000)
    author_id = models.CharField(max_length=64, blank=True, default="")
    author_label = models.CharField("author", max_length=200)
    submitted_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=20, choices=ReviewState.choices, default=ReviewState.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    published_as = models.ForeignKey(SpecVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "review"
        ordering = ["-id"]
        constraints = [
            # Also the index for "the review that is under way".
            models.UniqueConstraint(
                fields=["spec"], condition=models.Q(state__in=LIVE_STATES), name="telemetry_review_one_live"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=ReviewState.values), name="telemetry_review_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LIVE_STATES, closed_at__isnull=True)
                | (~models.Q(state__in=LIVE_STATES) & models.Q(closed_at__isnull=False)),
                name="telemetry_review_closed_when_over",
            ),
        ]
        indexes = [
            # The reviews of a spec, newest first.
            models.Index(fields=["spec", "-id"], name="telemetry_review_by_spec"),
        ]

    def __str__(self) -> str:
        return f"{self.spec.name}, revision {self.draft_revision}"

    @property
    def is_live(self) -> bool:
        """Whether the review is still under way: open, or approved and not published yet."""
        return self.state in LIVE_STATES
