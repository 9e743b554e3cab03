"""Reviews in the admin: the list; each review has a page of its own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.site import site
from studio.pages.review_states import review_chip
from studio.pages.reviews import review_page
from telemetry.models import ReviewRecord
from telemetry.selectors.reviews import all_reviews

__all__ = ["ReviewRecordAdmin"]


@admin.register(ReviewRecord, site=site)
class ReviewRecordAdmin(StudioModelAdmin):
    """What people look at together before it is published."""

    address = "reviews/"
    empty_state = EmptyState(
        "rate_review",
        "No review yet",
        "A draft that changes personal data needs somebody else's approval before it is published. Submit a draft for "
        "review on its page.",
        "See the specs",
        "admin:telemetry_specrecord_changelist",
    )
    list_display = ["title", "state_chip", "summary_text", "submitted", "comments_number"]
    list_filter = [("state", ChoicesDropdownFilter), ("spec", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["spec__name", "spec__title", "summary", "author_label"]
    search_help_text = "Spec, summary or author"
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewRecord]:
        """With the spec and the number of comments."""
        return all_reviews()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of the review instead of a form."""
        # Longer numbers than the column holds are no rows.
        if not object_id.isascii() or not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        return review_page(request, int(object_id))

    @display(description="Review", ordering="spec__name")
    def title(self, review: ReviewRecord) -> SafeString:
        """The spec, and the revision of its draft."""
        return markup.named(review.spec.name, f"revision {review.draft_revision}")

    @display(description="State", ordering="state")
    def state_chip(self, review: ReviewRecord) -> SafeString:
        """Where it is in its life."""
        return review_chip(review.state)

    @display(description="What changes", ordering="summary")
    def summary_text(self, review: ReviewRecord) -> str:
        """In the words of who submitted it."""
        return review.summary

    @display(description="Submitted", ordering="submitted_at")
    def submitted(self, review: ReviewRecord) -> SafeString:
        """When, and by whom."""
        return markup.when_by(review.submitted_at, review.author_label)

    @display(description="Comments", ordering="comment_count")
    def comments_number(self, review: ReviewRecord) -> SafeString:
        """How much was said."""
        return markup.number(review.comment_count)
