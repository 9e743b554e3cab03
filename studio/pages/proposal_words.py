"""How proposals are spoken of on pages."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from studio import markup
from telemetry.core.proposals import Confidence, Measure, Promise, SignalKind
from telemetry.models import PromiseState, Proposal, ProposalStatus
from telemetry.selectors.proposals import pending_proposals
from tenants.actors import Actor

__all__ = [
    "confidence_chip",
    "fact_words",
    "outcome_chip",
    "promise_words",
    "proposal_chip",
    "value_words",
    "waiting_proposals",
]

TONES: Final = {
    ProposalStatus.PENDING: "blue",
    ProposalStatus.SNOOZED: "grey",
    ProposalStatus.ACCEPTED: "amber",
    ProposalStatus.REJECTED: "red",
    ProposalStatus.APPLIED: "green",
}
CONFIDENCE_TONES: Final = {Confidence.LOW: "grey", Confidence.MEDIUM: "blue", Confidence.HIGH: "green"}
OUTCOMES: Final = {
    PromiseState.WAITING: ("being measured", "blue"),
    PromiseState.KEPT: ("promise kept", "green"),
    PromiseState.BROKEN: ("promise broken", "red"),
}
MEASURES: Final = {
    Measure.BREACH_SHARE: "share of windows in breach",
    Measure.VIOLATION_SHARE: "share of events with the violation",
    Measure.UNHIDDEN_VALUES: "values that read like personal data and are stored as they are",
    Measure.KEPT_SHARE: "share of events that is kept",
    Measure.RECEIVED: "events that come",
    Measure.LONGEST_DAYS: "days for which an event is kept",
    Measure.KEPT_PER_WINDOW: "events kept in a usual window",
    Measure.SENT_SHARE: "share of events that carry the property",
}
SHARES: Final = (Measure.BREACH_SHARE, Measure.VIOLATION_SHARE, Measure.KEPT_SHARE, Measure.SENT_SHARE)
# What is read first; what is not named here comes after it.
FACTS: Final = (
    *("breaching", "windows", "events", "found", "checked", "per_day", "reads", "share", "days", "type", "detector"),
    *("received", "kept", "minimum", "kept_days", "oldest_read_days", "p50", "p99", "p999"),
)
SOURCES: Final = {
    SignalKind.RULE_BREACH: "Windows of the anomaly rule",
    SignalKind.UNDECLARED_PROPERTY: "Undeclared property",
    SignalKind.PERSONAL_DATA: "Detector",
    SignalKind.MISSING_PROPERTY: "Missing property",
    SignalKind.VOLUME: "Traffic",
    SignalKind.UNUSED_EVENT: "No use",
    SignalKind.UNUSED_PROPERTY: "Never sent",
    SignalKind.RETENTION: "Who reads back",
    SignalKind.SAMPLE: "Samples of windows",
    SignalKind.CONDITION: "Sampling conditions",
}


def proposal_chip(proposal: Proposal) -> SafeString:
    """Where the proposal stands, the same everywhere."""
    status = ProposalStatus(proposal.status)
    if proposal.taken_back_at is not None:
        return markup.chip("taken back", "grey")
    return markup.chip(status.label.lower(), TONES[status])


def confidence_chip(confidence: str) -> SafeString:
    """How sure the rule is."""
    known = Confidence(confidence)
    return markup.chip(f"{known.value} confidence", CONFIDENCE_TONES[known])


def outcome_chip(outcome: str) -> SafeString:
    """Whether the promise held; empty before publication."""
    words = OUTCOMES.get(PromiseState(outcome))
    return SafeString("") if words is None else markup.chip(*words)


def promise_words(promise: Promise) -> str:
    """What has to come true, in a sentence without a full stop."""
    bounds = [
        f"{word} {value_words(promise.measure, bound)}"
        for word, bound in (("at least", promise.least), ("at most", promise.most))
        if bound is not None
    ]
    return f"the {MEASURES[promise.measure]} is {' and '.join(bounds)}"


def value_words(measure: Measure, value: float) -> str:
    """What was measured, with its unit."""
    if measure in SHARES:
        return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"
    return f"{value:,.0f}"


def fact_words(kind: str, facts: Mapping[str, Any]) -> str:
    """The evidence in a line: its numbers and words by name."""
    said = SOURCES.get(SignalKind(kind), kind) if kind in set(SignalKind) else kind
    ordered = sorted(facts.items(), key=lambda fact: FACTS.index(fact[0]) if fact[0] in FACTS else len(FACTS))
    shown = [f"{name.replace('_', ' ')} {_shown(value)}" for name, value in ordered if value not in ("", None)]
    return f"{said}: {', '.join(shown)}"


def waiting_proposals(actor: Actor) -> QuerySet[Proposal] | None:
    """The proposals that wait for this person; ``None`` for somebody who may not decide about any."""
    return pending_proposals() if actor.can_somewhere("proposal.decide") else None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)
