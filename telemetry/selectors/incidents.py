"""Reading incidents, in the context's tenants, and what stands beside them on their charts."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet
from django.utils import timezone

from telemetry.core.errors import NotFound
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import Incident, IncidentEntry, IncidentEntryKind, IncidentStatus, JudgedWindow, SpecVersion
from telemetry.selectors.metric_windows import EventKey, align, window_summaries
from tenants.models import ConfigPeriod, Installation

__all__ = [
    "IncidentFilter",
    "Marker",
    "breaches_while_muted",
    "entries_of",
    "incident_by_id",
    "incidents",
    "installations_with_incidents",
    "markers_of",
    "open_incidents",
    "related_to",
    "span_of",
    "volume_of",
    "windows_of",
]

UNRESOLVED: Final = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MUTED)


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents are looked for; what is empty does not narrow them down.

    ``text`` is part of the event's or the rule's name; ``states`` empty means those that are not resolved.
    """

    text: str = ""
    installation: UUID | None = None
    event: str = ""
    states: tuple[IncidentStatus, ...] = ()
    opened_since: datetime | None = None


class Marker(NamedTuple):
    """Something that was published: when, and what in words."""

    at: datetime
    words: str


def incidents(wanted: IncidentFilter) -> QuerySet[Incident]:
    """The incidents that are looked for, the newest first, with installation, tenant, app and assignee."""
    if any(UNUSABLE_CHARACTER.search(text) for text in (wanted.text, wanted.event)):
        return Incident.objects.none()
    found = Incident.objects.filter(status__in=wanted.states or UNRESOLVED)
    if wanted.text:
        found = found.filter(Q(event_name__icontains=wanted.text) | Q(rule__icontains=wanted.text))
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    if wanted.event:
        found = found.filter(event_name=wanted.event)
    if wanted.opened_since is not None:
        found = found.filter(opened_at__gte=wanted.opened_since)
    return found.select_related("installation__tenant", "installation__app", "assignee").order_by("-opened_at", "-id")


def incident_by_id(incident_id: int) -> Incident:
    """The incident, with installation, tenant, app, assignee and group; ``NotFound``, also when it is another
    tenant's."""
    rows = Incident.objects.select_related("installation__tenant", "installation__app", "assignee", "group")
    found = rows.filter(pk=incident_id).order_by().first()
    if found is None:
        raise NotFound("there is no such incident")
    return found


def open_incidents() -> QuerySet[Incident]:
    """The incidents of the context's tenants that nobody has taken up."""
    return Incident.objects.filter(status=IncidentStatus.OPEN)


def installations_with_incidents(*, limit: int) -> list[Installation]:
    """The first ``limit`` installations, by tenant and app, that ever had an incident; one query."""
    some = Incident.objects.order_by().values("installation_id")
    rows = Installation.objects.filter(pk__in=some).select_related("tenant", "app")
    return list(rows.order_by("tenant__slug", "app__slug", "environment")[:limit])


def breaches_while_muted(incident: Incident) -> int:
    """How many windows in breach began since it was muted last: what nobody was told of; two queries."""
    mute = IncidentEntry.objects.filter(incident=incident, kind=IncidentEntryKind.MUTED).order_by("-at").first()
    since = incident.opened_at if mute is None else mute.at
    return sum(bool(window.breach) for window in windows_of(incident, since, timezone.now()))


def entries_of(incident: Incident, *, limit: int = 200) -> list[IncidentEntry]:
    """What happened to it, the newest first."""
    return list(IncidentEntry.objects.filter(incident=incident).order_by("-at", "-id")[:limit])


def windows_of(incident: Incident, since: datetime, until: datetime) -> list[JudgedWindow]:
    """The windows of its rule that start in [since, until), oldest first; one query."""
    rows = JudgedWindow.objects.filter(
        installation_id=incident.installation_id,
        event_name=incident.event_name,
        event_version=incident.event_version,
        rule=incident.rule,
        minutes=incident.minutes,
        start__gte=since,
        start__lt=until,
    )
    return list(rows.order_by("start"))


def volume_of(incident: Incident, since: datetime, until: datetime, *, minutes: int) -> dict[datetime, int]:
    """How many events came in each span of so many minutes in [since, until) that had any, duplicates left out; one
    query."""
    event = EventKey(incident.event_name, incident.event_version)
    first = align(since, minutes)
    summaries = window_summaries(incident.installation_id, event, first, until, minutes=minutes, with_details=False)
    return {start: summary.received for start, summary in summaries.items()}


def markers_of(incident: Incident, spec_name: str, since: datetime, until: datetime) -> list[Marker]:
    """Which spec versions were published, and which configs began to hold, in [since, until); two queries."""
    versions = SpecVersion.objects.filter(
        spec__name=spec_name, published_at__gte=since, published_at__lt=until
    ).values_list("published_at", "version")
    configs = ConfigPeriod.objects.filter(
        installation_id=incident.installation_id, starts_at__gte=since, starts_at__lt=until
    ).values_list("starts_at", "config__number")
    found = [Marker(at, f"spec version {version}") for at, version in versions]
    found += [Marker(at, f"config {number}") for at, number in configs]
    return sorted(found)


def span_of(incident: Incident) -> tuple[datetime, datetime]:
    """What its chart shows: a day or 60 windows before it, whichever is longer, and a little after its end."""
    width = timedelta(minutes=incident.minutes)
    end = max(incident.last_breach_at, incident.resolved_at or incident.last_breach_at)
    return incident.first_window - max(timedelta(days=1), 60 * width), end + 12 * width


def related_to(incident: Incident, *, limit: int = 20) -> list[Incident]:
    """The others of its group, the earliest first; one query."""
    head = incident.group_id or incident.pk
    others = Incident.objects.filter(Q(group_id=head) | Q(pk=head)).exclude(pk=incident.pk)
    return list(others.order_by("opened_at", "id")[:limit])
