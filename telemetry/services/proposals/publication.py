"""What publications do to accepted proposals: those whose change is live are applied, and are measured from then on."""

from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from telemetry.core.config import TenantOverride
from telemetry.core.enums import ViolationCode
from telemetry.core.paths import key_path
from telemetry.core.proposals import Measure, holds_patch
from telemetry.core.spec import TelemetrySpec
from telemetry.models import PrivacyFinding, PromiseState, Proposal, ProposalStatus, ViolationRecord
from telemetry.services.proposals.changes import plain_document
from tenants.mappers import override_of
from tenants.models import Installation
from tenants.selectors import published_config

__all__ = ["counts_of", "note_live_override", "note_live_overrides", "note_published_spec", "violation_code_of"]

_CODES = {
    "undeclared_property_steady": ViolationCode.UNDECLARED_PROPERTY,
    "required_property_missing": ViolationCode.MISSING_REQUIRED,
}


def note_published_spec(spec: TelemetrySpec, *, at: datetime) -> None:
    """Accepted proposals of the spec whose change the new version holds are applied; the others are pending again.

    Called in the transaction of the publication. One query if there are none.
    """
    accepted = Proposal.objects.select_for_update().filter(
        spec_name=spec.meta.name, status=ProposalStatus.ACCEPTED, installation=None
    )
    _settle(accepted, plain_document(spec) if accepted else {}, version=spec.meta.version, at=at)


def note_live_override(installation: Installation, override: TenantOverride, *, number: int, at: datetime) -> None:
    """As ``note_published_spec``, for proposals of the installation whose override went live as version ``number``."""
    accepted = Proposal.objects.select_for_update().filter(installation=installation, status=ProposalStatus.ACCEPTED)
    _settle(accepted, plain_document(override) if accepted else {}, version=number, at=at)


def note_live_overrides(now: datetime) -> None:
    """What planned changes made live meanwhile is noted; one query for each installation with an accepted proposal."""
    waiting = Proposal.objects.filter(status=ProposalStatus.ACCEPTED, installation__isnull=False)
    for proposal in waiting.select_related("installation").order_by("id"):
        assert proposal.installation is not None  # noqa: S101 - filtered
        live = published_config(proposal.installation)
        if live is not None and holds_patch(plain_document(override_of(live)), proposal.patch):
            _apply(proposal, version=live.number, at=now)


def _settle(accepted: QuerySet[Proposal], document: dict[str, object], *, version: int, at: datetime) -> None:
    for proposal in accepted:
        if holds_patch(document, proposal.patch):
            _apply(proposal, version=version, at=at)
        else:
            # Somebody took it out of the draft again: the cause is still there.
            proposal.status, proposal.reopened_at = ProposalStatus.PENDING, at
            proposal.save(update_fields=["status", "reopened_at"])


def _apply(proposal: Proposal, *, version: int, at: datetime) -> None:
    proposal.status, proposal.applied_at, proposal.applied_version = ProposalStatus.APPLIED, at, version
    proposal.outcome, proposal.counts_before = PromiseState.WAITING, counts_of(proposal)
    proposal.save(update_fields=["status", "applied_at", "applied_version", "outcome", "counts_before"])


def counts_of(proposal: Proposal) -> dict[str, int]:
    """The counter by which the promise is measured, if it is one that only ever grows; one query at most."""
    measure = proposal.promise.get("measure")
    where = Q(event_name=proposal.event_name, path=key_path("properties", proposal.subject))
    if proposal.installation_id is not None:
        where &= Q(installation_id=proposal.installation_id)
    if measure == Measure.VIOLATION_SHARE:
        rows = ViolationRecord.objects.filter(where, code=violation_code_of(proposal))
        return {"violations": int(rows.aggregate(total=Sum("count"))["total"] or 0)}
    if measure == Measure.UNHIDDEN_VALUES:
        found = PrivacyFinding.objects.filter(where, event_version=proposal.event_version)
        return {"found": int(found.aggregate(total=Sum("found"))["total"] or 0)}
    return {}


def violation_code_of(proposal: Proposal) -> str:
    """The kind of violation that the proposal is to end; empty for rules that are about none."""
    code = _CODES.get(proposal.rule)
    return "" if code is None else code.value
