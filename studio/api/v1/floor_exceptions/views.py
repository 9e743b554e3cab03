"""Exceptions from the privacy floor: which there are and were, granting one, revoking one."""

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import FLOOR_EXCEPTION
from studio.api.v1.floor_exceptions.serializers import (
    ExceptionItem,
    ExceptionPage,
    ExceptionQuery,
    NewException,
    write_exception,
)
from tenants.actors import require, require_somewhere
from tenants.floor_selectors import exceptions_in_state, floor_exception, floor_exceptions
from tenants.selectors import app_by_slug, installation_of, tenant_by_slug
from tenants.services.floor_exceptions import grant_exception, revoke_exception

__all__ = ["ExceptionView", "ExceptionsView", "RevocationView"]


class ExceptionsView(ApiView):
    """``/api/v1/floor-exceptions``."""

    queries = {"GET": ExceptionQuery}

    @extend_schema(
        operation_id="listFloorExceptions", parameters=parameters_of(ExceptionQuery), responses=ExceptionPage
    )
    def get(self, request: Request) -> Response:
        """The exceptions of the tenants in which the caller has a role, also those that are over."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ExceptionQuery)
        rows = floor_exceptions() if query.state is None else exceptions_in_state(query.state)
        wanted = {"tenant__slug": query.tenant, "app__slug": query.app}
        rows = rows.filter(**{column: value for column, value in wanted.items() if value is not None})
        return Response(page_of(rows, query, write_exception))

    @extend_schema(
        operation_id="grantFloorException",
        request=NewException,
        responses={201: ExceptionItem},
        examples=[FLOOR_EXCEPTION],
    )
    def post(self, request: Request) -> Response:
        """One limit does not hold for a while, and holds again by itself. Needs `floor.except` in the workspace."""
        actor = actor_of(request)
        require(actor, "floor.except")
        new = decode_body(request, NewException, what="floor exception")
        tenant, app = tenant_by_slug(new.tenant), app_by_slug(new.app)
        record = grant_exception(
            actor=actor,
            tenant=tenant,
            app=app,
            installation=None if new.environment is None else installation_of(tenant, app, new.environment),
            exception=msgspec.structs.replace(new.exception, number=0),
            reason=new.reason,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
        )
        address = f"/api/v1/floor-exceptions/{record.pk}"
        return Response(write_exception(record), status=201, headers={"Location": address})


class ExceptionView(ApiView):
    """``/api/v1/floor-exceptions/{id}``."""

    @extend_schema(operation_id="getFloorException", responses=ExceptionItem)
    def get(self, request: Request, exception_id: int) -> Response:
        """One exception. Needs the ability `view` in its tenant."""
        record = floor_exception(exception_id)
        require(actor_of(request), "view", record.tenant_id)
        return Response(write_exception(record))


class RevocationView(ApiView):
    """``/api/v1/floor-exceptions/{id}/revoke``."""

    @extend_schema(operation_id="revokeFloorException", request=None, responses=ExceptionItem)
    def post(self, request: Request, exception_id: int) -> Response:
        """It ends now, or does not start. Needs `floor.except` in the workspace; 409 if it is over."""
        actor = actor_of(request)
        require(actor, "floor.except")
        revoke_exception(actor=actor, record=floor_exception(exception_id))
        return Response(write_exception(floor_exception(exception_id)))
