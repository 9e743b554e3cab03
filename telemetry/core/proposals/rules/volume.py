"""How many events are kept: far more than anybody needs, or too few to judge."""

from math import sqrt
from typing import Final

import msgspec

from telemetry.core import defaults
from telemetry.core.config import EventOverride
from telemetry.core.proposals.rules.case import Case, confidence_of, percent
from telemetry.core.proposals.suggestion import Confidence, Measure, Promise, Suggestion
from telemetry.core.spec import EventDefinition, Sampling

__all__ = ["relative_error", "sampling_below_minimum_sample", "volume_high"]

# The rates that people read at a glance, from low to high; lint warns below 0.05 unless an event says it is a flood.
RATES: Final = (0.05, 0.1, 0.2, 0.25, 0.5)
# A daily count that is off by one percent in nineteen days of twenty misleads nobody.
TOLERATED_ERROR: Final = 0.01
# Twice the standard error covers 95 percent.
# Source: normal approximation of the binomial distribution.
NINETEEN_OF_TWENTY: Final = 1.96
LEAST_WINDOWS: Final = 10
# A quarter more than it takes, since half of all windows have less than the median.
MARGIN: Final = 1.25


def relative_error(count: float, rate: float) -> float:
    """How far an estimated count of so many events may be off (ratio), in 19 of 20 cases, if each is kept at this rate.

    Events of one subject are kept or left out together, so that the true error is larger where few subjects send many.
    Source: variance of the Horvitz-Thompson estimator under Bernoulli sampling.
    """
    return NINETEEN_OF_TWENTY * sqrt((1.0 - rate) / (rate * count)) if count > 0 and rate > 0 else 0.0


def volume_high(case: Case) -> Suggestion | None:
    """The event is sampled at the least rate whose error is tolerable; nothing for events that are sampled already."""
    event, per_day = case.event, case.signal.number("per_day")
    if event.sampling is not None and (event.sampling.conditions or event.sampling.rate < 1):
        return None
    if _rate(case) < 1 or case.signal.number("kept_share") < 0.99:
        return None
    rate = next((each for each in RATES if relative_error(per_day, each) <= TOLERATED_ERROR), None)
    if rate is None:
        return None
    error = relative_error(per_day, rate)
    # Three standard errors of a share, beyond what subjects that send much add.
    slack = max(0.05, rate / 2)
    return Suggestion(
        rule="volume_high",
        subject="",
        title=f"Keep {percent(rate)} of {event.name}",
        summary=f"{per_day:,.0f} events come each day and all of them are stored; {per_day * rate:,.0f} would do.",
        rationale=f"At a rate of {rate} a daily count is off by {percent(error)} at most, in 19 days of 20. Anomaly "
        "rules and tallies see every event as before: they count before sampling.",
        confidence=Confidence.MEDIUM,
        blockers=(f"Whoever looks for single events finds one in {1 / rate:.0f}.",),
        event=msgspec.structs.replace(event, sampling=Sampling(rate=rate)),
        own=EventOverride(sampling_rate=rate),
        promise=Promise(
            measure=Measure.KEPT_SHARE, before=case.signal.number("kept_share"), most=rate + slack, sample=50
        ),
    )


def sampling_below_minimum_sample(case: Case) -> Suggestion | None:
    """The rate is raised until a usual window holds the minimum sample; if it never can, the minimum comes down."""
    event, signal = case.event, case.signal
    detection, minimum = event.anomaly_detection, signal.number("minimum")
    received, kept = signal.number("received"), signal.number("kept")
    if detection is None or signal.number("windows") < LEAST_WINDOWS or kept >= minimum or received <= 0:
        return None
    rate = _rate(case)
    wanted = min(1.0, _readable(minimum * MARGIN / received))
    if rate >= 1 or wanted <= rate or received < minimum:
        return None
    return Suggestion(
        rule="sampling_below_minimum_sample",
        subject=signal.subject,
        title=f"Keep {percent(wanted)} of {event.name} instead of {percent(rate)}",
        summary=f"A usual window has {received:.0f} events, of which {kept:.0f} are kept: fewer than the minimum "
        f"sample of {minimum:.0f}.",
        rationale="Whoever looks into an alarm, or computes the metric again from what is stored, has too little to "
        f"judge. At {wanted} a usual window keeps about {received * wanted:.0f}.",
        confidence=confidence_of(signal.number("windows"), medium=50, high=500),
        blockers=("Events whose conditions do not hold go by the default rate.",) if _conditions(event) else (),
        event=msgspec.structs.replace(event, sampling=Sampling(rate=wanted, conditions=_conditions(event))),
        own=EventOverride(sampling_rate=wanted),
        promise=Promise(measure=Measure.KEPT_PER_WINDOW, before=kept, least=minimum, sample=3),
    )


def _rate(case: Case) -> float:
    if case.event.sampling is not None:
        return case.event.sampling.rate
    config = case.spec.config
    default = None if config is None else config.default_sampling_rate
    return defaults.DEFAULT_SAMPLING_RATE if default is None else default


def _conditions(event: EventDefinition) -> tuple[str, ...]:
    return () if event.sampling is None else event.sampling.conditions


def _readable(rate: float) -> float:
    """The least rate in steps of five percent that is not below."""
    return next((step / 20 for step in range(1, 20) if step / 20 >= rate), 1.0)
