"""Contracts of events: imported, read, compared with what measures them, taken out."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import JsonParser, YamlParser, body_of, decode_body
from studio.api.queries import read_query
from studio.api.renderers import JsonRenderer, YamlRenderer
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.event_specs.serializers import (
    EventSpecComparison,
    EventSpecImport,
    EventSpecImportQuery,
    EventSpecItem,
    EventSpecPage,
    EventSpecQuery,
    EventSpecRemoval,
    write_event_spec,
    write_import,
    write_measurement,
)
from studio.api.v1.examples import EVENT_SPEC, EVENT_SPEC_REMOVAL
from telemetry.core.event_specs import EventSpec
from telemetry.formats.event_specs import GivenMeta
from telemetry.mappers import event_spec_from_document
from telemetry.selectors.event_specs import event_spec_by_id, event_specs
from telemetry.services.event_specs import (
    ImportOutcome,
    compare_with_events,
    import_event_spec,
    remove_event_spec,
)
from tenants.actors import require, require_somewhere

__all__ = ["EventSpecComparisonView", "EventSpecRemovalView", "EventSpecView", "EventSpecsView"]


class EventSpecsView(ApiView):
    """``/api/v1/event-specs``."""

    parser_classes = [JsonParser, YamlParser]
    queries = {"GET": EventSpecQuery, "POST": EventSpecImportQuery}

    @extend_schema(operation_id="listEventSpecs", parameters=parameters_of(EventSpecQuery), responses=EventSpecPage)
    def get(self, request: Request) -> Response:
        """The contracts of events, by name. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, EventSpecQuery)
        return Response(page_of(event_specs(query.search, query.domain), query, write_event_spec))

    @extend_schema(
        operation_id="importEventSpec",
        parameters=parameters_of(EventSpecImportQuery),
        request=EventSpec,
        responses={200: EventSpecImport, 201: EventSpecImport},
        examples=[EVENT_SPEC],
    )
    def post(self, request: Request) -> Response:
        """The contract that the document describes is stored; one of the same name and version is replaced.

        The document is an EventSpec or a JSON Schema of the payload, JSON or YAML; the query says what a schema leaves
        open. 201 when it is new. Needs the ability `spec.edit`.
        """
        actor = actor_of(request)
        require(actor, "spec.edit")
        query = read_query(request, EventSpecImportQuery)
        given = GivenMeta(query.name or "", query.version, query.domain, query.pii)
        body = body_of(request)
        imported = import_event_spec(actor=actor, document=body.content, given=given, format=body.notation)
        status = 201 if imported.outcome is ImportOutcome.ADDED else 200
        return Response(write_import(event_spec_by_id(imported.record.pk), imported), status=status)


class EventSpecView(ApiView):
    """``/api/v1/event-specs/{event_spec_id}``."""

    renderer_classes = [JsonRenderer, YamlRenderer]

    @extend_schema(operation_id="getEventSpec", responses=EventSpec)
    def get(self, request: Request, event_spec_id: int) -> Response:
        """The whole contract, as JSON or YAML by the header `Accept`. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        return Response(event_spec_from_document(event_spec_by_id(event_spec_id).document))


class EventSpecComparisonView(ApiView):
    """``/api/v1/event-specs/{event_spec_id}/comparison``."""

    @extend_schema(operation_id="compareEventSpec", responses=EventSpecComparison)
    def get(self, request: Request, event_spec_id: int) -> Response:
        """Where events of this name and version, in the drafts of specs, depart from the contract.

        For everybody with a role.
        """
        _, _, measured = compare_with_events(actor=actor_of(request), event_spec_id=event_spec_id)
        return Response(EventSpecComparison(items=tuple(map(write_measurement, measured))))


class EventSpecRemovalView(ApiView):
    """``/api/v1/event-specs/{event_spec_id}/remove``."""

    @extend_schema(
        operation_id="removeEventSpec",
        request=EventSpecRemoval,
        responses=EventSpecItem,
        examples=[EVENT_SPEC_REMOVAL],
    )
    def post(self, request: Request, event_spec_id: int) -> Response:
        """The contract is gone; events of its name and version are compared with nothing any more.

        Needs the ability `spec.edit`. 409 `conflict` if it was imported anew since.
        """
        actor = actor_of(request)
        require(actor, "spec.edit")
        expected = decode_body(request, EventSpecRemoval).expected_checksum
        shown = write_event_spec(event_spec_by_id(event_spec_id))
        remove_event_spec(actor=actor, event_spec_id=event_spec_id, expected_checksum=expected)
        return Response(shown)
