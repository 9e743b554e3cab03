"""Proposals as a list and one by one, and decisions about them."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import (
    PROPOSAL_ACCEPTANCE,
    PROPOSAL_REJECTION,
    PROPOSAL_SNOOZE,
    PROPOSAL_TAKING_BACK,
)
from studio.api.v1.proposals.serializers import (
    ProposalAcceptance,
    ProposalDetail,
    ProposalItem,
    ProposalPage,
    ProposalQuery,
    ProposalRejection,
    ProposalReopening,
    ProposalSnooze,
    ProposalTakingBack,
    filter_of,
    operations_of,
    write_detail,
    write_proposal,
)
from studio.api.v1.what_if import WhatIfAnswer, write_what_if
from telemetry.models import Proposal
from telemetry.selectors.proposals import evidence_of, proposal_by_id, proposals
from telemetry.services.proposals.deciding import (
    accept_proposal,
    reject_proposal,
    reopen_proposal,
    snooze_proposal,
    take_back_proposal,
)
from telemetry.services.proposals.reading import what_if_proposal
from tenants.actors import Actor, require, require_somewhere

__all__ = [
    "ProposalAcceptanceView",
    "ProposalRejectionView",
    "ProposalReopeningView",
    "ProposalSnoozeView",
    "ProposalTakingBackView",
    "ProposalView",
    "ProposalWhatIfView",
    "ProposalsView",
]


class ProposalsView(ApiView):
    """``/api/v1/proposals``."""

    queries = {"GET": ProposalQuery}

    @extend_schema(operation_id="listProposals", parameters=parameters_of(ProposalQuery), responses=ProposalPage)
    def get(self, request: Request) -> Response:
        """The proposals that the caller may see, what spoke last first.

        Those of specs are for people of the whole workspace, those of one installation's config for its tenant's.
        """
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ProposalQuery)
        return Response(page_of(proposals(filter_of(query)), query, write_proposal))


class ProposalView(ApiView):
    """``/api/v1/proposals/{id}``."""

    @extend_schema(operation_id="getProposal", responses=ProposalDetail)
    def get(self, request: Request, proposal_id: int) -> Response:
        """One proposal with its evidence. Needs the ability `view` in its tenant, or in the workspace."""
        proposal = proposal_by_id(proposal_id)
        require(actor_of(request), "view", proposal.tenant_id)
        return Response(write_detail(proposal, evidence_of(proposal)))


class ProposalWhatIfView(ApiView):
    """``/api/v1/proposals/{id}/what-if``."""

    @extend_schema(operation_id="getProposalWhatIf", responses=WhatIfAnswer)
    def get(self, request: Request, proposal_id: int) -> Response:
        """The last days once more, as if the change had been live: nothing is changed by asking.

        Needs the ability `view` in its tenant, or in the workspace. 409 if the change does not fit what holds now.
        """
        proposal = proposal_by_id(proposal_id)
        require(actor_of(request), "view", proposal.tenant_id)
        return Response(write_what_if(what_if_proposal(actor=actor_of(request), proposal=proposal)))


class ProposalAcceptanceView(ApiView):
    """``/api/v1/proposals/{id}/accept``."""

    @extend_schema(
        operation_id="acceptProposal",
        request=ProposalAcceptance,
        responses=ProposalItem,
        examples=[PROPOSAL_ACCEPTANCE],
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """The change is in the draft, which is open for review; or live, with `publish`.

        Needs `proposal.decide`, and `spec.edit` in the workspace or `config.edit` in the tenant; to publish, what
        publishing needs. 409 if it is decided, or the draft holds other changes that would be published with it.
        """
        actor = _allowed(request, proposal_id)
        asked = decode_body(request, ProposalAcceptance)
        patch = None if asked.patch is None else operations_of(asked.patch)
        accept_proposal(actor=actor, proposal_id=proposal_id, patch=patch, publish=asked.publish, comment=asked.comment)
        return _answer(proposal_id)


class ProposalRejectionView(ApiView):
    """``/api/v1/proposals/{id}/reject``."""

    @extend_schema(
        operation_id="rejectProposal", request=ProposalRejection, responses=ProposalItem, examples=[PROPOSAL_REJECTION]
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """The cause stays quiet until its evidence has doubled. Needs `proposal.decide`; 409 if it is decided."""
        actor = _allowed(request, proposal_id)
        asked = decode_body(request, ProposalRejection)
        reject_proposal(actor=actor, proposal_id=proposal_id, reason=asked.reason)
        return _answer(proposal_id)


class ProposalSnoozeView(ApiView):
    """``/api/v1/proposals/{id}/snooze``."""

    @extend_schema(
        operation_id="snoozeProposal", request=ProposalSnooze, responses=ProposalItem, examples=[PROPOSAL_SNOOZE]
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """Nobody is asked until then. Needs `proposal.decide`; 409 if it is decided."""
        actor = _allowed(request, proposal_id)
        asked = decode_body(request, ProposalSnooze)
        snooze_proposal(actor=actor, proposal_id=proposal_id, until=asked.until)
        return _answer(proposal_id)


class ProposalReopeningView(ApiView):
    """``/api/v1/proposals/{id}/reopen``."""

    @extend_schema(operation_id="reopenProposal", request=ProposalReopening, responses=ProposalItem)
    def post(self, request: Request, proposal_id: int) -> Response:
        """A rejected or snoozed one waits again. Needs `proposal.decide`; 409 for others."""
        actor = _allowed(request, proposal_id)
        decode_body(request, ProposalReopening)
        reopen_proposal(actor=actor, proposal_id=proposal_id)
        return _answer(proposal_id)


class ProposalTakingBackView(ApiView):
    """``/api/v1/proposals/{id}/take-back``."""

    @extend_schema(
        operation_id="takeBackProposal",
        request=ProposalTakingBack,
        responses=ProposalItem,
        examples=[PROPOSAL_TAKING_BACK],
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """A published change is undone in the draft, or at once with `publish`; abilities as for accepting it.

        409 if it was not published, or was taken back already.
        """
        actor = _allowed(request, proposal_id)
        asked = decode_body(request, ProposalTakingBack)
        take_back_proposal(actor=actor, proposal_id=proposal_id, reason=asked.reason, publish=asked.publish)
        return _answer(proposal_id)


def _allowed(request: Request, proposal_id: int) -> Actor:
    actor = actor_of(request)
    proposal: Proposal = proposal_by_id(proposal_id)
    require(actor, "proposal.decide", proposal.tenant_id)
    return actor


def _answer(proposal_id: int) -> Response:
    return Response(write_proposal(proposal_by_id(proposal_id)))
