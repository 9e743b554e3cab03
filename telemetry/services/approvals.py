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
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.models import LIVE_STATES, ReviewRecord, ReviewState, SpecRecord, SpecVersion
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


def need_of_draft(record: SpecRecord) -> ApprovalNeed:
    """What asks for approval in the draft as it is now; four queries."""
    version = SpecVersion.objects.filter(spec=record).order_by("-version").first()
    return approval_need(None if version is None else spec_of_version(version), spec_from_records(record))


def find_publication_obstacle(actor: Actor, record: SpecRecord, need: ApprovalNeed) -> TelemetryError | None:
    """The error with which publishing the draft would fail for want of an approval, or ``None``; one query at most."""
    if actor.kind == ActorKind.SYSTEM or not (need.is_required or need.loosened):
        return None
    approved = ReviewRecord.objects.filter(
        spec=record, state=ReviewState.APPROVED, draft_revision=record.draft_revision
    )
    if approved.exists():
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
    obstacle = find_publication_obstacle(actor, record, approval_need(before, after))
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


def _approval_required(record: SpecRecord, need: ApprovalNeed) -> ApprovalRequired:
    who = "a privacy officer or admin who did not edit it" if need.reasons else "a publisher, privacy officer or admin"
    message = f"revision {record.draft_revision} of the draft of {record.name} is not approved: submit it for review"
    return ApprovalRequired(f"{message}, so that {who} can approve it", errors=need.reasons)
