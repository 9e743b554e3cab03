"""Alert routes over HTTP."""

from typing import Annotated, cast
from uuid import UUID

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.base import ApiView
from studio.api.v1.examples import ALERT_ROUTE
from telemetry.core.enums import AnomalyAction, Environment
from telemetry.models import AlertRoute
from telemetry.selectors.alerts import channel_by_id, route_by_id, routes
from telemetry.services.alerts.routes import Conditions, add_route, change_route, remove_route
from tenants.actors import require, require_somewhere
from tenants.selectors import app_by_slug, installation_by_public_id

__all__ = ["AlertRouteBody", "AlertRouteRemovalView", "AlertRouteView", "AlertRoutesView"]


class AlertRouteBody(Shape, frozen=True, kw_only=True):
    """Which incidents go to which channel; what is left out fits everything.

    `event` is an event's name, or the beginning of one and `*`. A fallback takes what no other route takes, and has no
    conditions.
    """

    channel: UUID
    is_fallback: bool = False
    installation: UUID | None = None
    app: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    environment: Environment | None = None
    event: Annotated[str, msgspec.Meta(max_length=201)] = ""
    rule: Annotated[str, msgspec.Meta(max_length=200)] = ""
    action: AnomalyAction | None = None

    @property
    def conditions(self) -> Conditions:
        """In the words of the service; raises ``NotFound`` for an app or an installation that is not there."""
        return Conditions(
            is_fallback=self.is_fallback,
            installation=None if self.installation is None else installation_by_public_id(self.installation),
            app=None if self.app is None else app_by_slug(self.app),
            environment=self.environment,
            event=self.event,
            rule=self.rule,
            action=self.action,
        )


class AlertRouteItem(AlertRouteBody, frozen=True, kw_only=True):
    """A route with its number and its tenant."""

    id: int
    tenant: str


class AlertRoutePage(Page[AlertRouteItem], frozen=True, kw_only=True):
    """Some of the routes, fallbacks last."""


class AlertRouteRemoval(Shape, frozen=True, kw_only=True):
    """Nothing has to be said."""


class RemovedAlertRoute(Shape, frozen=True, kw_only=True):
    """The number that the route had."""

    id: int


class AlertRoutesView(ApiView):
    """``/api/v1/alert-routes``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listAlertRoutes", parameters=parameters_of(PageQuery), responses=AlertRoutePage)
    def get(self, request: Request) -> Response:
        """The routes of the tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        return Response(page_of(routes(), read_query(request, PageQuery), _write))

    @extend_schema(
        operation_id="addAlertRoute",
        request=AlertRouteBody,
        responses={201: AlertRouteItem},
        examples=[ALERT_ROUTE],
    )
    def post(self, request: Request) -> Response:
        """Incidents from now on that fit go to the channel. Needs the ability `alert.manage`, and a login."""
        require_somewhere(actor_of(request), "alert.manage")
        body = decode_body(request, AlertRouteBody)
        channel = channel_by_id(body.channel)
        require(actor_of(request), "alert.manage", channel.tenant_id)
        route = add_route(actor=actor_of(request), channel=channel, conditions=body.conditions)
        return Response(_write(route_by_id(route.pk)), status=201)


class AlertRouteView(ApiView):
    """``/api/v1/alert-routes/{id}``."""

    @extend_schema(operation_id="getAlertRoute", responses=AlertRouteItem)
    def get(self, request: Request, route_id: int) -> Response:
        """One route. Needs the ability `view` in its tenant."""
        route = route_by_id(route_id)
        require(actor_of(request), "view", route.tenant_id)
        return Response(_write(route))

    @extend_schema(
        operation_id="changeAlertRoute", request=AlertRouteBody, responses=AlertRouteItem, examples=[ALERT_ROUTE]
    )
    def put(self, request: Request, route_id: int) -> Response:
        """The route has these conditions. Needs the ability `alert.manage` in its tenant, and a login."""
        route = route_by_id(route_id)
        require(actor_of(request), "alert.manage", route.tenant_id)
        body = decode_body(request, AlertRouteBody)
        channel = channel_by_id(body.channel)
        change_route(actor=actor_of(request), route=route, channel=channel, conditions=body.conditions)
        return Response(_write(route_by_id(route_id)))


class AlertRouteRemovalView(ApiView):
    """``/api/v1/alert-routes/{id}/remove``."""

    @extend_schema(operation_id="removeAlertRoute", request=AlertRouteRemoval, responses=RemovedAlertRoute)
    def post(self, request: Request, route_id: int) -> Response:
        """The route is gone. Needs the ability `alert.manage` in its tenant, and a login."""
        route = route_by_id(route_id)
        require(actor_of(request), "alert.manage", route.tenant_id)
        decode_body(request, AlertRouteRemoval)
        remove_route(actor=actor_of(request), route=route)
        return Response(RemovedAlertRoute(id=route_id))


def _write(row: AlertRoute) -> AlertRouteItem:
    return AlertRouteItem(
        id=row.pk,
        tenant=row.tenant.slug,
        channel=row.channel.public_id,
        is_fallback=row.is_fallback,
        installation=None if row.installation is None else row.installation.public_id,
        app=None if row.app is None else row.app.slug,
        environment=cast("Environment", row.environment) or None,
        event=row.event,
        rule=row.rule,
        action=cast("AnomalyAction", row.action) or None,
    )
