"""Specs as a list, and one by one."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import revision_tag
from studio.api.pages import page_of
from studio.api.parsers import JsonParser, YamlParser, decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import SPEC
from studio.api.v1.specs.lint import SavedSpec, write_saved_spec
from studio.api.v1.specs.serializers import SPEC_ORDER, SpecItem, SpecPage, SpecQuery, write_spec
from telemetry.core.spec import TelemetrySpec
from telemetry.models import SpecRecord
from telemetry.selectors.specs import spec_by_name, specs_with_status
from telemetry.services.specs import create_spec
from tenants.actors import require, require_somewhere

__all__ = ["SpecView", "SpecsView"]


class SpecsView(ApiView):
    """``/api/v1/specs``."""

    parser_classes = [JsonParser, YamlParser]
    queries = {"GET": SpecQuery}

    @extend_schema(operation_id="listSpecs", parameters=parameters_of(SpecQuery), responses=SpecPage)
    def get(self, request: Request) -> Response:
        """The specs of the workspace, with the state of their drafts. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, SpecQuery)
        return Response(page_of(_found(query), query, write_spec))

    @extend_schema(operation_id="createSpec", request=TelemetrySpec, responses={201: SavedSpec}, examples=[SPEC])
    def post(self, request: Request) -> Response:
        """A new spec from a whole document, JSON or YAML; it is a draft until it is published.

        Needs the ability `spec.edit`. 409 `duplicate_spec` if the name is taken. The answer has what lint says about
        it; nothing of that keeps the draft from being saved.
        """
        actor = actor_of(request)
        require(actor, "spec.edit")
        record = create_spec(actor=actor, spec=decode_body(request, TelemetrySpec, what="telemetry spec"))
        headers = {"Location": f"/api/v1/specs/{record.name}", "ETag": revision_tag(record.draft_revision)}
        return Response(write_saved_spec(spec_by_name(record.name)), status=201, headers=headers)


class SpecView(ApiView):
    """``/api/v1/specs/{name}``."""

    @extend_schema(operation_id="getSpec", responses=SpecItem)
    def get(self, request: Request, name: str) -> Response:
        """One spec, with the state of its draft. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        return Response(write_spec(spec_by_name(name)))


def _found(query: SpecQuery) -> QuerySet[SpecRecord]:
    rows = specs_with_status().order_by(SPEC_ORDER[query.order], "name")
    if query.search:
        rows = rows.filter(Q(name__icontains=query.search) | Q(title__icontains=query.search))
    return rows
