"""Submitting drafts for review, talking about them, deciding."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import PageQuery
from studio.api.v1.base import ApiView
from studio.api.v1.examples import REVIEW, REVIEW_COMMENT, REVIEW_OBJECTION, REVIEW_REMARK
from studio.api.v1.reviews.serializers import (
    CommentItem,
    CommentPage,
    NewComment,
    NewReview,
    Objection,
    Remark,
    ReviewDetail,
    ReviewItem,
    ReviewPage,
    write_comment,
    write_detail,
    write_review,
)
from telemetry.selectors.reviews import comments_of, review_by_id, reviews_of
from telemetry.selectors.specs import spec_by_name
from telemetry.services.reviews import approve, comment, request_changes, review_rights, submit_for_review, withdraw
from tenants.actors import require

__all__ = [
    "ApprovalView",
    "ChangeRequestView",
    "CommentsView",
    "ReviewView",
    "ReviewsView",
    "WithdrawalView",
]


class ReviewsView(ApiView):
    """``/api/v1/specs/{name}/reviews``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listReviews", parameters=parameters_of(PageQuery), responses=ReviewPage)
    def get(self, request: Request, name: str) -> Response:
        """The reviews of the spec's drafts, newest first. Needs the ability `view` in the workspace."""
        require(actor_of(request), "view")
        query = read_query(request, PageQuery)
        return Response(page_of(reviews_of(spec_by_name(name)), query, write_review))

    @extend_schema(operation_id="submitForReview", request=NewReview, responses={201: ReviewItem}, examples=[REVIEW])
    def post(self, request: Request, name: str) -> Response:
        """The draft, exactly as it is, is open for review; the next edit of the draft makes the review void.

        Needs the ability `spec.edit`. 409 `stale_revision` if the draft was changed since `expectedRevision`,
        `conflict` when it is under review already or nothing has changed since it was published.
        """
        actor = actor_of(request)
        require(actor, "spec.edit")
        new = decode_body(request, NewReview)
        review = submit_for_review(
            actor=actor, spec_name=name, expected_revision=new.expected_revision, summary=new.summary
        )
        headers = {"Location": f"/api/v1/reviews/{review.pk}"}
        return Response(write_review(review_by_id(review.pk)), status=201, headers=headers)


class ReviewView(ApiView):
    """``/api/v1/reviews/{id}``."""

    @extend_schema(operation_id="getReview", responses=ReviewDetail)
    def get(self, request: Request, review_id: int) -> Response:
        """One review, and what the caller may do in it. Needs the ability `view` in the workspace."""
        actor = actor_of(request)
        require(actor, "view")
        review = review_by_id(review_id)
        return Response(write_detail(review, review_rights(actor, review)))


class CommentsView(ApiView):
    """``/api/v1/reviews/{id}/comments``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listComments", parameters=parameters_of(PageQuery), responses=CommentPage)
    def get(self, request: Request, review_id: int) -> Response:
        """What was said in the review, decisions included, in order. Needs the ability `view` in the workspace."""
        require(actor_of(request), "view")
        query = read_query(request, PageQuery)
        return Response(page_of(comments_of(review_by_id(review_id)), query, write_comment))

    @extend_schema(operation_id="comment", request=NewComment, responses={201: CommentItem}, examples=[REVIEW_COMMENT])
    def post(self, request: Request, review_id: int) -> Response:
        """The remark stands in the review, also when that is over. Needs the ability `review.comment`."""
        actor = actor_of(request)
        require(actor, "review.comment")
        new = decode_body(request, NewComment)
        said = comment(actor=actor, review_id=review_id, text=new.text, path=new.path)
        return Response(write_comment(said), status=201)


class ApprovalView(ApiView):
    """``/api/v1/reviews/{id}/approve``."""

    @extend_schema(operation_id="approveReview", request=Remark, responses=ReviewItem, examples=[REVIEW_REMARK])
    def post(self, request: Request, review_id: int) -> Response:
        """The draft under review may be published as it is, as far as the caller is concerned.

        Needs the ability `review.approve`; where personal data changes `review.approve_personal_data`, and never one's
        own changes. 409 `stale_revision` if the draft was edited since, `conflict` if the review is over or the caller
        has approved it already.
        """
        actor = actor_of(request)
        require(actor, "review.approve")
        remark = decode_body(request, Remark)
        approve(actor=actor, review_id=review_id, text=remark.text)
        return Response(write_review(review_by_id(review_id)))


class ChangeRequestView(ApiView):
    """``/api/v1/reviews/{id}/request-changes``."""

    @extend_schema(operation_id="requestChanges", request=Objection, responses=ReviewItem, examples=[REVIEW_OBJECTION])
    def post(self, request: Request, review_id: int) -> Response:
        """The review is over, and approvals in it count no more; the words say what has to change first.

        Needs the ability `review.approve`. 409 as for approving.
        """
        actor = actor_of(request)
        require(actor, "review.approve")
        objection = decode_body(request, Objection)
        request_changes(actor=actor, review_id=review_id, text=objection.text)
        return Response(write_review(review_by_id(review_id)))


class WithdrawalView(ApiView):
    """``/api/v1/reviews/{id}/withdraw``."""

    @extend_schema(operation_id="withdrawReview", request=Remark, responses=ReviewItem, examples=[REVIEW_REMARK])
    def post(self, request: Request, review_id: int) -> Response:
        """The review is over at the wish of whoever submitted it; nobody else may. 409 as for approving."""
        actor = actor_of(request)
        require(actor, "spec.edit")
        remark = decode_body(request, Remark)
        withdraw(actor=actor, review_id=review_id, text=remark.text)
        return Response(write_review(review_by_id(review_id)))
