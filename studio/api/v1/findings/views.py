"""Privacy findings over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import FINDING_ACCEPTANCE, FINDING_DISMISSAL, FINDING_SNOOZE
from studio.api.v1.findings.serializers import (
    AcceptedFinding,
    DecidedFindings,
    FindingAcceptance,
    FindingDismissal,
    FindingReopening,
    FindingSnooze,
    PrivacyFindingItem,
    PrivacyFindingPage,
    PrivacyFindingQuery,
    filter_of,
    write_finding,
)
from telemetry.selectors.privacy_findings import finding_by_id, findings
from telemetry.services.finding_decisions import accept_finding, dismiss_finding, reopen_finding, snooze_finding
from tenants.actors import require, require_somewhere

__all__ = ["AcceptanceView", "DismissalView", "FindingView", "FindingsView", "ReopeningView", "SnoozeView"]


class FindingsView(ApiView):
    """``/api/v1/privacy-findings``."""

    queries = {"GET": PrivacyFindingQuery}

    @extend_schema(
        operation_id="listPrivacyFindings", parameters=parameters_of(PrivacyFindingQuery), responses=PrivacyFindingPage
    )
    def get(self, request: Request) -> Response:
        """What detectors recognised in events of the tenants in which the caller has a role; the latest first."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, PrivacyFindingQuery)
        return Response(page_of(findings(filter_of(query)), query, write_finding))


class FindingView(ApiView):
    """``/api/v1/privacy-findings/{id}``."""

    @extend_schema(operation_id="getPrivacyFinding", responses=PrivacyFindingItem)
    def get(self, request: Request, finding_id: int) -> Response:
        """One finding. Needs the ability `view` in its tenant."""
        finding = finding_by_id(finding_id)
        require(actor_of(request), "view", finding.tenant_id)
        return Response(write_finding(finding))


class AcceptanceView(ApiView):
    """``/api/v1/privacy-findings/{id}/accept``."""

    @extend_schema(
        operation_id="acceptPrivacyFinding",
        request=FindingAcceptance,
        responses=AcceptedFinding,
        examples=[FINDING_ACCEPTANCE],
    )
    def post(self, request: Request, finding_id: int) -> Response:
        """The draft of the event's spec marks the property as personal and hides it; it takes effect when published.

        Needs the abilities `finding.decide` in the tenant and `spec.edit` in the workspace. 409 `conflict` if no draft
        has the event, or the property's name is not shown.
        """
        actor, finding = actor_of(request), finding_by_id(finding_id)
        require(actor, "finding.decide", finding.tenant_id)
        wanted = decode_body(request, FindingAcceptance)
        event = accept_finding(actor=actor, finding=finding, strategy=wanted.strategy, raise_level=wanted.raise_level)
        answer = AcceptedFinding(
            finding=write_finding(finding_by_id(finding_id)),
            spec=event.spec.name,
            event=event.name,
            event_version=event.version,
        )
        return Response(answer)


class DismissalView(ApiView):
    """``/api/v1/privacy-findings/{id}/dismiss``."""

    @extend_schema(
        operation_id="dismissPrivacyFinding",
        request=FindingDismissal,
        responses=DecidedFindings,
        examples=[FINDING_DISMISSAL],
    )
    def post(self, request: Request, finding_id: int) -> Response:
        """The finding, and the same one of other installations, stays quiet until clearly more is found.

        That is ten times as much, and at least a hundred values more. Needs the ability `finding.decide`.
        """
        actor, finding = actor_of(request), finding_by_id(finding_id)
        require(actor, "finding.decide", finding.tenant_id)
        dismissal = decode_body(request, FindingDismissal)
        decided = dismiss_finding(actor=actor, finding=finding, reason=dismissal.reason)
        return Response(DecidedFindings(finding=write_finding(finding_by_id(finding_id)), decided=decided))


class SnoozeView(ApiView):
    """``/api/v1/privacy-findings/{id}/snooze``."""

    @extend_schema(
        operation_id="snoozePrivacyFinding", request=FindingSnooze, responses=DecidedFindings, examples=[FINDING_SNOOZE]
    )
    def post(self, request: Request, finding_id: int) -> Response:
        """The finding, and the same one of other installations, stays quiet until then.

        Needs the ability `finding.decide`.
        """
        actor, finding = actor_of(request), finding_by_id(finding_id)
        require(actor, "finding.decide", finding.tenant_id)
        snooze = decode_body(request, FindingSnooze)
        decided = snooze_finding(actor=actor, finding=finding, until=snooze.until)
        return Response(DecidedFindings(finding=write_finding(finding_by_id(finding_id)), decided=decided))


class ReopeningView(ApiView):
    """``/api/v1/privacy-findings/{id}/reopen``."""

    @extend_schema(operation_id="reopenPrivacyFinding", request=FindingReopening, responses=DecidedFindings)
    def post(self, request: Request, finding_id: int) -> Response:
        """The finding, and the same one of other installations, waits for a decision again.

        Needs the ability `finding.decide`.
        """
        actor, finding = actor_of(request), finding_by_id(finding_id)
        require(actor, "finding.decide", finding.tenant_id)
        decode_body(request, FindingReopening)
        decided = reopen_finding(actor=actor, finding=finding)
        return Response(DecidedFindings(finding=write_finding(finding_by_id(finding_id)), decided=decided))
