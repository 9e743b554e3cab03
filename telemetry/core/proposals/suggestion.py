"""What a rule makes of a signal: a changed event, why, how sure it is, and what has to come true."""

from enum import StrEnum

import msgspec

from telemetry.core.config import EventOverride
from telemetry.core.spec import EventDefinition

__all__ = ["Confidence", "Measure", "Promise", "Suggestion", "keeps_promise"]


class Confidence(StrEnum):
    """How sure a rule is of its suggestion."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Measure(StrEnum):
    """What is measured after publication, of events received since.

    ``breach_share``: windows of the anomaly rule in breach, of those judged. ``violation_share``: events with the
    violation that the proposal is about. ``unhidden_values``: values in which detectors found personal data.
    ``kept_share``: events kept by sampling. ``received``: events that came at all. ``longest_days``: the longest time
    that a stored event is kept. ``kept_per_window``: the median of kept events in a window of the rule.
    ``sent_share``: events that carry the property.
    """

    BREACH_SHARE = "breach_share"
    VIOLATION_SHARE = "violation_share"
    UNHIDDEN_VALUES = "unhidden_values"
    KEPT_SHARE = "kept_share"
    RECEIVED = "received"
    LONGEST_DAYS = "longest_days"
    KEPT_PER_WINDOW = "kept_per_window"
    SENT_SHARE = "sent_share"


class Promise(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a proposal promises: once it is published, the measure is between ``least`` and ``most``.

    ``before`` is what it was when the proposal was made. ``sample`` events have to come first; windows for measures of
    windows, days for ``received``.
    """

    measure: Measure
    before: float
    least: float | None = None
    most: float | None = None
    sample: int = 1


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one event. ``own`` says the same in a tenant's override, ``None`` where an override cannot say it.

    ``blockers`` are what a person has to settle first. ``subject`` is what of the event it is about.
    """

    rule: str
    subject: str
    title: str
    summary: str
    rationale: str
    confidence: Confidence
    blockers: tuple[str, ...] = ()
    event: EventDefinition
    own: EventOverride | None = None
    promise: Promise


def keeps_promise(promise: Promise, value: float) -> bool:
    """Whether what was measured is what was promised."""
    return (promise.least is None or value >= promise.least) and (promise.most is None or value <= promise.most)
