"""The catalog as pages and as a file."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.renderers import CsvRenderer
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.events.serializers import (
    EventFileQuery,
    EventPage,
    EventQuery,
    filter_of,
    write_event,
    write_facet,
)
from telemetry.services.catalog import catalog, export_catalog

__all__ = ["EventFileView", "EventsView"]


class EventsView(ApiView):
    """``/api/v1/events``."""

    queries = {"GET": EventQuery}

    @extend_schema(operation_id="listEvents", parameters=parameters_of(EventQuery), responses=EventPage)
    def get(self, request: Request) -> Response:
        """The events of all drafts, those whose name fits best first, and how to narrow them down.

        For everybody with a role.
        """
        query = read_query(request, EventQuery)
        found = catalog(
            actor=actor_of(request),
            wanted=filter_of(query),
            order=query.order,
            page=query.page,
            page_size=query.page_size,
        )
        page = EventPage(
            page=query.page,
            page_size=query.page_size,
            total=found.total,
            items=tuple(write_event(event, found.volumes.get((event.name, event.version))) for event in found.events),
            facets=tuple(write_facet(facet) for facet in found.facets),
        )
        return Response(page)


class EventFileView(ApiView):
    """``/api/v1/events.csv``."""

    renderer_classes = [CsvRenderer]
    queries = {"GET": EventFileQuery}

    @extend_schema(
        operation_id="downloadEvents",
        tags=["events"],
        parameters=parameters_of(EventFileQuery),
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All events that fit as CSV, safe to open in a spreadsheet: text that could be a formula has an apostrophe.

        For everybody with a role.
        """
        query = read_query(request, EventFileQuery)
        portions = export_catalog(actor=actor_of(request), wanted=filter_of(query), order=query.order)
        headers = {"Content-Disposition": 'attachment; filename="events.csv"'}
        return StreamingHttpResponse(portions, content_type="text/csv; charset=utf-8; header=present", headers=headers)
