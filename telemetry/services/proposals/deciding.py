"""What people decide about proposals. Nothing is published unless somebody who may says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, FieldError, InvalidDocument, NotFound
from telemetry.core.proposals import JsonPatch, make_patch
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import Proposal, ProposalStatus, SpecRecord
from telemetry.selectors.reviews import live_review
from telemetry.services.drafts import lock_draft, replace_content
from telemetry.services.overrides import publish_override, save_override
from telemetry.services.proposals.changes import changed_override, changed_spec, plain_document, reverse_patch
from telemetry.services.proposals.notices import note_accepted
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import submit_for_review
from telemetry.services.toggles import edited_override
from tenants.actors import Actor, require
from tenants.models import Installation
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import bump

__all__ = [
    "LONGEST_SNOOZE",
    "accept_proposal",
    "reject_proposal",
    "reopen_proposal",
    "snooze_proposal",
    "take_back_proposal",
]

LONGEST_SNOOZE: Final = timedelta(days=365)
_UNDECIDED: Final = (ProposalStatus.PENDING, ProposalStatus.SNOOZED)


@transaction.atomic
def accept_proposal(
    *,
    actor: Actor,
    proposal_id: int,
    patch: Sequence[Mapping[str, Any]] | None = None,
    publish: bool = False,
    comment: str = "",
) -> Proposal:
    """The change is in the draft: of the spec, which is open for review then, or of the installation's override.

    With ``publish`` it is live at once, if the actor may and no approval is needed. ``patch`` is what somebody made of
    the proposal's own. Needs ``proposal.decide``, and ``spec.edit`` in the workspace or ``config.edit`` in the tenant;
    to publish also what publishing needs. Raises ``NotFound``; ``Conflict`` if it was decided already, or if the draft
    holds other changes that would be published with it; ``InvalidDocument`` if the patch does not fit the draft or
    breaks a rule; ``ApprovalRequired``.
    """
    if publish:
        # The counter's lock comes before every other one, here as everywhere.
        bump()
    proposal = _lock(actor, proposal_id, _UNDECIDED)
    operations = list(proposal.patch) if patch is None else [dict(each) for each in patch]
    summary = f"{proposal.title}\n\n{comment or proposal.summary}"
    proposal.status, proposal.is_edited, proposal.snoozed_until = ProposalStatus.ACCEPTED, patch is not None, None
    made = _put(actor, proposal, operations, summary=summary, publish=publish)
    if patch is not None:
        proposal.patch = made
    _decide(proposal, actor, comment)
    _save_decision(proposal)
    note_accepted(proposal, published=publish)
    _record(actor, proposal, "accepted", {"edited": proposal.is_edited, "publish": publish})
    if publish:
        _publish(actor, proposal, summary)
        proposal.refresh_from_db()
    return proposal


@transaction.atomic
def reject_proposal(*, actor: Actor, proposal_id: int, reason: str) -> Proposal:
    """The cause stays quiet until its evidence is clearly stronger than now.

    Needs ``proposal.decide`` in the tenant, or in the workspace. Raises ``NotFound``, ``Conflict`` if it is decided,
    ``InvalidDocument`` without a reason.
    """
    proposal = _lock(actor, proposal_id, _UNDECIDED)
    refuse_errors("decision", text_error("reason", reason, required=True, maximum=2000))
    proposal.status, proposal.snoozed_until = ProposalStatus.REJECTED, None
    proposal.strength_at_decision = proposal.strength
    _decide(proposal, actor, reason)
    _save_decision(proposal)
    _record(actor, proposal, "rejected", {"strength": proposal.strength})
    return proposal


@transaction.atomic
def snooze_proposal(*, actor: Actor, proposal_id: int, until: datetime) -> Proposal:
    """It waits for nobody until that instant, and gathers evidence meanwhile.

    Needs ``proposal.decide`` as above. Raises ``NotFound``, ``Conflict``, and ``InvalidDocument`` if ``until`` is not
    within the next 365 days.
    """
    proposal = _lock(actor, proposal_id, _UNDECIDED)
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        error = FieldError("out_of_range", "until", f"must be within the next {LONGEST_SNOOZE.days} days")
        raise InvalidDocument([error], what="decision")
    proposal.status, proposal.snoozed_until = ProposalStatus.SNOOZED, until
    _decide(proposal, actor, "")
    _save_decision(proposal)
    _record(actor, proposal, "snoozed", {"until": until.isoformat()})
    return proposal


@transaction.atomic
def reopen_proposal(*, actor: Actor, proposal_id: int) -> Proposal:
    """A rejected or snoozed proposal waits for somebody again.

    Needs ``proposal.decide`` as above. Raises ``NotFound``, and ``Conflict`` for others, or when another proposal of
    the same cause is open.
    """
    proposal = _lock(actor, proposal_id, (ProposalStatus.REJECTED, ProposalStatus.SNOOZED))
    newer = Proposal.objects.filter(cause=proposal.cause, pk__gt=proposal.pk)
    if newer.exists():
        raise Conflict("there is a newer proposal of the same cause")
    proposal.status, proposal.snoozed_until, proposal.reopened_at = ProposalStatus.PENDING, None, timezone.now()
    _save_decision(proposal)
    _record(actor, proposal, "reopened", {})
    return proposal


@transaction.atomic
def take_back_proposal(*, actor: Actor, proposal_id: int, reason: str, publish: bool = False) -> Proposal:
    """The published change is undone in the draft, which is open for review, or at once with ``publish``.

    What else changed since stays. Abilities and errors are those of ``accept_proposal``; ``Conflict`` also if it was
    not published, or was taken back already.
    """
    if publish:
        bump()
    proposal = _lock(actor, proposal_id, (ProposalStatus.APPLIED,))
    refuse_errors("decision", text_error("reason", reason, required=True, maximum=2000))
    if proposal.taken_back_at is not None:
        raise Conflict("it was taken back already")
    summary = f"Take back: {proposal.title}\n\n{reason}"
    _put(actor, proposal, reverse_patch(proposal), summary=summary, publish=publish)
    proposal.taken_back_at, proposal.strength_at_decision = timezone.now(), proposal.strength
    _decide(proposal, actor, reason)
    _save_decision(proposal)
    _record(actor, proposal, "taken_back", {"publish": publish})
    if publish:
        _publish(actor, proposal, summary)
        proposal.refresh_from_db()
    return proposal


def _lock(actor: Actor, proposal_id: int, states: Sequence[ProposalStatus]) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",)).select_related("installation__tenant", "installation__app")
    proposal = rows.filter(pk=proposal_id).order_by().first()
    if proposal is None:
        raise NotFound("there is no such proposal")
    require(actor, "proposal.decide", proposal.tenant_id)
    if proposal.status not in states:
        raise Conflict(f"this proposal is {proposal.status} already")
    return proposal


def _put(actor: Actor, proposal: Proposal, patch: JsonPatch, *, summary: str, publish: bool) -> JsonPatch:
    """The draft holds the change; what it changed in the document, in the end."""
    if proposal.installation is not None:
        return _put_override(actor, proposal.installation, patch)
    return _put_spec(actor, proposal, patch, summary=summary, publish=publish)


def _put_spec(actor: Actor, proposal: Proposal, patch: JsonPatch, *, summary: str, publish: bool) -> JsonPatch:
    require(actor, "spec.edit")
    record = lock_draft(proposal.spec_name)
    if publish and record.has_changes:
        raise Conflict("the draft holds other changes, which would be published too: accept it into review instead")
    before = spec_from_records(record)
    after = changed_spec(before, patch)
    if not replace_content(record, after, actor=actor, action="spec.draft.proposal_taken"):
        _refuse_empty(record)
    if not publish and live_review(record) is None:
        submit_for_review(
            actor=actor, spec_name=record.name, expected_revision=record.draft_revision, summary=summary[:4000]
        )
    return _made(before, after)


def _refuse_empty(record: SpecRecord) -> None:
    """Return if the draft has anything that a review could be about."""
    if not record.has_changes:
        raise Conflict(f"{record.name} says so already: nothing is left to change")


def _put_override(actor: Actor, installation: Installation, patch: JsonPatch) -> JsonPatch:
    require(actor, "config.edit", installation.tenant_id)
    edited = edited_override(installation)
    after = changed_override(edited.override, patch)
    save_override(
        actor=actor,
        installation=installation,
        override=after,
        expected_checksum=None if edited.draft is None else edited.draft.checksum,
        deed="Took up a proposal",
    )
    return _made(edited.override, after)


def _made(before: TelemetrySpec | TenantOverride, after: TelemetrySpec | TenantOverride) -> JsonPatch:
    return make_patch(plain_document(before), plain_document(after))


def _publish(actor: Actor, proposal: Proposal, summary: str) -> None:
    if proposal.installation is None:
        record = lock_draft(proposal.spec_name)
        publish_version(
            actor=actor,
            name=record.name,
            expected_revision=record.draft_revision,
            change_summary=summary[:4000],
        )
        return
    edited = edited_override(proposal.installation)
    if edited.draft is None:
        raise Conflict("the installation's draft is gone")
    publish_override(
        actor=actor,
        config=edited.draft,
        change_summary=summary[:4000],
        expected_checksum=edited.draft.checksum,
        expected_published_number=None if edited.live is None else edited.live.number,
    )


def _decide(proposal: Proposal, actor: Actor, reason: str) -> None:
    proposal.decided_at, proposal.decided_by_label = timezone.now(), actor.label[:200]
    proposal.reason = reason.strip()[:2000]


def _save_decision(proposal: Proposal) -> None:
    proposal.save(
        update_fields=[
            "status",
            "is_edited",
            "patch",
            "snoozed_until",
            "reopened_at",
            "taken_back_at",
            "strength_at_decision",
            "decided_at",
            "decided_by_label",
            "reason",
        ]
    )


def _record(actor: Actor, proposal: Proposal, what: str, details: Mapping[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=f"proposal.{what}",
        target=proposal,
        tenant_id=proposal.tenant_id,
        details={"rule": proposal.rule, "spec": proposal.spec_name, "event": proposal.event_name, **details},
    )
