"""Apps as a list."""

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.apps.serializers import AppPage, AppQuery, write_app
from studio.api.v1.base import ApiView
from tenants.actors import require_somewhere
from tenants.selectors import apps

__all__ = ["AppsView"]


class AppsView(ApiView):
    """``/api/v1/apps``."""

    queries = {"GET": AppQuery}

    @extend_schema(operation_id="listApps", parameters=parameters_of(AppQuery), responses=AppPage)
    def get(self, request: Request) -> Response:
        """The apps of the workspace with their blueprints. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, AppQuery)
        rows = apps()
        if query.search:
            rows = rows.filter(Q(slug__icontains=query.search) | Q(name__icontains=query.search))
        return Response(page_of(rows, query, write_app))
