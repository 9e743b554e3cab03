"""Access exports over HTTP."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import PageQuery
from studio.api.v1.access.serializers import AccessCase, AccessDocument, AccessItem, AccessPage, NewAccess, write_export
from studio.api.v1.base import ApiView
from studio.api.v1.examples import NEW_ACCESS
from studio.wakeups import wake_collectors
from telemetry.selectors.erasure import access_export, access_exports, tenants_to_search
from telemetry.services.access.requests import download_access, request_access
from tenants.actors import require_somewhere

__all__ = ["AccessExportView", "AccessExportsView", "AccessFileView"]


class AccessExportsView(ApiView):
    """``/api/v1/access-exports``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listAccessExports", parameters=parameters_of(PageQuery), responses=AccessPage)
    def get(self, request: Request) -> Response:
        """The access exports of the tenants in which the caller has the ability `access.handle`."""
        actor = actor_of(request)
        require_somewhere(actor, "access.handle")
        return Response(page_of(access_exports(actor), read_query(request, PageQuery), write_export))

    @extend_schema(operation_id="requestAccess", request=NewAccess, responses={201: AccessCase}, examples=[NEW_ACCESS])
    def post(self, request: Request) -> Response:
        """A job puts together what is stored about the person at each tenant.

        The ids are not stored: only keyed pseudonyms are. Needs the ability `access.handle` in every tenant. 400 as for
        erasure requests.
        """
        actor = actor_of(request)
        require_somewhere(actor, "access.handle")
        body = decode_body(request, NewAccess)
        rows = request_access(
            actor=actor,
            subjects=body.subjects,
            pseudonyms=body.pseudonyms,
            tenants=tenants_to_search(actor, "access.handle", body.tenants),
            reference=body.reference,
        )
        transaction.on_commit(partial(wake_collectors, [row.pk for row in rows]))
        return Response(AccessCase(case=rows[0].case_id, exports=tuple(map(write_export, rows))), status=201)


class AccessExportView(ApiView):
    """``/api/v1/access-exports/{id}``."""

    @extend_schema(operation_id="getAccessExport", responses=AccessItem)
    def get(self, request: Request, export_id: UUID) -> Response:
        """One export, without what is in it. Needs the ability `access.handle`."""
        return Response(write_export(access_export(actor_of(request), export_id)))


class AccessFileView(ApiView):
    """``/api/v1/access-exports/{id}/file``."""

    @extend_schema(operation_id="downloadAccessExport", responses=AccessDocument)
    def get(self, request: Request, export_id: UUID) -> StreamingHttpResponse:
        """What is in the export, as a JSON document; each download is in the audit trail.

        Needs the ability `access.handle`. 409 while it is collected, and once its days are over.
        """
        actor = actor_of(request)
        export = access_export(actor, export_id)
        body = download_access(actor=actor, export=export)
        headers = {"Content-Disposition": f'attachment; filename="access-{export.public_id}.json"'}
        return StreamingHttpResponse(body, content_type="application/json", headers=headers)
