"""Sampling conditions that decide nothing."""

from typing import Final

import msgspec

from telemetry.core import defaults
from telemetry.core.proposals.rules.case import Case, confidence_of
from telemetry.core.proposals.suggestion import Confidence, Measure, Promise, Suggestion
from telemetry.core.spec import Sampling

__all__ = ["condition_without_use"]

LEAST_EVENTS: Final = 100
# Three standard errors of a share over fifty events.
TOLERANCE: Final = 0.2


def condition_without_use(case: Case) -> Suggestion | None:
    """Conditions that never hold go with their rate; where they always hold, the rate stays alone."""
    event, signal = case.event, case.signal
    share, events = signal.number("holding_share"), signal.number("events")
    is_certain = bool(signal.facts.get("is_certain"))
    if event.sampling is None or not event.sampling.conditions or share not in (0.0, 1.0):
        return None
    if events < LEAST_EVENTS and not is_certain:
        return None
    is_dead = share == 0.0
    sampling = None if is_dead else Sampling(rate=event.sampling.rate)
    rate = _default(case) if is_dead else event.sampling.rate
    held = "never held" if is_dead else "always held"
    return Suggestion(
        rule="condition_without_use",
        subject="",
        title=f"Remove the sampling conditions of {event.name}",
        summary=f"They {held} for {int(events)} events."
        if events
        else f"They can {'never' if is_dead else 'only'} hold.",
        rationale=f"Every event was kept at the rate of {rate}, conditions or not. Without them the spec says what "
        "happens.",
        confidence=Confidence.HIGH if is_certain else confidence_of(events, medium=1_000, high=10_000),
        blockers=() if is_certain else ("They may be meant for what has not come yet.",),
        event=msgspec.structs.replace(event, sampling=sampling),
        promise=Promise(
            measure=Measure.KEPT_SHARE,
            before=rate,
            least=max(0.0, rate - TOLERANCE),
            most=min(1.0, rate + TOLERANCE),
            sample=50,
        ),
    )


def _default(case: Case) -> float:
    config = case.spec.config
    own = None if config is None else config.default_sampling_rate
    return defaults.DEFAULT_SAMPLING_RATE if own is None else own
