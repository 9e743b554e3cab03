"""What people look at and say before a draft is published.

A review is of one revision of the draft: whoever edits the draft ends it, and what was approved is what is published.
Each verb is one transaction under the lock of the draft, and leaves its trace. ``telemetry.services.approvals`` says
who may approve, and when publishing waits for it.
"""

from functools import partial
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.utils import timezone

from telemetry.core.codec import checksum, encode_document
from telemetry.core.diff import find_unversioned_breaks
from telemetry.core.errors import Conflict, FieldError, NotAllowed, StaleRevision
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.mappers import spec_from_records
from telemetry.models import (
    ReviewComment,
    ReviewRecord,
    ReviewState,
    SpecRecord,
    SpecVersion,
    Verdict,
    VersionStatus,
)
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import live_review, review_by_id
from telemetry.services.approvals import ApprovalNeed, find_approval_obstacle, need_of_draft
from telemetry.services.comparisons import says_the_same
from telemetry.services.drafts import lock_draft
from telemetry.services.privacy_changes import find_loosened
from tenants.actors import Actor, require
from tenants.services import audit
from tenants.services.checks import line_error, refuse_errors, text_error

__all__ = [
    "PATH_LENGTH",
    "DraftReview",
    "ReviewRights",
    "approve",
    "comment",
    "request_changes",
    "review_draft",
    "review_rights",
    "submit_for_review",
    "withdraw",
]

# The longest place that a comment can be about.
PATH_LENGTH = 500


class DraftReview(NamedTuple):
    """A draft beside the newest frozen version, ``before``, which is ``None`` for the first publication.

    Events are those of the draft, but ``removed``, which only the version before has. ``loosened`` names what protects
    less than before, ``errors`` what keeps the draft from being published. ``has_changes`` says whether publishing
    would make a version that says something new, be it only in another order, or take back what was archived.
    """

    draft: TelemetrySpec
    before: SpecVersion | None
    errors: tuple[FieldError, ...]
    loosened: tuple[FieldError, ...]
    added: tuple[EventDefinition, ...]
    changed: tuple[EventDefinition, ...]
    removed: tuple[EventDefinition, ...]
    meta_changed: bool
    defaults_changed: bool
    has_changes: bool


def review_draft(state: DraftState) -> DraftReview:
    """The review of the spec's draft; two queries, none for what was read before."""
    draft, before, old = state.draft, state.newest, state.newest_spec
    known = {} if old is None else {(event.name, event.version): event for event in old.events}
    kept = {(event.name, event.version) for event in draft.events}
    return DraftReview(
        draft=draft,
        before=before,
        errors=check_spec(draft) + (() if old is None else find_unversioned_breaks(old, draft)),
        loosened=() if old is None else find_loosened(old, draft),
        added=tuple(event for event in draft.events if (event.name, event.version) not in known),
        changed=tuple(event for event in draft.events if _is_changed(known.get((event.name, event.version)), event)),
        removed=tuple(event for identity, event in known.items() if identity not in kept),
        meta_changed=old is not None and msgspec.structs.replace(draft.meta, version=old.meta.version) != old.meta,
        defaults_changed=old is not None and encode_document(draft.config) != encode_document(old.config),
        has_changes=before is None or before.status != VersionStatus.PUBLISHED or not says_the_same(before, draft),
    )


@transaction.atomic
def submit_for_review(*, actor: Actor, spec_name: str, expected_revision: int, summary: str) -> ReviewRecord:
    """The draft, exactly as it is, is open for review; ``summary`` says what changes and why.

    Needs ``spec.edit`` in the workspace. Raises ``UnknownSpec``, ``StaleRevision``, ``InvalidDocument`` without a
    summary, and ``Conflict`` when it is under review already or nothing has changed since it was published.
    """
    require(actor, "spec.edit")
    refuse_errors("review", text_error("summary", summary, required=True))
    record = lock_draft(spec_name, expected_revision)
    if not record.has_changes:
        raise Conflict(f"nothing has changed in the draft of {record.name} since it was published")
    if live_review(record) is not None:
        raise Conflict(f"revision {record.draft_revision} of the draft of {record.name} is under review already")
    review = ReviewRecord.objects.create(
        spec=record,
        draft_revision=record.draft_revision,
        draft_version=record.draft_version,
        checksum=checksum(spec_from_records(record)),
        summary=summary,
        author_id=actor.person_id,
        author_label=actor.label,
    )
    _record(actor, "submitted", review)
    return review


@transaction.atomic
def comment(*, actor: Actor, review_id: int, text: str, path: str = "") -> ReviewComment:
    """The remark stands in the review, about ``path`` in the draft's document or about the whole.

    Also in a review that is over. Needs ``review.comment`` in the workspace. Raises ``NotFound``, ``InvalidDocument``.
    """
    require(actor, "review.comment")
    _refuse_text(text, path, required=True)
    said = _say(actor, review_by_id(review_id), Verdict.NONE, text, path)
    _record(actor, "commented", said.review, comment=said.pk)
    return said


