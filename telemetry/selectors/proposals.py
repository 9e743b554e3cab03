"""Reading proposals, as far as the context's tenants show them; those of specs are for the whole workspace."""

from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from telemetry.core.errors import NotFound
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import Proposal, ProposalEvidence, ProposalStatus

__all__ = ["ProposalFilter", "evidence_of", "pending_proposals", "proposal_by_id", "proposals"]

WAITING: Final = (ProposalStatus.PENDING,)


class ProposalFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which proposals are looked for; what is empty does not narrow them down.

    ``text`` is part of the title, the event's or the spec's name; ``states`` empty means those that wait for somebody.
    """

    text: str = ""
    rule: str = ""
    spec: str = ""
    installation: UUID | None = None
    states: tuple[ProposalStatus, ...] = ()


def proposals(wanted: ProposalFilter) -> QuerySet[Proposal]:
    """The proposals that are looked for, what spoke last first, with installation, tenant and app."""
    if any(UNUSABLE_CHARACTER.search(text) for text in (wanted.text, wanted.rule, wanted.spec)):
        return Proposal.objects.none()
    found = Proposal.objects.filter(status__in=wanted.states or WAITING)
    if wanted.text:
        named = Q(event_name__icontains=wanted.text) | Q(spec_name__icontains=wanted.text)
        found = found.filter(named | Q(title__icontains=wanted.text))
    if wanted.rule:
        found = found.filter(rule=wanted.rule)
    if wanted.spec:
        found = found.filter(spec_name=wanted.spec)
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    return found.select_related("installation__tenant", "installation__app").order_by("-last_signal_at", "-id")


def proposal_by_id(proposal_id: int) -> Proposal:
    """The proposal, with installation, tenant and app; ``NotFound``, also when the context does not show it."""
    rows = Proposal.objects.select_related("installation__tenant", "installation__app")
    found = rows.filter(pk=proposal_id).order_by().first()
    if found is None:
        raise NotFound("there is no such proposal")
    return found


def evidence_of(proposal: Proposal, *, limit: int = 100) -> list[ProposalEvidence]:
    """What speaks for it, the strongest first, with installation, tenant and app; one query."""
    rows = ProposalEvidence.objects.filter(proposal=proposal).select_related(
        "installation__tenant", "installation__app"
    )
    return list(rows.order_by("-strength", "id")[:limit])


def pending_proposals() -> QuerySet[Proposal]:
    """The proposals that wait for somebody, in no order."""
    return Proposal.objects.filter(status=ProposalStatus.PENDING).order_by()
