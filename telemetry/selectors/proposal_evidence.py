"""What speaks for a proposal over time, for its charts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Sum

from telemetry.core.paths import key_path
from telemetry.core.proposals import SignalKind
from telemetry.models import JudgedWindow, Proposal, ProposalEvidence, ViolationDay
from telemetry.selectors.balance import counts_series

__all__ = ["EvidencePoint", "EvidenceSeries", "proposals_of_incident", "series_of"]

DAYS: Final = 14
# As many as can be told apart on a chart.
MOST_POINTS: Final = 400
_CODES: Final = {
    SignalKind.UNDECLARED_PROPERTY.value: "undeclared_property",
    SignalKind.MISSING_PROPERTY.value: "missing_required",
}


class EvidencePoint(NamedTuple):
    """One window or day: what was counted or measured, and what the rule took for normal."""

    at: datetime
    value: float | None
    low: float | None = None
    high: float | None = None
    is_breach: bool = False


class EvidenceSeries(NamedTuple):
    """One chart: what it shows in words, and its points, oldest first."""

    words: str
    points: Sequence[EvidencePoint]


def series_of(proposal: Proposal, evidence: ProposalEvidence, *, now: datetime) -> EvidenceSeries:
    """The windows of the rule, the violations by day, or else how many of the events came by day; one query."""
    if evidence.kind == SignalKind.RULE_BREACH.value and evidence.installation_id is not None:
        return _windows(proposal, evidence.installation_id)
    if evidence.kind in _CODES and evidence.installation_id is not None:
        return _violations(proposal, evidence.kind, evidence.installation_id, now)
    return _traffic(proposal, evidence.installation_id, now)


def proposals_of_incident(incident_id: int) -> list[Proposal]:
    """The proposals for which the incident speaks, as far as the context shows them; one query."""
    rows = Proposal.objects.filter(evidence__source=f"incident:{incident_id}")
    return list(rows.order_by("-id").distinct()[:10])


def _windows(proposal: Proposal, installation_id: int) -> EvidenceSeries:
    rows = JudgedWindow.objects.filter(
        installation_id=installation_id,
        event_name=proposal.event_name,
        event_version=proposal.event_version,
        rule=proposal.subject,
        value__isnull=False,
    )
    newest = list(rows.order_by("-start")[:MOST_POINTS])
    points = [EvidencePoint(row.start, row.value, row.low, row.high, bool(row.breach)) for row in reversed(newest)]
    what = "share of values beyond the bound" if proposal.subject.startswith("threshold:") else proposal.subject
    return EvidenceSeries(f"{what}, window by window", points)


def _violations(proposal: Proposal, kind: str, installation_id: int, now: datetime) -> EvidenceSeries:
    first = now.date() - timedelta(days=DAYS - 1)
    rows = ViolationDay.objects.filter(
        violation__installation_id=installation_id,
        violation__event_name=proposal.event_name,
        violation__path=key_path("properties", proposal.subject),
        violation__code=_CODES[kind],
        day__gte=first,
    ).order_by()
    counts = dict(rows.values_list("day").annotate(Sum("count")))
    days = [first + timedelta(days=place) for place in range(DAYS)]
    points = [EvidencePoint(datetime(*day.timetuple()[:3], tzinfo=UTC), float(counts.get(day, 0))) for day in days]
    return EvidenceSeries(f"events with this violation at {proposal.subject}, by day", points)


def _traffic(proposal: Proposal, installation_id: int | None, now: datetime) -> EvidenceSeries:
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    step = timedelta(hours=12)
    series = counts_series(installation_id, end - timedelta(days=DAYS), end, step, name=proposal.event_name)
    points = [EvidencePoint(at, float(counts.received - counts.duplicate)) for at, counts in series]
    return EvidenceSeries(f"{proposal.event_name} received, by half day", points)
