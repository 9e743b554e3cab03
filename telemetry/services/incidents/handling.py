"""What people do with incidents: take them up, talk about them, mute them, close them."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import Incident, IncidentEntry, IncidentEntryKind, IncidentStatus
from telemetry.services.alerts.telling import tell
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = [
    "LONGEST_COMMENT",
    "LONGEST_MUTE",
    "acknowledge_incident",
    "assign_incident",
    "comment_on_incident",
    "mute_incident",
    "resolve_incident",
    "unmute_incident",
]

# What alert channels hear of; whoever unmutes an incident knows of it.
_TOLD: Final = (IncidentEntryKind.ACKNOWLEDGED, IncidentEntryKind.RESOLVED)
LONGEST_COMMENT: Final = 2_000
# Whoever wants less of a rule for longer should change the rule.
LONGEST_MUTE: Final = timedelta(days=30)


@transaction.atomic
def acknowledge_incident(*, actor: Actor, incident: Incident) -> Incident:
    """Somebody looks after it, by default the one who acknowledged; it still grows and resolves by itself.

    Needs ``incident.handle`` in the tenant, as all deeds here. Raises ``Conflict`` for a resolved one.
    """
    held = _hold(actor, incident)
    was_muted = held.is_muted(timezone.now())
    held.status = IncidentStatus.ACKNOWLEDGED
    held.muted_until = None
    if held.assignee_id is None and actor.user_id is not None:
        held.assignee_id = actor.user_id
    return _done(actor, held, IncidentEntryKind.ACKNOWLEDGED, "", was_muted=was_muted)


@transaction.atomic
def assign_incident(*, actor: Actor, incident: Incident, assignee: AbstractBaseUser | None) -> Incident:
    """It is this person's, or nobody's. Raises ``Conflict`` for a resolved one."""
    held = _hold(actor, incident)
    held.assignee_id = None if assignee is None else assignee.pk
    words = "to nobody" if assignee is None else f"to {assignee.get_username()}"
    return _done(actor, held, IncidentEntryKind.ASSIGNED, words)


@transaction.atomic
def comment_on_incident(*, actor: Actor, incident: Incident, text: str) -> Incident:
    """The comment stands in its history; a resolved one may be commented on too. Raises ``InvalidDocument``."""
    require(actor, "incident.handle", incident.tenant_id)
    words = text.strip()
    if not words or len(words) > LONGEST_COMMENT or "\0" in words:
        message = f"must be text of 1 to {LONGEST_COMMENT} characters"
        raise InvalidDocument([FieldError("wrong_form", "text", message)], what="comment")
    return _done(actor, incident, IncidentEntryKind.COMMENTED, words)


@transaction.atomic
def mute_incident(*, actor: Actor, incident: Incident, until: datetime) -> Incident:
    """Nobody is told of it until the instant; it still grows, and is open again if the breach lasts longer.

    Raises ``InvalidDocument`` for an instant that is past or more than 30 days ahead, ``Conflict`` for a resolved one.
    """
    now = timezone.now()
    if not now < until <= now + LONGEST_MUTE:
        message = f"must be ahead, by {LONGEST_MUTE.days} days at most"
        raise InvalidDocument([FieldError("out_of_range", "until", message)], what="mute")
    held = _hold(actor, incident)
    held.status, held.muted_until = IncidentStatus.MUTED, until
    return _done(actor, held, IncidentEntryKind.MUTED, f"until {until:%Y-%m-%d %H:%M} UTC")


@transaction.atomic
def unmute_incident(*, actor: Actor, incident: Incident) -> Incident:
    """It is open. Raises ``Conflict`` for a resolved one."""
    held = _hold(actor, incident)
    held.status, held.muted_until = IncidentStatus.OPEN, None
    return _done(actor, held, IncidentEntryKind.UNMUTED, "")


@transaction.atomic
def resolve_incident(*, actor: Actor, incident: Incident) -> Incident:
    """It is over, whatever the metric says; the next breach opens another. Raises ``Conflict`` if it was over."""
    held = _hold(actor, incident)
    now = timezone.now()
    was_muted = held.is_muted(now)
    held.status, held.resolved_at, held.muted_until = IncidentStatus.RESOLVED, now, None
    return _done(actor, held, IncidentEntryKind.RESOLVED, "by hand", was_muted=was_muted)


def _hold(actor: Actor, incident: Incident) -> Incident:
    """The incident as it is now, locked."""
    require(actor, "incident.handle", incident.tenant_id)
    held = Incident.objects.select_for_update().get(pk=incident.pk)
    if held.status == IncidentStatus.RESOLVED:
        raise Conflict("this incident is resolved already")
    return held


def _done(actor: Actor, incident: Incident, kind: IncidentEntryKind, text: str, *, was_muted: bool = False) -> Incident:
    incident.save()
    entry = IncidentEntry.objects.create(
        tenant_id=incident.tenant_id,
        incident=incident,
        kind=kind,
        at=timezone.now(),
        actor_label=actor.label[:200],
        text=text,
    )
    if kind in _TOLD:
        tell(incident, entry, was_muted=was_muted)
    audit.record(actor=actor, action=f"incident.{kind.value}", target=incident, tenant_id=incident.tenant_id)
    return incident
