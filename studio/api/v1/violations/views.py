"""Violations over HTTP."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.renderers import CsvRenderer
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import VIOLATION_DECISION
from studio.api.v1.violations.serializers import (
    ViolationDecision,
    ViolationDetail,
    ViolationFileQuery,
    ViolationItem,
    ViolationPage,
    ViolationQuery,
    filter_of,
    write_detail,
    write_violation,
)
from telemetry.models import ViolationState
from telemetry.selectors.violations import violation_by_id, violations
from telemetry.services.violation_export import export_violations
from telemetry.services.violation_states import decide_violation
from tenants.actors import require, require_somewhere

__all__ = ["DecisionView", "ViolationFileView", "ViolationView", "ViolationsView"]


class ViolationsView(ApiView):
    """``/api/v1/violations``."""

    queries = {"GET": ViolationQuery}

    @extend_schema(operation_id="listViolations", parameters=parameters_of(ViolationQuery), responses=ViolationPage)
    def get(self, request: Request) -> Response:
        """How events are not as planned, in the tenants in which the caller has a role; what came last first."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ViolationQuery)
        return Response(page_of(violations(filter_of(query), query.order), query, write_violation))


class ViolationFileView(ApiView):
    """``/api/v1/violations.csv``."""

    renderer_classes = [CsvRenderer]
    queries = {"GET": ViolationFileQuery}

    @extend_schema(
        operation_id="downloadViolations",
        tags=["violations"],
        parameters=parameters_of(ViolationFileQuery),
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """The violations that fit as CSV, 20,000 at most, safe to open in a spreadsheet."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ViolationFileQuery)
        text = export_violations(filter_of(query), query.order)
        headers = {"Content-Disposition": 'attachment; filename="violations.csv"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8; header=present", headers=headers)


class ViolationView(ApiView):
    """``/api/v1/violations/{id}``."""

    @extend_schema(operation_id="getViolation", responses=ViolationDetail)
    def get(self, request: Request, violation_id: int) -> Response:
        """One violation, by day, with the outline of such an event. Needs the ability `view` in its tenant."""
        violation = violation_by_id(violation_id)
        require(actor_of(request), "view", violation.tenant_id)
        return Response(write_detail(violation))


class DecisionView(ApiView):
    """``/api/v1/violations/{id}/decide``."""

    @extend_schema(
        operation_id="decideViolation",
        request=ViolationDecision,
        responses=ViolationItem,
        examples=[VIOLATION_DECISION],
    )
    def post(self, request: Request, violation_id: int) -> Response:
        """The violation is acknowledged, resolved, muted or open again. Needs the ability `violation.decide`.

        A resolved one is open again when it is seen again.
        """
        actor, violation = actor_of(request), violation_by_id(violation_id)
        require(actor, "violation.decide", violation.tenant_id)
        decision = decode_body(request, ViolationDecision)
        decide_violation(
            actor=actor,
            violation=violation,
            state=ViolationState(decision.state),
            resolved_in=decision.resolved_in,
            note=decision.note,
            all_versions=decision.all_versions,
        )
        return Response(write_violation(violation_by_id(violation_id)))
