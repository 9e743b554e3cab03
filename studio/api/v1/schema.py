"""The API's own description, and that of the documents it takes."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.renderers import JsonRenderer, YamlRenderer
from studio.api.v1.base import ApiView
from telemetry.core.schema import build_spec_schema

__all__ = ["SchemaView", "SpecSchemaView"]


class SchemaView(ApiView):
    """``/api/v1/schema``."""

    renderer_classes = [JsonRenderer, YamlRenderer]

    @extend_schema(operation_id="getSchema", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - REST framework's signature
        """This description (OpenAPI 3.1), as JSON or YAML by the header `Accept`. For everybody with a key or login."""
        return Response(_openapi())


class SpecSchemaView(ApiView):
    """``/api/v1/schemas/telemetry-spec.json``; public, because editors fetch it without a key."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(operation_id="getSpecSchema", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - REST framework's signature
        """The JSON Schema of telemetry specs, for editors. Public."""
        return Response(_spec_schema(), headers={"Cache-Control": "public, max-age=3600"})


@cache
def _openapi() -> dict[str, Any]:
    """Built once per process: it takes about a quarter of a second."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@cache
def _spec_schema() -> dict[str, Any]:
    return build_spec_schema()