@transaction.atomic
def approve(*, actor: Actor, review_id: int, text: str = "") -> ReviewRecord:
    """The draft under review is approved by the actor, beside others who did; it may be published as it is.

    Needs ``review.approve`` in the workspace, or ``review.approve_personal_data`` where personal data changes, which
    nobody approves who edited the draft since it was last published: ``NotAllowed``. Raises ``NotFound``,
    ``StaleRevision`` if the draft was edited since it was submitted, ``Conflict`` if the review is over or the actor
    has approved it already.
    """
    require(actor, "review.approve")
    _refuse_text(text)
    record, review = _lock_live(review_id)
    obstacle = find_approval_obstacle(actor, record, review, need_of_draft(DraftState(record)))
    if obstacle is not None:
        raise obstacle
    if review.comments.filter(verdict=Verdict.APPROVED, author_id=actor.person_id).exists():
        raise Conflict("you have approved this review already")
    _say(actor, review, Verdict.APPROVED, text)
    review.state = ReviewState.APPROVED
    review.save(update_fields=["state"])
    _record(actor, "approved", review)
    return review


@transaction.atomic
def request_changes(*, actor: Actor, review_id: int, text: str) -> ReviewRecord:
    """The review is over, and an approval of it counts no more: ``text`` says what has to change first.

    Needs ``review.approve`` in the workspace. Raises ``NotFound``, ``InvalidDocument`` without text, and
    ``StaleRevision`` and ``Conflict`` as ``approve`` does.
    """
    require(actor, "review.approve")
    _refuse_text(text, required=True)
    _, review = _lock_live(review_id)
    _say(actor, review, Verdict.CHANGES_REQUESTED, text)
    return _close(actor, review, ReviewState.CHANGES_REQUESTED)


@transaction.atomic
def withdraw(*, actor: Actor, review_id: int, text: str = "") -> ReviewRecord:
    """The review is over at the wish of whoever submitted it; for others ``NotAllowed``.

    Raises ``NotFound``, and ``StaleRevision`` and ``Conflict`` as ``approve`` does.
    """
    require(actor, "spec.edit")
    _refuse_text(text)
    _, review = _lock_live(review_id)
    if not _is_author(actor, review):
        raise NotAllowed("only whoever submitted a review withdraws it; others request changes", ability="spec.edit")
    _say(actor, review, Verdict.WITHDRAWN, text)
    return _close(actor, review, ReviewState.WITHDRAWN)


class ReviewRights(NamedTuple):
    """What one person may do in a review at this moment; ``approval_obstacle`` is why not approve, or empty.

    While the review is under way, ``reasons`` are the places whose approval takes more, and ``need`` all about it.
    """

    may_comment: bool
    may_approve: bool
    may_request_changes: bool
    may_withdraw: bool
    approval_obstacle: str
    reasons: tuple[FieldError, ...] = ()
    need: ApprovalNeed | None = None


def review_rights(actor: Actor, review: ReviewRecord, state: DraftState | None = None) -> ReviewRights:
    """What the actor may do in the review, for showing it; the verbs decide. Up to three queries.

    ``state`` is the reviewed draft, for whoever needs it too.
    """
    may_comment = actor.can("review.comment")
    if not review.is_live:
        return ReviewRights(may_comment, False, False, False, f"the review is over: {review.state}")
    need = need_of_draft(state or DraftState(review.spec))
    obstacle = find_approval_obstacle(actor, review.spec, review, need)
    reason = "" if obstacle is None else obstacle.message
    if obstacle is None and any(map(partial(_is_approval_of, actor), review.comments.all())):
        reason = "you have approved this review already"
    may_withdraw = actor.can("spec.edit") and _is_author(actor, review)
    return ReviewRights(may_comment, not reason, actor.can("review.approve"), may_withdraw, reason, need.reasons, need)


def _is_approval_of(actor: Actor, said: ReviewComment) -> bool:
    return said.verdict == Verdict.APPROVED and said.author_id == actor.person_id


def _is_changed(before: EventDefinition | None, event: EventDefinition) -> bool:
    # By their documents: equal values may still differ in the order of their properties, which people chose.
    return before is not None and encode_document(before) != encode_document(event)


def _lock_live(review_id: int) -> tuple[SpecRecord, ReviewRecord]:
    """Draft and review, which nobody else can change until the transaction ends; the review is of this revision."""
    record = lock_draft(review_by_id(review_id).spec.name)
    # Read again: what was read before the lock may have changed.
    review = review_by_id(review_id)
    if review.state == ReviewState.VOIDED or (review.is_live and review.draft_revision != record.draft_revision):
        raise StaleRevision(
            f"the draft of {record.name} was edited and is at revision {record.draft_revision}; this review was of "
            f"revision {review.draft_revision} and is void: submit the draft again"
        )
    if not review.is_live:
        raise Conflict(f"this review is over: {review.state}")
    return record, review


def _is_author(actor: Actor, review: ReviewRecord) -> bool:
    return actor.person_id == review.author_id


def _refuse_text(text: str, path: str = "", *, required: bool = False) -> None:
    wrong_path = line_error("path", path, maximum=PATH_LENGTH) if path else None
    refuse_errors("comment", text_error("text", text, required=required), wrong_path)


def _say(actor: Actor, review: ReviewRecord, verdict: Verdict, text: str, path: str = "") -> ReviewComment:
    return ReviewComment.objects.create(
        review=review, author_id=actor.person_id, author_label=actor.label, verdict=verdict, text=text, path=path
    )


def _close(actor: Actor, review: ReviewRecord, state: ReviewState) -> ReviewRecord:
    review.state, review.closed_at = state, timezone.now()
    review.save(update_fields=["state", "closed_at"])
    _record(actor, state.value, review)
    return review


def _record(actor: Actor, what: str, review: ReviewRecord, **details: int) -> None:
    shown = {"review": review.pk, "draft_revision": review.draft_revision, **details}
    audit.record(actor=actor, action=f"spec.review.{what}", target=review.spec, details=shown)
