"""The frozen versions of a spec."""

import base64

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import has_current
from studio.api.pages import page_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import PageQuery
from studio.api.v1.base import ApiView
from studio.api.v1.specs.serializers import SpecVersionPage, write_version
from telemetry.core.spec import TelemetrySpec
from telemetry.selectors.specs import spec_by_name, version_of, versions_of
from tenants.actors import require_somewhere

__all__ = ["VersionView", "VersionsView"]

# The document of a version never changes, so whoever has it need not ask again; a year is the longest in use.
CACHE_CONTROL = "private, max-age=31536000, immutable"
DIGEST = OpenApiParameter(
    "Repr-Digest",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="SHA-256 of the document (RFC 9530); the ETag is the same in hex.",
)


class VersionsView(ApiView):
    """``/api/v1/specs/{name}/versions``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listVersions", parameters=parameters_of(PageQuery), responses=SpecVersionPage)
    def get(self, request: Request, name: str) -> Response:
        """The versions of the spec, newest first. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, PageQuery)
        return Response(page_of(versions_of(spec_by_name(name)), query, write_version))


class VersionView(ApiView):
    """``/api/v1/specs/{name}/versions/{version}``."""

    @extend_schema(operation_id="getVersion", parameters=[DIGEST], responses=TelemetrySpec)
    def get(self, request: Request, name: str, version: int) -> HttpResponse:
        """The document of a version, byte for byte as it was frozen. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        found = version_of(name, version)
        digest = base64.b64encode(bytes.fromhex(found.checksum)).decode()
        headers = {"Cache-Control": CACHE_CONTROL, "ETag": f'"{found.checksum}"', "Repr-Digest": f"sha-256=:{digest}:"}
        if has_current(request, headers["ETag"]):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(found.document_bytes, content_type="application/json", headers=headers)
