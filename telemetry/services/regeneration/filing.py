"""Filing suggestions: one open proposal per cause, however often it is noticed, and by how many at once."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

import msgspec
from django.db import connection, transaction
from django.db.models import Sum

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.override_editing import own_override, with_own
from telemetry.core.plain import to_plain
from telemetry.core.proposals import JsonPatch, Suggestion, cause_key, make_patch, suggest
from telemetry.core.spec import TelemetrySpec
from telemetry.models import UNSETTLED_STATES, Proposal, ProposalEvidence, ProposalStatus
from telemetry.services.regeneration.noticed import Noticed
from tenants.mappers import override_of
from tenants.models import Installation
from tenants.selectors import published_config

__all__ = ["Filed", "FilingKind", "file_noticed"]

# A rejected cause speaks again once its evidence is twice what somebody rejected.
CLEARLY_STRONGER: Final = 2.0
# After publication, evidence of the time before is still in what adapters look back on.
QUIET_AFTER_PUBLICATION: Final = timedelta(days=14)


class FilingKind(StrEnum):
    """What came of a suggestion. ``quiet``: its cause was rejected, or a change was published, not long enough ago."""

    NEW = "new"
    EVIDENCE = "evidence"
    REOPENED = "reopened"
    QUIET = "quiet"


class Filed(NamedTuple):
    """A suggestion, what it is about in words, and what came of it."""

    kind: FilingKind
    rule: str
    spec: str
    target: str
    title: str


def file_noticed(noticed: Noticed, *, now: datetime) -> list[Filed]:
    """What the rules make of the signal is filed, each suggestion in its one proposal; nothing for most signals.

    One transaction for each suggestion. Called in a context that shows the tenant, or every tenant.
    """
    case = _case_of(noticed)
    filed = (_file(noticed, suggestion, now) for suggestion in suggest(case, noticed.signal))
    return [each for each in filed if each is not None]


def _case_of(noticed: Noticed) -> TelemetrySpec:
    """The spec as it holds where the signal comes from."""
    spec, signal = noticed.published.spec, noticed.signal
    if noticed.detection is None:
        return spec
    key = (signal.event, signal.event_version)
    events = tuple(
        msgspec.structs.replace(event, anomaly_detection=noticed.detection)
        if (event.name, event.version) == key
        else event
        for event in spec.events
    )
    return msgspec.structs.replace(spec, events=events)


class _Change(NamedTuple):
    installation: Installation | None
    base_version: int
    patch: JsonPatch


@transaction.atomic
def _file(noticed: Noticed, suggestion: Suggestion, now: datetime) -> Filed | None:
    change = _change(noticed, suggestion)
    if change is None or not change.patch:
        return None
    cause = cause_key(
        rule=suggestion.rule,
        spec=noticed.published.name,
        event=noticed.signal.event,
        event_version=noticed.signal.event_version,
        subject=suggestion.subject,
        installation="" if change.installation is None else str(change.installation.public_id),
    )
    _hold(cause)
    latest = Proposal.objects.select_for_update().filter(cause=cause).order_by("-id").first()
    kind = _kind(latest, noticed, now)
    if kind is FilingKind.NEW:
        latest = _create(noticed, suggestion, change, cause, now)
    elif latest is not None and latest.status != ProposalStatus.APPLIED:
        kind = _strengthen(latest, noticed, suggestion, change, now)
    target = "the spec" if change.installation is None else str(change.installation)
    return Filed(kind, suggestion.rule, noticed.published.name, target, suggestion.title)


def _hold(cause: str) -> None:
    """Until the transaction ends, nobody else files for this cause."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"studio_proposal_{cause}"])


def _kind(latest: Proposal | None, noticed: Noticed, now: datetime) -> FilingKind:
    if latest is None:
        return FilingKind.NEW
    if latest.status in UNSETTLED_STATES:
        return FilingKind.EVIDENCE
    if latest.status == ProposalStatus.REJECTED:
        return FilingKind.QUIET
    is_fresh = latest.applied_at is not None and now < latest.applied_at + QUIET_AFTER_PUBLICATION
    is_taken_back = latest.taken_back_at is not None
    is_weak = noticed.signal.strength < CLEARLY_STRONGER * latest.strength_at_decision
    return FilingKind.QUIET if is_fresh or (is_taken_back and is_weak) else FilingKind.NEW


def _change(noticed: Noticed, suggestion: Suggestion) -> _Change | None:
    """The change of the installation's override if it is to be its own, and an override can say it; else of the spec.

    ``None`` where the suggestion rests on what holds at one installation, and no override can say it.
    """
    if noticed.is_own and noticed.installation is not None and suggestion.own is not None:
        return _own_change(noticed.installation, noticed.published.spec, suggestion, suggestion.own)
    if noticed.detection is not None:
        return None
    spec = noticed.published.spec
    key = (suggestion.event.name, suggestion.event.version)
    events = tuple(suggestion.event if (each.name, each.version) == key else each for each in spec.events)
    patch = make_patch(_plain(spec), _plain(msgspec.structs.replace(spec, events=events)))
    return _Change(None, noticed.published.version.version, patch)


