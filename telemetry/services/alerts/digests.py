"""Summaries: what was gathered for a channel becomes one message, with counts for each installation."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from telemetry.models import (
    AlertChannel,
    IncidentStatus,
    Notification,
    NotificationKind,
    NotificationState,
)
from telemetry.services.alerts.claiming import awake
from tenants.context import ALL, tenant_context

__all__ = ["gather_digests"]

# Incidents that a summary names one by one; the counts hold them all.
NAMED: Final = 20
# Rows of one summary. What is left goes into the next one, a minute later.
_MOST: Final = 2_000


def gather_digests(now: datetime) -> int:
    """Each channel whose summary is due has one notification with all that was gathered for it; how many did.

    Safe to run many times at once: a channel that somebody else is at is passed over.
    """
    done = 0
    with tenant_context(ALL):
        due = Notification.objects.filter(state=NotificationState.GATHERED, due_at__lte=now)
        channels = sorted(set(due.values_list("channel_id", flat=True)))
    for channel_id in channels:
        with tenant_context(ALL):
            held = AlertChannel.objects.select_for_update(skip_locked=True).filter(awake(now), pk=channel_id).first()
            done += held is not None and _sum_up(held, now)
    return done


def _sum_up(channel: AlertChannel, now: datetime) -> bool:
    gathered = Notification.objects.filter(channel=channel, state=NotificationState.GATHERED, due_at__lte=now)
    rows = list(gathered.select_related("incident").order_by("id")[:_MOST])
    if not rows:
        return False
    digest = Notification.objects.create(
        tenant_id=channel.tenant_id,
        channel=channel,
        kind=NotificationKind.DIGEST,
        facts=_facts(channel, rows),
        created_at=now,
        due_at=now,
    )
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=NotificationState.SUMMED_UP, digest=digest, settled_at=now
    )
    return True


def _facts(channel: AlertChannel, rows: Sequence[Notification]) -> dict[str, Any]:
    """Counts of transitions for each installation, and the last of each incident."""
    places: dict[str, Counter[str]] = {}
    incidents: dict[int, Notification] = {}
    for row in rows:
        place = "{tenant} · {app} · {environment}".format_map(row.facts)
        places.setdefault(place, Counter())[row.kind] += 1
        if row.incident_id is not None:
            incidents[row.incident_id] = row
    still_open = Counter(
        "{tenant} · {app} · {environment}".format_map(row.facts)
        for row in incidents.values()
        if row.incident is not None and row.incident.status != IncidentStatus.RESOLVED
    )
    since = rows[0].created_at
    withheld = Notification.objects.filter(
        channel=channel, state=NotificationState.WITHHELD, created_at__gte=since
    ).count()
    named = list(incidents.items())[-NAMED:]
    return {
        "since": f"{since:%Y-%m-%d %H:%M} UTC",
        "is_storm": any(row.reason == "storm" for row in rows),
        "places": [
            {
                "place": place,
                "opened": counts[NotificationKind.OPENED] + counts[NotificationKind.REOPENED],
                "acknowledged": counts[NotificationKind.ACKNOWLEDGED],
                "resolved": counts[NotificationKind.RESOLVED],
                "still_open": still_open[place],
            }
            for place, counts in sorted(places.items())
        ],
        "incidents": [
            {
                "incident": incident_id,
                "event": row.facts["event"],
                "what": row.facts["what"],
                "state": row.facts["state"],
                "place": "{tenant} · {app} · {environment}".format_map(row.facts),
            }
            for incident_id, row in named
        ],
        "more": len(incidents) - len(named),
        "withheld": withheld,
    }
