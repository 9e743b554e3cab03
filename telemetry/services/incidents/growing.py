"""From judged windows to incidents: opened once, grown while the breach lasts, resolved when it is over."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.anomaly.episodes import Episode, Transition, advance
from telemetry.core.enums import AnomalyAction
from telemetry.models import (
    Incident,
    IncidentEntry,
    IncidentEntryKind,
    IncidentStatus,
    JudgedWindow,
    RegenerationRequest,
)
from telemetry.services.alerts.telling import tell
from telemetry.services.anomalies.watching import WatchedRule
from tenants.models import Installation

__all__ = ["OpenCases"]

logger = logging.getLogger(__name__)

# What begins so soon after another incident of the installation is taken for the same trouble.
TOGETHER: Final = timedelta(minutes=30)


class OpenCases:
    """The incidents of an installation that are open, held while its windows are judged; one query.

    ``now`` is the instant of the evaluation.
    """

    def __init__(self, installation: Installation, now: datetime) -> None:
        self.installation, self.now = installation, now
        held = Incident.objects.select_for_update().filter(installation=installation)
        unresolved = held.exclude(status=IncidentStatus.RESOLVED).order_by("id")
        self._open = {(each.event_name, each.event_version, each.rule): each for each in unresolved}

    def grow(self, watched: WatchedRule, windows: Sequence[JudgedWindow]) -> None:
        """The rule's incident is where these windows, oldest first, leave it; called once for each window.

        No query if nothing is open and nothing is breached.
        """
        for window in windows:
            self._take(watched, window)

    def amend(self, watched: WatchedRule, changed: Sequence[tuple[JudgedWindow, str]]) -> None:
        """Windows that were judged again are in the incident as they are now; each comes with the breach it had before.

        Nobody is told again. An incident that loses its last breach was none, and is resolved with a word on why. A
        breach that late events show joins the open incident, or opens one.
        """
        for window, before in changed:
            incident = self._open.get(_key(watched))
            if bool(before) == bool(window.breach):
                continue
            if window.breach:
                self._take(watched, window)
            elif (
                incident is not None and incident.first_window <= window.start and _withdraw(incident, window, self.now)
            ):
                del self._open[_key(watched)]

    def _take(self, watched: WatchedRule, window: JudgedWindow) -> None:
        incident = self._open.pop(_key(watched), None)
        after = _take(self.installation, watched, incident, window, self.now)
        if after is not None:
            self._open[_key(watched)] = after


def _key(watched: WatchedRule) -> tuple[str, int, str]:
    return watched.event.name, watched.event.version, watched.name


def _take(
    installation: Installation, watched: WatchedRule, incident: Incident | None, window: JudgedWindow, now: datetime
) -> Incident | None:
    episode = None if incident is None else Episode(incident.breaches, incident.calm)
    after, transition = advance(episode, is_breach=bool(window.breach), is_judged=window.is_judged)
    if transition is Transition.OPENED:
        return _open(installation, watched, window, now)
    if incident is None:
        return None
    if after is None:
        _resolve(incident, now, "the metric is back to normal" if window.is_judged else "there is nothing to judge")
        return None
    incident.breaches, incident.calm = after
    if transition is Transition.CONTINUED:
        _continue(incident, window, now)
    incident.save()
    return incident


def _open(installation: Installation, watched: WatchedRule, window: JudgedWindow, now: datetime) -> Incident:
    incident = Incident.objects.create(
        tenant_id=installation.tenant_id,
        installation=installation,
        event_name=watched.event.name,
        event_version=watched.event.version,
        rule=watched.name,
        rule_words=watched.words[:300],
        minutes=watched.minutes,
        actions=[action.value for action in watched.actions],
        side=window.breach,
        first_window=window.start,
        last_breach_at=window.start + timedelta(minutes=watched.minutes),
        peak_value=window.value,
        peak_score=window.score,
        peak_words=window.words,
        alert_words=watched.words_outside(window.breach, window.words)[:300],
        opened_at=now,
        group=_earlier(installation, now),
    )
    tell(incident, _note(incident, IncidentEntryKind.OPENED, now, window.words))
    if AnomalyAction.LOG in watched.actions:
        logger.warning("incident.opened", extra=_for_log(incident))
    if AnomalyAction.TRIGGER_REGEN in watched.actions:
        RegenerationRequest.objects.create(tenant_id=incident.tenant_id, incident=incident, requested_at=now)
    return incident


def _earlier(installation: Installation, now: datetime) -> Incident | None:
    """The incident that this one goes with: the first of those that began shortly before and are still open."""
    recent = Incident.objects.filter(installation=installation, opened_at__gte=now - TOGETHER)
    found = recent.exclude(status=IncidentStatus.RESOLVED).select_related("group").order_by("opened_at", "id").first()
    return None if found is None else found.group or found


def _continue(incident: Incident, window: JudgedWindow, now: datetime) -> None:
    incident.last_breach_at = max(incident.last_breach_at, window.start + timedelta(minutes=incident.minutes))
    incident.first_window = min(incident.first_window, window.start)
    if window.score > incident.peak_score:
        incident.peak_value, incident.peak_score, incident.peak_words = window.value, window.score, window.words
    if incident.status == IncidentStatus.MUTED and incident.muted_until is not None and incident.muted_until <= now:
        incident.status, incident.muted_until = IncidentStatus.OPEN, None
        tell(incident, _note(incident, IncidentEntryKind.UNMUTED, now, "the mute ended while the breach lasts"))


def _resolve(incident: Incident, now: datetime, words: str) -> None:
    was_muted = incident.is_muted(now)
    incident.status, incident.resolved_at, incident.muted_until = IncidentStatus.RESOLVED, now, None
    incident.save()
    tell(incident, _note(incident, IncidentEntryKind.RESOLVED, now, words), was_muted=was_muted)
    if AnomalyAction.LOG.value in incident.actions:
        logger.info("incident.resolved", extra=_for_log(incident))


def _withdraw(incident: Incident, window: JudgedWindow, now: datetime) -> bool:
    """One breach less; whether none is left, and the incident is over."""
    incident.breaches -= 1
    if incident.breaches < 1:
        incident.breaches = 0
        _resolve(incident, now, "events that came late show that there was no breach")
        return True
    incident.save()
    words = f"with late events, the window from {window.start:%Y-%m-%d %H:%M} is no breach: {window.words}"
    _note(incident, IncidentEntryKind.AMENDED, now, words)
    return False


def _note(incident: Incident, kind: IncidentEntryKind, now: datetime, text: str) -> IncidentEntry:
    return IncidentEntry.objects.create(tenant_id=incident.tenant_id, incident=incident, kind=kind, at=now, text=text)


def _for_log(incident: Incident) -> dict[str, object]:
    """Ids and names of the spec; no value of an event."""
    return {
        "incident": incident.pk,
        "installation": incident.installation_id,
        "event": f"{incident.event_name}@{incident.event_version}",
        "rule": incident.rule,
        "side": incident.side,
        "breaches": incident.breaches,
    }