def _own_change(installation: Installation, spec: TelemetrySpec, suggestion: Suggestion, own: EventOverride) -> _Change:
    live = published_config(installation)
    before = TenantOverride() if live is None else override_of(live)
    name, version = suggestion.event.name, suggestion.event.version
    versions = [event.version for event in spec.events if event.name == name]
    said = {(name, each): own_override(before, name, each) for each in versions}
    said[name, version] = _with(said[name, version], own)
    patch = make_patch(_plain(before), _plain(with_own(before, said)))
    return _Change(installation, 0 if live is None else live.number, patch)


def _with(said: EventOverride, own: EventOverride) -> EventOverride:
    """What the override said, and the suggestion's words over it."""
    nothing = EventOverride()
    given = {
        field: value for field in own.__struct_fields__ if (value := getattr(own, field)) != getattr(nothing, field)
    }
    if "redaction" in given:
        given["redaction"] = {**said.redaction, **own.redaction}
    if said.anomaly_detection is not None and own.anomaly_detection is not None:
        lists = {field: getattr(own.anomaly_detection, field) for field in ("thresholds", "rules")}
        known = {field: value for field, value in lists.items() if value is not None}
        given["anomaly_detection"] = msgspec.structs.replace(said.anomaly_detection, **known)
    return msgspec.structs.replace(said, **given)


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    return cast("dict[str, Any]", to_plain(value))


def _create(noticed: Noticed, suggestion: Suggestion, change: _Change, cause: str, now: datetime) -> Proposal:
    proposal = Proposal(
        tenant_id=None if change.installation is None else change.installation.tenant_id,
        installation=change.installation,
        cause=cause,
        spec_name=noticed.published.name,
        event_name=noticed.signal.event,
        event_version=noticed.signal.event_version,
        created_at=now,
        strength=noticed.signal.strength,
    )
    _say(proposal, suggestion, change, now)
    proposal.save()
    _add_evidence(proposal, noticed, now)
    return proposal


def _strengthen(
    proposal: Proposal, noticed: Noticed, suggestion: Suggestion, change: _Change, now: datetime
) -> FilingKind:
    """The proposal has this evidence too; while nobody has decided, it says what the strongest evidence asks for."""
    before = proposal.strength
    _add_evidence(proposal, noticed, now)
    proposal.strength = float(proposal.evidence.aggregate(total=Sum("strength"))["total"] or 0.0)
    proposal.last_signal_at = now
    kind = FilingKind.EVIDENCE
    if proposal.status == ProposalStatus.REJECTED:
        if proposal.strength < CLEARLY_STRONGER * proposal.strength_at_decision:
            proposal.save(update_fields=["strength"])
            return FilingKind.QUIET
        proposal.status, proposal.reopened_at, kind = ProposalStatus.PENDING, now, FilingKind.REOPENED
        _say(proposal, suggestion, change, now)
    elif proposal.status != ProposalStatus.ACCEPTED and proposal.strength >= before:
        _say(proposal, suggestion, change, now)
    until = proposal.snoozed_until
    if proposal.status == ProposalStatus.SNOOZED and until is not None and until <= now:
        proposal.status, proposal.snoozed_until = ProposalStatus.PENDING, None
    proposal.save()
    return kind


def _say(proposal: Proposal, suggestion: Suggestion, change: _Change, now: datetime) -> None:
    proposal.rule, proposal.subject = suggestion.rule, suggestion.subject
    proposal.title = suggestion.title[:300]
    proposal.summary, proposal.rationale = suggestion.summary, suggestion.rationale
    proposal.confidence, proposal.blockers = suggestion.confidence.value, list(suggestion.blockers)
    proposal.patch, proposal.base_version = change.patch, change.base_version
    proposal.promise = _plain(suggestion.promise)
    proposal.last_signal_at = now


def _add_evidence(proposal: Proposal, noticed: Noticed, now: datetime) -> None:
    signal, installation = noticed.signal, noticed.installation
    known = ProposalEvidence.objects.filter(proposal=proposal, source=signal.source[:300]).first()
    evidence = known or ProposalEvidence(
        proposal=proposal,
        source=signal.source[:300],
        tenant_id=None if installation is None else installation.tenant_id,
        installation=installation,
        first_seen_at=now,
        times=0,
    )
    evidence.kind, evidence.facts = signal.kind.value, dict(signal.facts)
    evidence.strength, evidence.last_seen_at = signal.strength, now
    evidence.times += 1
    evidence.save()
