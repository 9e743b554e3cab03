"""Incidents as a list and one by one, what people do with them, and backtests."""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import BACKTEST, INCIDENT_ASSIGNMENT, INCIDENT_COMMENT, INCIDENT_MUTE
from studio.api.v1.incidents.serializers import (
    BacktestAnswer,
    BacktestRequest,
    IncidentAssignment,
    IncidentComment,
    IncidentDeed,
    IncidentDetail,
    IncidentItem,
    IncidentMute,
    IncidentPage,
    IncidentQuery,
    filter_of,
    write_backtest,
    write_detail,
    write_incident,
)
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.models import Incident
from telemetry.selectors.incidents import entries_of, incident_by_id, incidents
from telemetry.selectors.metric_windows import EventKey
from telemetry.services.anomalies.backtest import backtest_event
from telemetry.services.incidents.handling import (
    acknowledge_incident,
    assign_incident,
    comment_on_incident,
    mute_incident,
    resolve_incident,
    unmute_incident,
)
from tenants.actors import Actor, require, require_somewhere
from tenants.selectors import installation_by_public_id, people_of

__all__ = [
    "AcknowledgementView",
    "AssignmentView",
    "BacktestView",
    "IncidentCommentView",
    "IncidentView",
    "IncidentsView",
    "MuteView",
    "ResolutionView",
    "UnmuteView",
]


class IncidentsView(ApiView):
    """``/api/v1/incidents``."""

    queries = {"GET": IncidentQuery}

    @extend_schema(operation_id="listIncidents", parameters=parameters_of(IncidentQuery), responses=IncidentPage)
    def get(self, request: Request) -> Response:
        """The incidents of the tenants in which the caller has a role, the newest first."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, IncidentQuery)
        return Response(page_of(incidents(filter_of(query)), query, write_incident))


class IncidentView(ApiView):
    """``/api/v1/incidents/{id}``."""

    @extend_schema(operation_id="getIncident", responses=IncidentDetail)
    def get(self, request: Request, incident_id: int) -> Response:
        """One incident with its history. Needs the ability `view` in its tenant."""
        incident = incident_by_id(incident_id)
        require(actor_of(request), "view", incident.tenant_id)
        return Response(write_detail(incident, entries_of(incident)))


class AcknowledgementView(ApiView):
    """``/api/v1/incidents/{id}/acknowledge``."""

    @extend_schema(operation_id="acknowledgeIncident", request=IncidentDeed, responses=IncidentItem)
    def post(self, request: Request, incident_id: int) -> Response:
        """Somebody looks after it. Needs the ability `incident.handle`; 409 for a resolved one."""
        return _handled(request, incident_id, acknowledge_incident)


class AssignmentView(ApiView):
    """``/api/v1/incidents/{id}/assign``."""

    @extend_schema(
        operation_id="assignIncident",
        request=IncidentAssignment,
        responses=IncidentItem,
        examples=[INCIDENT_ASSIGNMENT],
    )
    def post(self, request: Request, incident_id: int) -> Response:
        """It is this person's, who has a role in its tenant, or nobody's. Needs `incident.handle`; 409 if resolved."""
        actor, incident = _allowed(request, incident_id)
        name = decode_body(request, IncidentAssignment).assignee
        assign_incident(actor=actor, incident=incident, assignee=None if name is None else _person(incident, name))
        return Response(write_incident(incident_by_id(incident_id)))


class UnmuteView(ApiView):
    """``/api/v1/incidents/{id}/unmute``."""

    @extend_schema(operation_id="unmuteIncident", request=IncidentDeed, responses=IncidentItem)
    def post(self, request: Request, incident_id: int) -> Response:
        """It is open again. Needs the ability `incident.handle`; 409 for a resolved one."""
        return _handled(request, incident_id, unmute_incident)


class ResolutionView(ApiView):
    """``/api/v1/incidents/{id}/resolve``."""

    @extend_schema(operation_id="resolveIncident", request=IncidentDeed, responses=IncidentItem)
    def post(self, request: Request, incident_id: int) -> Response:
        """It is over, whatever the metric says. Needs the ability `incident.handle`; 409 for a resolved one."""
        return _handled(request, incident_id, resolve_incident)


class MuteView(ApiView):
    """``/api/v1/incidents/{id}/mute``."""

    @extend_schema(operation_id="muteIncident", request=IncidentMute, responses=IncidentItem, examples=[INCIDENT_MUTE])
    def post(self, request: Request, incident_id: int) -> Response:
        """Nobody is told of it until then. Needs the ability `incident.handle`; 409 for a resolved one."""
        actor, incident = _allowed(request, incident_id)
        mute_incident(actor=actor, incident=incident, until=decode_body(request, IncidentMute).until)
        return Response(write_incident(incident_by_id(incident_id)))


class IncidentCommentView(ApiView):
    """``/api/v1/incidents/{id}/comments``."""

    @extend_schema(
        operation_id="commentOnIncident",
        request=IncidentComment,
        responses=IncidentDetail,
        examples=[INCIDENT_COMMENT],
    )
    def post(self, request: Request, incident_id: int) -> Response:
        """The comment stands in its history. Needs the ability `incident.handle`."""
        actor, incident = _allowed(request, incident_id)
        comment_on_incident(actor=actor, incident=incident, text=decode_body(request, IncidentComment).text)
        return Response(write_detail(incident_by_id(incident_id), entries_of(incident)))


class BacktestView(ApiView):
    """``/api/v1/installations/{id}/backtest``."""

    @extend_schema(
        operation_id="backtestAnomalyRules",
        tags=["installations"],
        request=BacktestRequest,
        responses=BacktestAnswer,
        examples=[BACKTEST],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """What anomaly rules would have done at the installation in the last days; nothing is stored.

        Needs the ability `view` in its tenant. 404 for an event that the installation's config does not have.
        """
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        asked = decode_body(request, BacktestRequest)
        found = backtest_event(
            installation=installation,
            event=EventKey(asked.event, asked.event_version),
            detection=asked.anomaly_detection,
            now=timezone.now(),
            days=asked.days,
        )
        return Response(write_backtest(found))


def _allowed(request: Request, incident_id: int) -> tuple[Actor, Incident]:
    actor, incident = actor_of(request), incident_by_id(incident_id)
    require(actor, "incident.handle", incident.tenant_id)
    return actor, incident


def _person(incident: Incident, name: str) -> AbstractUser:
    found = next((each for each in people_of(incident.tenant_id) if each.get_username() == name), None)
    if found is None:
        error = FieldError("not_found", "assignee", "must be a person with a role in the incident's tenant")
        raise InvalidDocument([error], what="assignment")
    return found


def _handled(request: Request, incident_id: int, deed: Callable[..., Incident]) -> Response:
    actor, incident = _allowed(request, incident_id)
    decode_body(request, IncidentDeed)
    deed(actor=actor, incident=incident)
    return Response(write_incident(incident_by_id(incident_id)))
