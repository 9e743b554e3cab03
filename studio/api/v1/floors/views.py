"""The floor of the organisation and those of apps: what they say, another one, and what that would do."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import require_match
from studio.api.parsers import JsonParser, YamlParser, decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import FLOOR
from studio.api.v1.floors.serializers import FloorImpactPage, FloorImpactQuery, FloorItem, write_floor
from studio.api.v1.specs.impact import ImpactTotals, write_affected
from telemetry.core.config import PrivacyFloor
from telemetry.services.floor_impact import impact_of_floor
from tenants.actors import require, require_somewhere
from tenants.floor_selectors import floor_record
from tenants.models import App, FloorRecord
from tenants.selectors import app_by_slug
from tenants.services.floors import save_floor

__all__ = ["AppFloorImpactView", "AppFloorView", "FloorImpactView", "FloorView"]

ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200], description="The state of the floor, for If-Match."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the floor that was read: 428 without it."
)


class _FloorView(ApiView):
    """A floor: of the organisation, or of the app whose slug the address names."""

    parser_classes = [JsonParser, YamlParser]

    def read(self, request: Request, app: App | None) -> Response:
        """The floor, and the tag of its state."""
        require_somewhere(actor_of(request), "view")
        return _answer(app, floor_record(app))

    def write(self, request: Request, app: App | None) -> Response:
        """The floor says what the body says."""
        actor = actor_of(request)
        require(actor, "floor.edit")
        stored = floor_record(app)
        require_match(request, _tag(stored))
        floor = decode_body(request, PrivacyFloor, what="privacy floor")
        expected = 0 if stored is None else stored.config_revision
        return _answer(app, save_floor(actor=actor, app=app, floor=floor, expected_revision=expected))


class FloorView(_FloorView):
    """``/api/v1/floor``."""

    @extend_schema(operation_id="getFloor", parameters=[ETAG], responses=FloorItem)
    def get(self, request: Request) -> Response:
        """What holds for the whole organisation. For everybody with a role."""
        return self.read(request, None)

    @extend_schema(
        operation_id="saveFloor",
        parameters=[IF_MATCH, ETAG],
        request=PrivacyFloor,
        responses=FloorItem,
        examples=[FLOOR],
    )
    def put(self, request: Request) -> Response:
        """The organisation's floor, JSON or YAML, from now on; an empty one lifts it. Needs `floor.edit`."""
        return self.write(request, None)


class AppFloorView(_FloorView):
    """``/api/v1/apps/{slug}/floor``."""

    @extend_schema(operation_id="getAppFloor", parameters=[ETAG], responses=FloorItem)
    def get(self, request: Request, slug: str) -> Response:
        """What holds for the app beside the organisation's floor. For everybody with a role."""
        return self.read(request, app_by_slug(slug))

    @extend_schema(
        operation_id="saveAppFloor",
        parameters=[IF_MATCH, ETAG],
        request=PrivacyFloor,
        responses=FloorItem,
        examples=[FLOOR],
    )
    def put(self, request: Request, slug: str) -> Response:
        """The app's floor, JSON or YAML, from now on; an empty one lifts it. Needs `floor.edit`."""
        return self.write(request, app_by_slug(slug))


class _ImpactView(ApiView):
    """What another floor would do."""

    parser_classes = [JsonParser, YamlParser]
    queries = {"POST": FloorImpactQuery}

    def look(self, request: Request, app: App | None) -> Response:
        """One page of the installations that would get another config."""
        query = read_query(request, FloorImpactQuery)
        actor = actor_of(request)
        require(actor, "view")
        floor = decode_body(request, PrivacyFloor, what="privacy floor")
        report, unknown = impact_of_floor(actor=actor, app=app, floor=floor, page=query.page, page_size=query.page_size)
        page = FloorImpactPage(
            page=query.page,
            page_size=query.page_size,
            total=report.total,
            items=tuple(map(write_affected, report.items)),
            summary=ImpactTotals(**report.summary._asdict()),
            distinct=report.distinct,
            unknown_events=unknown,
        )
        return Response(page)


class FloorImpactView(_ImpactView):
    """``/api/v1/floor/impact``."""

    @extend_schema(
        operation_id="getFloorImpact",
        parameters=parameters_of(FloorImpactQuery),
        request=PrivacyFloor,
        responses=FloorImpactPage,
        examples=[FLOOR],
    )
    def post(self, request: Request) -> Response:
        """Whose configs the body would alter as the floor of all; nothing is saved. Needs `view` in the workspace."""
        return self.look(request, None)


class AppFloorImpactView(_ImpactView):
    """``/api/v1/apps/{slug}/floor/impact``."""

    @extend_schema(
        operation_id="getAppFloorImpact",
        parameters=parameters_of(FloorImpactQuery),
        request=PrivacyFloor,
        responses=FloorImpactPage,
        examples=[FLOOR],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Whose configs the body would alter as the app's floor; nothing is saved. Needs `view` in the workspace."""
        return self.look(request, app_by_slug(slug))


def _answer(app: App | None, record: FloorRecord | None) -> Response:
    return Response(write_floor(app, record), headers={"ETag": _tag(record)})


def _tag(record: FloorRecord | None) -> str:
    return f'"{0 if record is None else record.config_revision}"'
