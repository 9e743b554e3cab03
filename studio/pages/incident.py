"""One incident: its metric on a chart with all that explains it, its history, and what can be done."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from studio.addresses import address_of
from studio.metric_chart import ChartMarker, ChartPoint, timeline
from studio.pages.alert_words import notification_chip, notification_note
from studio.pages.forms import PageForm, posted
from studio.pages.incident_words import incident_chip, lasted
from studio.pages.proposal_words import proposal_chip
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from telemetry.core.anomaly.changed_shares import ChangedShare
from telemetry.core.errors import Conflict, NotAllowed, TelemetryError
from telemetry.models import Incident, IncidentStatus
from telemetry.selectors.alerts import notifications_of
from telemetry.selectors.events import event_in_drafts
from telemetry.selectors.incidents import (
    breaches_while_muted,
    entries_of,
    incident_by_id,
    markers_of,
    related_to,
    span_of,
    volume_of,
    windows_of,
)
from telemetry.selectors.proposal_evidence import proposals_of_incident
from telemetry.services.configs import effective_config
from telemetry.services.incidents.changed_values import changed_values
from telemetry.services.incidents.handling import (
    LONGEST_COMMENT,
    acknowledge_incident,
    assign_incident,
    comment_on_incident,
    mute_incident,
    resolve_incident,
    unmute_incident,
)
from tenants.actors import Actor, require
from tenants.selectors import people_of

__all__ = ["incident_page"]

MOST_BARS: Final = 150
MUTES: Final = {"1": "1 hour", "8": "8 hours", "24": "1 day", "168": "1 week"}


class CommentForm(PageForm):
    """What somebody says about the incident."""

    places = {"text": "text"}

    text = forms.CharField(
        label="Comment",
        max_length=LONGEST_COMMENT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class MuteForm(PageForm):
    """For how long nobody is told."""

    hours = forms.ChoiceField(label="Mute for", choices=MUTES.items(), widget=UnfoldAdminSelectWidget())


def incident_page(request: HttpRequest, incident_id: int) -> HttpResponse:
    """The incident; sent, the deed that the button names is done."""
    actor, incident = actor_of(request), incident_by_id(incident_id)
    require(actor, "view", incident.tenant_id)
    comment = CommentForm(posted(request) if "comment" in request.POST else None)
    mute = MuteForm()
    if request.method == "POST" and _done(request, actor, incident, comment):
        return HttpResponseRedirect(reverse("incident", args=[incident.pk]))
    event = event_in_drafts(incident.event_name, incident.event_version)
    context: dict[str, Any] = {
        "incident": incident,
        "state": incident_chip(incident),
        "where": installation_words(incident.installation),
        "where_address": address_of(incident.installation),
        "lasted": lasted(incident),
        "chart": _chart(incident),
        "changed": [_rounded(each) for each in changed_values(incident, span_of(incident)[0])],
        "entries": entries_of(incident),
        "alerts": [(row, notification_chip(row), notification_note(row)) for row in notifications_of(incident)],
        "muted_breaches": breaches_while_muted(incident) if incident.status == IncidentStatus.MUTED else None,
        "related": [(each, incident_chip(each)) for each in related_to(incident)],
        "proposals": [(each, proposal_chip(each)) for each in proposals_of_incident(incident.pk)],
        "event_address": None if event is None else f"{address_of(event)}#anomalies",
        "people": people_of(incident.tenant_id) if actor.can("incident.handle", incident.tenant_id) else [],
        "comment": comment,
        "mute": mute,
        "may_handle": actor.can("incident.handle", incident.tenant_id),
        "statuses": IncidentStatus,
    }
    title = f"{incident.event_name}: {incident.rule_words}"
    return render_page(request, "studio/pages/incident.html", noun=Incident, title=title, **context)


def _rounded(changed: ChangedShare) -> ChangedShare:
    """To a tenth of a percent, as estimates are no better."""
    return changed._replace(before=round(changed.before, 3), since=round(changed.since, 3))


def _done(request: HttpRequest, actor: Actor, incident: Incident, comment: CommentForm) -> bool:
    """Whether a deed was done or refused for good; what can be mended stands in its form."""
    require(actor, "incident.handle", incident.tenant_id)
    try:
        words = _deed(request, actor, incident, comment)
    except NotAllowed:
        raise
    except Conflict as conflict:
        messages.error(request, f"{conflict.message[:1].upper()}{conflict.message[1:]}. Nothing was changed.")
        return True
    except TelemetryError as refused:
        comment.refuse(refused)
        return False
    if words:
        messages.success(request, words)
    return bool(words)


def _deed(request: HttpRequest, actor: Actor, incident: Incident, comment: CommentForm) -> str:
    """Does what the button asks for, and says it; empty if nothing was done."""
    plain: dict[str, tuple[Callable[..., Incident], str]] = {
        "acknowledge": (acknowledge_incident, "The incident is acknowledged."),
        "unmute": (unmute_incident, "The incident is open again."),
        "resolve": (resolve_incident, "The incident is resolved."),
    }
    for name, (deed, words) in plain.items():
        if name in request.POST:
            deed(actor=actor, incident=incident)
            return words
    if "mute" in request.POST:
        hours = int(request.POST["hours"]) if request.POST.get("hours") in MUTES else 1
        mute_incident(actor=actor, incident=incident, until=timezone.now() + timedelta(hours=hours))
        return f"Nobody is told of it for {MUTES[str(hours)]}."
    if "assign" in request.POST:
        chosen = {str(person.pk): person for person in people_of(incident.tenant_id)}
        assign_incident(actor=actor, incident=incident, assignee=chosen.get(request.POST.get("assignee", "")))
        return "The incident is assigned."
    if comment.is_valid():
        comment_on_incident(actor=actor, incident=incident, text=comment.cleaned_data["text"])
        return "The comment is there."
    return ""


def _chart(incident: Incident) -> SafeString:
    since, until = span_of(incident)
    points = [
        ChartPoint(row.start, row.value, row.low, row.high, bool(row.breach))
        for row in windows_of(incident, since, until)
    ]
    # As many bars as can be told apart, none narrower than a window.
    step = max(incident.minutes, math.ceil((until - since).total_seconds() / 60 / MOST_BARS))
    try:
        spec_name = effective_config(incident.installation).spec.name
    except Conflict:
        spec_name = ""
    return timeline(
        points,
        title=f"{incident.rule_words}: {incident.peak_words}",
        markers=[ChartMarker(marker.at, marker.words) for marker in markers_of(incident, spec_name, since, until)],
        volume=sorted(volume_of(incident, since, until, minutes=step).items()),
        volume_minutes=step,
    )
