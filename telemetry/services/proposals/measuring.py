"""Whether what was promised came true: measured after publication, of what was received since."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

import msgspec
from django.db import transaction
from django.utils import timezone

from telemetry.core.proposals import Measure, Promise
from telemetry.core.proposals.suggestion import keeps_promise
from telemetry.models import JudgedWindow, PromiseState, Proposal, ProposalStatus
from telemetry.selectors.since import counts_since, detail_since, kept_in_windows
from telemetry.selectors.stored_facts import longest_days
from telemetry.services.proposals.publication import counts_of
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.services import audit

__all__ = ["MEASURED_FOR", "Measured", "measure_proposal", "measure_proposals"]

# Long enough that every weekday was seen twice; then the answer stands.
MEASURED_FOR: Final = timedelta(days=14)
# The width of windows in which samples are counted: that of anomaly rules unless a spec says otherwise.
WINDOW_MINUTES: Final = 5


class Measured(NamedTuple):
    """What was measured, and on how much it rests; ``None`` while there is nothing to read."""

    value: float | None
    sample: int


def measure_proposals(*, now: datetime | None = None) -> int:
    """Every change that was published lately is measured, and says whether its promise holds; how many there were.

    Each in a transaction of its own. Running it twice, or at the same time, measures again and changes nothing more.
    """
    instant = now or timezone.now()
    with tenant_context(ALL):
        due = Proposal.objects.filter(
            status=ProposalStatus.APPLIED, applied_at__gte=instant - MEASURED_FOR, taken_back_at=None
        )
        ids = list(due.order_by("id").values_list("pk", flat=True))
    for proposal_id in ids:
        with tenant_context(ALL):
            _measure(proposal_id, instant)
    return len(ids)


@transaction.atomic
def _measure(proposal_id: int, now: datetime) -> None:
    proposal = Proposal.objects.select_for_update(of=("self",)).filter(pk=proposal_id, taken_back_at=None).first()
    if proposal is None or proposal.applied_at is None:
        return
    promise = msgspec.convert(proposal.promise, Promise)
    found = measure_proposal(proposal, promise, now)
    proposal.measured_at, proposal.measured_value, proposal.measured_sample = now, found.value, found.sample
    before = proposal.outcome
    if found.value is not None and found.sample >= promise.sample:
        proposal.outcome = PromiseState.KEPT if keeps_promise(promise, found.value) else PromiseState.BROKEN
    elif found.value is not None and promise.measure is Measure.RECEIVED and not keeps_promise(promise, found.value):
        # What came, came: no day that is still to come takes it back.
        proposal.outcome = PromiseState.BROKEN
    proposal.save(update_fields=["measured_at", "measured_value", "measured_sample", "outcome"])
    if proposal.outcome != before:
        audit.record(
            actor=SYSTEM,
            action="proposal.measured",
            target=proposal,
            tenant_id=proposal.tenant_id,
            details={"outcome": proposal.outcome, "measure": promise.measure.value, "value": found.value},
        )


def measure_proposal(proposal: Proposal, promise: Promise, now: datetime) -> Measured:
    """What the promise's measure is since the change went live; up to two queries."""
    if proposal.applied_at is None:
        return Measured(None, 0)
    return _MEASURES[promise.measure](proposal, proposal.applied_at, now)


def _breach_share(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    rows = JudgedWindow.objects.filter(
        event_name=proposal.event_name,
        event_version=proposal.event_version,
        rule=proposal.subject,
        is_history=False,
        is_judged=True,
        start__gte=since,
    )
    if proposal.installation_id is not None:
        rows = rows.filter(installation_id=proposal.installation_id)
    breaches = list(rows.order_by().values_list("breach", flat=True))
    return Measured(sum(map(bool, breaches)) / len(breaches) if breaches else None, len(breaches))


def _violation_share(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    received = _received(proposal, since)
    grown = counts_of(proposal).get("violations", 0) - proposal.counts_before.get("violations", 0)
    return Measured(max(0, grown) / received if received else None, received)


def _unhidden_values(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    received = _received(proposal, since)
    grown = counts_of(proposal).get("found", 0) - proposal.counts_before.get("found", 0)
    return Measured(float(max(0, grown)) if received else None, received)


def _kept_share(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    counts = counts_since(*_key(proposal), since, installation_id=proposal.installation_id)
    decided = counts.stored + counts.sampled_out
    return Measured(counts.stored / decided if decided else None, decided)


def _received_at_all(proposal: Proposal, since: datetime, now: datetime) -> Measured:
    return Measured(float(_received(proposal, since)), (now - since).days)


def _longest_days(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    found = longest_days(*_key(proposal), since, installation_id=proposal.installation_id)
    return Measured(found, 0 if found is None else 1)


def _kept_per_window(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    kept = kept_in_windows(*_key(proposal), since, minutes=WINDOW_MINUTES, installation_id=proposal.installation_id)
    return Measured(float(median(kept)) if kept else None, len(kept))


def _sent_share(proposal: Proposal, since: datetime, _: datetime) -> Measured:
    detail = detail_since(*_key(proposal), since, installation_id=proposal.installation_id)
    if not detail.valid:
        return Measured(None, 0)
    return Measured(1.0 - detail.missing.get(proposal.subject, 0) / detail.valid, detail.valid)


def _key(proposal: Proposal) -> tuple[str, int]:
    return proposal.event_name, proposal.event_version


def _received(proposal: Proposal, since: datetime) -> int:
    return counts_since(*_key(proposal), since, installation_id=proposal.installation_id).received


_MEASURES: Final[Mapping[Measure, Callable[[Proposal, datetime, datetime], Measured]]] = {
    Measure.BREACH_SHARE: _breach_share,
    Measure.VIOLATION_SHARE: _violation_share,
    Measure.UNHIDDEN_VALUES: _unhidden_values,
    Measure.KEPT_SHARE: _kept_share,
    Measure.RECEIVED: _received_at_all,
    Measure.LONGEST_DAYS: _longest_days,
    Measure.KEPT_PER_WINDOW: _kept_per_window,
    Measure.SENT_SHARE: _sent_share,
}
