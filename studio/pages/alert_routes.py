"""Alert routes: added, changed, removed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from studio.pages.alert_forms import RouteForm
from studio.pages.alert_words import conditions_of
from studio.pages.forms import posted
from studio.pages.scope import installations_where, tenants_where
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.errors import InvalidDocument
from telemetry.models import AlertChannel, AlertRoute
from telemetry.selectors.alerts import channels, route_by_id
from telemetry.services.alerts.routes import add_route, change_route, remove_route
from tenants.actors import Actor, require, require_somewhere

__all__ = ["alert_route", "new_alert_route", "remove_alert_route"]

_LEAD = "What is empty fits everything. An incident goes to every route that takes it, and to a channel once."


def new_alert_route(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the list of routes."""
    actor = actor_of(request)
    require_somewhere(actor, "alert.manage")
    form = _form(request, actor)
    if request.method == "POST" and form.is_valid():
        try:
            add_route(actor=actor, channel=form.cleaned_data["channel"], conditions=form.conditions)
        except InvalidDocument as error:
            form.refuse(error)
        else:
            messages.success(request, "The route is there, for what happens from now on.")
            return HttpResponseRedirect(reverse("alerts"))
    return _page(request, form, "New alert route", "Add the route")


def alert_route(request: HttpRequest, route_id: int) -> HttpResponse:
    """The route's form; sent, its new conditions."""
    actor, route = actor_of(request), route_by_id(route_id)
    require(actor, "alert.manage", route.tenant_id)
    form = _form(request, actor, route)
    if request.method == "POST" and form.is_valid():
        channel = form.cleaned_data["channel"]
        try:
            change_route(actor=actor, route=route, channel=channel, conditions=form.conditions)
        except InvalidDocument as error:
            form.refuse(error)
        else:
            messages.success(request, "The route is changed, for what happens from now on.")
            return HttpResponseRedirect(reverse("alerts"))
    return _page(request, form, "Alert route", "Save")


def remove_alert_route(request: HttpRequest, route_id: int) -> HttpResponse:
    """The route is gone."""
    actor, route = actor_of(request), route_by_id(route_id)
    require(actor, "alert.manage", route.tenant_id)

    def deed() -> str:
        remove_route(actor=actor, route=route)
        return "The route is removed."

    return confirm(
        request,
        noun=AlertChannel,
        row=None,
        title=f"Remove the route to {route.channel.name}",
        text=f"It takes {conditions_of(route)}. From now on incidents go where the other routes lead, and nowhere if "
        "there are none.",
        button="Remove the route",
        back=reverse("alerts"),
        deed=deed,
    )


def _form(request: HttpRequest, actor: Actor, route: AlertRoute | None = None) -> RouteForm:
    tenants = tenants_where(actor, "alert.manage")
    offered, installations = channels().filter(tenant__in=tenants), installations_where(actor, "alert.manage")
    if route is not None:
        offered, installations = offered.filter(tenant=route.tenant), installations.filter(tenant=route.tenant)
    initial = {} if route is None else RouteForm.initial_of(route)
    return RouteForm(posted(request), initial=initial, channels=offered, installations=installations)


def _page(request: HttpRequest, form: RouteForm, title: str, button: str) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "button": button, "back": reverse("alerts"), "lead": _LEAD}
    return render_page(request, "studio/pages/form.html", noun=AlertChannel, title=title, **context)
