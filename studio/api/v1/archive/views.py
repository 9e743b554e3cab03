"""The archive over HTTP: what is in it. Asking and restoring is for operators, on the command line."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.archive.serializers import ArchiveFilePage, ArchiveFileQuery, filter_of, write_file
from studio.api.v1.base import ApiView
from telemetry.selectors.archives import archive_files
from tenants.actors import require_somewhere

__all__ = ["ArchiveFilesView"]


class ArchiveFilesView(ApiView):
    """``/api/v1/archive-files``."""

    queries = {"GET": ArchiveFileQuery}

    @extend_schema(
        operation_id="listArchiveFiles", parameters=parameters_of(ArchiveFileQuery), responses=ArchiveFilePage
    )
    def get(self, request: Request) -> Response:
        """The files of archived events, in the tenants in which the caller has a role; no event is shown."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ArchiveFileQuery)
        return Response(page_of(archive_files(filter_of(query)), query, write_file))
