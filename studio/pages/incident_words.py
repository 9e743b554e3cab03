"""How incidents are spoken of on pages."""

from typing import Final

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from studio import markup
from telemetry.models import Incident, IncidentStatus
from telemetry.selectors.incidents import open_incidents
from tenants.actors import Actor

__all__ = ["incident_chip", "lasted", "waiting_incidents"]

TONES: Final = {
    IncidentStatus.OPEN: "red",
    IncidentStatus.ACKNOWLEDGED: "amber",
    IncidentStatus.MUTED: "grey",
    IncidentStatus.RESOLVED: "green",
}


def incident_chip(incident: Incident) -> SafeString:
    """Where the case stands, the same everywhere."""
    status = IncidentStatus(incident.status)
    return markup.chip(status.label.lower(), TONES[status])


def lasted(incident: Incident) -> str:
    """How long the breach lasted, from the first window in breach to the end of the last one."""
    minutes = round((incident.last_breach_at - incident.first_window).total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def waiting_incidents(actor: Actor) -> QuerySet[Incident] | None:
    """The incidents that nobody has taken up; ``None`` for somebody who may not handle any."""
    return open_incidents() if actor.can_somewhere("incident.handle") else None
