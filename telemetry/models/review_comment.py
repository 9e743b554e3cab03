"""What somebody said in a review."""

from django.db import models
from django.utils import timezone

from telemetry.models.review_record import ReviewRecord

__all__ = ["ReviewComment", "Verdict"]


class Verdict(models.TextChoices):
    """What a comment decides; most decide nothing."""

    NONE = "", "Comment"
    APPROVED = "approved", "Approved"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ReviewComment(models.Model):
    """One entry in the talk about a review: a remark, or a verdict with or without words.

    The database refuses every update and removal. ``path`` is the place in the draft's document that the remark is
    about (``events[2].sampling.rate``), empty for the whole. ``author_id`` names the person, also when a key of theirs
    did it.
    """

    # Also the index for "what was said in this review".
    review = models.ForeignKey(ReviewRecord, on_delete=models.PROTECT, related_name="comments")
    author_id = models.CharField(max_length=64, blank=True, default="")
    author_label = models.CharField("author", max_length=200)
    verdict = models.CharField(max_length=20, choices=Verdict.choices, blank=True, default=Verdict.NONE)
    text = models.TextField(blank=True, default="", max_length=4000)
    path = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "review comment"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "author_id"],
                condition=models.Q(verdict=Verdict.APPROVED),
                name="telemetry_review_approved_once_by_each",
            ),
            models.CheckConstraint(condition=models.Q(verdict__in=Verdict.values), name="telemetry_comment_verdict"),
            models.CheckConstraint(
                condition=~models.Q(text="") | models.Q(verdict__in=[Verdict.APPROVED, Verdict.WITHDRAWN]),
                name="telemetry_comment_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.author_label}"
