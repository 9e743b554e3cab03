"""Which channels an incident is told to."""

from collections.abc import Iterable

from telemetry.models import AlertChannel, AlertRoute, Incident
from tenants.models import Installation

__all__ = ["channels_for", "fits", "routes_for"]


def channels_for(incident: Incident, installation: Installation) -> list[AlertChannel]:
    """The channels that are switched on and that a route leads to, each once, in the order of their ids; one query.

    Every route that fits leads somewhere; fallbacks do only where no other route fits.
    """
    routes = AlertRoute.objects.filter(tenant_id=incident.tenant_id).select_related("channel").order_by("id")
    chosen = {route.channel_id: route.channel for route in routes_for(routes, incident, installation)}
    return [chosen[key] for key in sorted(chosen) if chosen[key].is_enabled]


def routes_for(routes: Iterable[AlertRoute], incident: Incident, installation: Installation) -> list[AlertRoute]:
    """Those of a tenant's routes that take the incident."""
    every = list(routes)
    fitting = [route for route in every if not route.is_fallback and fits(route, incident, installation)]
    return fitting or [route for route in every if route.is_fallback]


def fits(route: AlertRoute, incident: Incident, installation: Installation) -> bool:
    """Whether everything that is filled in fits."""
    return (
        route.installation_id in (None, installation.pk)
        and route.app_id in (None, installation.app_id)
        and route.environment in ("", installation.environment)
        and _fits_name(route.event, incident.event_name)
        and route.rule in ("", incident.rule)
        and (not route.action or route.action in incident.actions)
    )


def _fits_name(wanted: str, name: str) -> bool:
    if wanted.endswith("*"):
        return name.startswith(wanted[:-1])
    return wanted in ("", name)
