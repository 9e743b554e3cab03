"""A transition of an incident becomes rows, in its own transaction: one for each channel that is to know."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.enums import AnomalyAction
from telemetry.models import (
    AlertChannel,
    Incident,
    IncidentEntry,
    IncidentEntryKind,
    Notification,
    NotificationKind,
    NotificationState,
    Pace,
)
from telemetry.services.alerts.routing import channels_for
from tenants.models import Installation

__all__ = ["PUT_OFF", "next_summary_at", "tell"]

# What is told of; the rest of an incident's history is for its page.
_TOLD: Final = {
    IncidentEntryKind.OPENED: NotificationKind.OPENED,
    IncidentEntryKind.UNMUTED: NotificationKind.REOPENED,
    IncidentEntryKind.ACKNOWLEDGED: NotificationKind.ACKNOWLEDGED,
    IncidentEntryKind.RESOLVED: NotificationKind.RESOLVED,
}
_BEGINNINGS: Final = (NotificationKind.OPENED, NotificationKind.REOPENED)
# Why an opening waits though nothing is wrong.
PUT_OFF: Final = ("repeat", "channel_muted")
_STATE_WORDS: Final = {
    NotificationKind.OPENED: "opened",
    NotificationKind.REOPENED: "open again",
    NotificationKind.ACKNOWLEDGED: "acknowledged",
    NotificationKind.RESOLVED: "resolved",
}


def tell(incident: Incident, entry: IncidentEntry, *, was_muted: bool = False) -> None:
    """Each channel that is to know of the transition has one row for it; those that are told nothing have a row too.

    Only incidents whose rule asks for an alert are told. An opening goes where the routes lead; what follows goes to
    those who were told of the opening, in the way in which they were. ``was_muted`` says that the incident was muted
    until this transition. At most five queries, two for a channel that is told of an opening.
    """
    kind = _TOLD.get(IncidentEntryKind(entry.kind))
    if kind is None or AnomalyAction.ALERT.value not in incident.actions:
        return
    installation = Installation.objects.select_related("tenant", "app").get(pk=incident.installation_id)
    facts = _facts(incident, installation, kind)
    rows = _openings(incident, installation, entry) if kind is NotificationKind.OPENED else _followers(incident, kind)
    for channel, opening in rows:
        row = Notification(
            tenant_id=incident.tenant_id,
            channel=channel,
            incident=incident,
            entry=entry,
            kind=kind,
            facts=facts,
            created_at=entry.at,
            due_at=entry.at,
        )
        _decide(row, channel, opening, was_muted=was_muted)
        row.save(force_insert=True)


def next_summary_at(channel: AlertChannel, now: datetime) -> datetime:
    """When the channel's next summary leaves: at its hour of the day, or else at the next full hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if channel.pace != Pace.DAILY:
        return hour + timedelta(hours=1)
    today = hour.replace(hour=channel.digest_hour)
    return today if today > now else today + timedelta(days=1)


def _openings(
    incident: Incident, installation: Installation, entry: IncidentEntry
) -> Iterator[tuple[AlertChannel, Notification | None]]:
    """Where the routes lead, each with an earlier opening of the same rule that makes this one a repetition."""
    for channel in channels_for(incident, installation):
        since = entry.at - timedelta(minutes=channel.quiet_minutes)
        earlier = Notification.objects.filter(
            channel=channel,
            kind__in=_BEGINNINGS,
            created_at__gt=since,
            incident__installation_id=incident.installation_id,
            incident__event_name=incident.event_name,
            incident__event_version=incident.event_version,
            incident__rule=incident.rule,
        ).exclude(state=NotificationState.WITHHELD)
        yield channel, earlier.order_by("-id").first() if channel.quiet_minutes else None


def _followers(incident: Incident, kind: NotificationKind) -> Iterator[tuple[AlertChannel, Notification | None]]:
    """Who was told of the opening and wants to know of this, with the row of that opening."""
    rows = Notification.objects.filter(incident=incident, kind=NotificationKind.OPENED).select_related("channel")
    for opening in rows.order_by("channel_id"):
        channel = opening.channel
        wanted = {
            NotificationKind.ACKNOWLEDGED: channel.tells_acknowledgement,
            NotificationKind.RESOLVED: channel.tells_end,
        }
        if channel.is_enabled and wanted.get(kind, True):
            yield channel, opening


def _decide(row: Notification, channel: AlertChannel, earlier: Notification | None, *, was_muted: bool) -> None:
    """Whether and when the row is sent, gathered or withheld."""
    if was_muted:
        _withhold(row, "muted")
    elif row.kind != NotificationKind.OPENED and earlier is not None and _is_untold(row, earlier):
        _withhold(row, earlier.reason)
    elif row.kind != NotificationKind.OPENED and earlier is not None and earlier.state == NotificationState.GATHERED:
        row.state, row.due_at, row.reason = NotificationState.GATHERED, earlier.due_at, earlier.reason
    elif channel.pace != Pace.AT_ONCE:
        row.state, row.due_at = NotificationState.GATHERED, next_summary_at(channel, row.created_at)
    elif row.kind == NotificationKind.OPENED and earlier is not None:
        # It is told when the quiet time is over, should it last as long.
        row.reason, row.due_at = "repeat", earlier.created_at + timedelta(minutes=channel.quiet_minutes)
    elif channel.muted_until is not None and channel.muted_until > row.created_at:
        row.reason = "channel_muted"


def _is_untold(row: Notification, opening: Notification) -> bool:
    """Whether the opening was never sent, so that what follows is not either; an end takes it off the list."""
    if opening.state == NotificationState.WITHHELD:
        return row.kind != NotificationKind.REOPENED
    if opening.reason not in PUT_OFF:
        return False
    untouched = Notification.objects.filter(pk=opening.pk, state=NotificationState.WAITING, attempts=0)
    if row.kind == NotificationKind.RESOLVED:
        return bool(untouched.update(state=NotificationState.WITHHELD, settled_at=row.created_at))
    return untouched.exists()


def _withhold(row: Notification, reason: str) -> None:
    row.state, row.reason, row.settled_at = NotificationState.WITHHELD, reason, row.created_at


def _facts(incident: Incident, installation: Installation, kind: NotificationKind) -> dict[str, str]:
    """The words of a message but for its link: of specs, rules and counts, and nothing that an event carried."""
    return {
        "state": _STATE_WORDS[kind],
        "event": incident.event_name,
        "version": str(incident.event_version),
        "rule": incident.rule,
        "what": incident.rule_words,
        "reading": incident.alert_words,
        "side": incident.side,
        "minutes": str(incident.minutes),
        "tenant": installation.tenant.slug,
        "app": installation.app.slug,
        "environment": installation.environment,
        "installation": str(installation.public_id),
        "began": f"{incident.first_window:%Y-%m-%d %H:%M} UTC",
    }
