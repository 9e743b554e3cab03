"""When a draft needs somebody's approval before it is published, and who may give it.

``STUDIO_REVIEW_REQUIRED`` decides when: ``always``; by default for changes of ``personal_data``, which are changes of
events at level pii or sensitive and whatever protects less than before; ``never``. The first version of a spec is no
exception: what it newly collects is what others should look at. Internal and public changes need nobody else, so that
somebody can work alone. The system itself, which loads the demo, needs no approval.

An approval holds for one revision of the draft. Changes of personal data are approved by privacy officers and admins,
never by somebody who edited the draft since it was last published.
"""

from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from telemetry.core.errors import ApprovalRequired, FieldError, NotAllowed, TelemetryError
from telemetry.core.reviewing import find_personal_data_changes
from telemetry.core.spec import TelemetrySpec
from telemetry.models import LIVE_STATES, ReviewRecord, ReviewState, SpecRecord, SpecVersion
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import live_review
from telemetry.services.privacy_changes import find_loosened
from tenants.actors import Actor
from tenants.models import ActorKind

__all__ = [
    "ApprovalNeed",
    "approval_need",
    "close_review",
    "find_approval_obstacle",
    "find_publication_obstacle",
    "need_of_draft",
    "require_approval",
]


class ApprovalNeed(NamedTuple):
    """What in a draft asks for approval: ``personal`` changes of personal data, and what is ``loosened`` by them.

    Codes are ``personal_data`` and ``loosens``. ``is_required`` says whether publishing waits for the approval, which
    depends on ``STUDIO_REVIEW_REQUIRED`` too.
    """

    personal: tuple[FieldError, ...]
    loosened: tuple[FieldError, ...]
    is_required: bool

    @property
    def reasons(self) -> tuple[FieldError, ...]:
        """Each place once, what protects less first."""
        return tuple(dict.fromkeys((*self.loosened, *self.personal)))

    @property
    def ability(self) -> str:
        """What whoever approves has to have."""
        return "review.approve_personal_data" if self.reasons else "review.approve"


def approval_need(before: TelemetrySpec | None, after: TelemetrySpec) -> ApprovalNeed:
    """What asks for approval when ``after`` follows the version ``before``, ``None`` for the first one; no query."""
    personal = find_personal_data_changes(before, after)
    loosened = () if before is None else find_loosened(before, after)
    mode = settings.STUDIO_REVIEW_REQUIRED
    is_required = mode == "always" or (mode == "personal_data" and bool(personal or loosened))
    return ApprovalNeed(personal, loosened, is_required)


def need_of_draft(state: DraftState) -> ApprovalNeed:
    """What asks for approval in the draft; two queries, none for what was read before."""
    return approval_need(state.newest_spec, state.draft)


def find_publication_obstacle(
    actor: Actor, record: SpecRecord, need: ApprovalNeed, review: ReviewRecord | None
) -> TelemetryError | None:
    """The error with which publishing the draft would fail for want of an approval, or ``None``; no query.

    ``review`` is the one of the spec that is under way.
    """
    if not _asks_for_approval(actor, need) or (review is not None and _approves(review, record)):
        return None
    if need.loosened and not actor.can("privacy.loosen"):
        message = "this version protects less than the one before: that needs the ability privacy.loosen, or a review"
        return NotAllowed(f"{message} that somebody with it has approved", ability="privacy.loosen")
    if need.is_required:
        return _approval_required(record, need)
    return None


def require_approval(actor: Actor, record: SpecRecord, before: TelemetrySpec | None, after: TelemetrySpec) -> None:
    """Return if the locked draft, which says what ``after`` says, may be published as far as approvals go.

    Raises ``ApprovalRequired``, or ``NotAllowed`` for what protects less; see ``find_publication_obstacle``.
    """
    need = approval_need(before, after)
    review = live_review(record) if _asks_for_approval(actor, need) else None
    obstacle = find_publication_obstacle(actor, record, need, review)
    if obstacle is not None:
        raise obstacle


def close_review(record: SpecRecord, version: SpecVersion) -> None:
    """The review that was under way ended with the version; one query."""
    live = ReviewRecord.objects.filter(spec=record, state__in=LIVE_STATES)
    live.update(state=ReviewState.PUBLISHED, closed_at=timezone.now(), published_as=version)


def find_approval_obstacle(
    actor: Actor, record: SpecRecord, review: ReviewRecord, need: ApprovalNeed
) -> TelemetryError | None:
    """The error with which the actor's approval of the draft under review would fail, or ``None``; no query."""
    if not actor.can(need.ability):
        what = "changes of personal data" if need.reasons else "changes"
        return NotAllowed(f"to approve {what} needs the ability {need.ability}", ability=need.ability)
    is_author = bool(actor.person_id) and actor.person_id in {review.author_id, *record.editors}
    if is_author and need.reasons:
        return NotAllowed(
            "you edited this draft or submitted it: changes of personal data need the approval of somebody else",
            ability=need.ability,
        )
    return None


def _asks_for_approval(actor: Actor, need: ApprovalNeed) -> bool:
    return actor.kind != ActorKind.SYSTEM and bool(need.is_required or need.loosened)


def _approves(review: ReviewRecord, record: SpecRecord) -> bool:
    return review.state == ReviewState.APPROVED and review.draft_revision == record.draft_revision


def _approval_required(record: SpecRecord, need: ApprovalNeed) -> ApprovalRequired:
    who = "a privacy officer or admin who did not edit it" if need.reasons else "a publisher, privacy officer or admin"
    message = f"revision {record.draft_revision} of the draft of {record.name} is not approved: submit it for review"
    return ApprovalRequired(f"{message}, so that {who} can approve it", errors=need.reasons)
