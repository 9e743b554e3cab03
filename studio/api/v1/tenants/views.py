"""Tenants as a list, and one by one."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import NEW_TENANT
from studio.api.v1.tenants.serializers import TENANT_ORDER, NewTenant, TenantItem, TenantPage, TenantQuery, write_tenant
from tenants.actors import require, require_somewhere
from tenants.models import Tenant
from tenants.selectors import tenant_by_slug, tenants_in_context
from tenants.services.tenants import create_tenant

__all__ = ["TenantView", "TenantsView"]


class TenantsView(ApiView):
    """``/api/v1/tenants``."""

    queries = {"GET": TenantQuery}

    @extend_schema(operation_id="listTenants", parameters=parameters_of(TenantQuery), responses=TenantPage)
    def get(self, request: Request) -> Response:
        """The tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, TenantQuery)
        return Response(page_of(_found(query), query, write_tenant))

    @extend_schema(operation_id="createTenant", request=NewTenant, responses={201: TenantItem}, examples=[NEW_TENANT])
    def post(self, request: Request) -> Response:
        """A new tenant. Needs the ability `tenant.manage` in the workspace; 409 if the slug is taken."""
        actor = actor_of(request)
        require(actor, "tenant.manage")
        new = decode_body(request, NewTenant, what="tenant")
        tenant = create_tenant(actor=actor, slug=new.slug, name=new.name)
        return Response(write_tenant(tenant), status=201, headers={"Location": f"/api/v1/tenants/{tenant.slug}"})


class TenantView(ApiView):
    """``/api/v1/tenants/{slug}``."""

    @extend_schema(operation_id="getTenant", responses=TenantItem)
    def get(self, request: Request, slug: str) -> Response:
        """One tenant. Needs the ability `view` in it; 404 for a tenant in which the caller has no role."""
        tenant = tenant_by_slug(slug)
        require(actor_of(request), "view", tenant.pk)
        return Response(write_tenant(tenant))


def _found(query: TenantQuery) -> QuerySet[Tenant]:
    rows = tenants_in_context().order_by(TENANT_ORDER[query.order], "slug")
    if query.search:
        rows = rows.filter(Q(slug__icontains=query.search) | Q(name__icontains=query.search))
    return rows
