"""Rules about how many events are kept."""

from collections.abc import Iterator
from typing import Final

from telemetry.core import defaults
from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import HIGH_VOLUME, LintedSpec

__all__ = ["SAMPLING_RULES"]

# Source: "Keep sampling >= 0.05 except for high-volume events", the seed's best practices.
_LEAST_RATE: Final = 0.05
# Ten each second, all day long: what needs more to be judged is a flood, and should say so with a tag.
_BUSY_PER_SECOND: Final = 10


def sampling_too_low(linted: LintedSpec) -> Iterator[Problem]:
    """A rate that leaves too little to count with; a rate of none at all is another rule's."""
    rate = linted.defaults.default_sampling_rate
    if rate is not None and rate < _LEAST_RATE and HIGH_VOLUME not in linted.spec.meta.tags:
        yield Problem(("config", "defaultSamplingRate"), f"keeps less than {_LEAST_RATE:.0%} of the subjects")
    for event in linted.events:
        is_low = event.definition.sampling is not None and 0 < event.sampling_rate < _LEAST_RATE
        if is_low and not event.is_high_volume:
            yield Problem((*event.path, "sampling", "rate"), f"keeps less than {_LEAST_RATE:.0%} of the subjects")


def nothing_kept(linted: LintedSpec) -> Iterator[Problem]:
    """A rate of zero without conditions: apps send what nobody gets."""
    for event in linted.events:
        sampling = event.definition.sampling
        if sampling is not None and sampling.rate == 0 and not sampling.conditions:
            yield Problem((*event.path, "sampling", "rate"), "keeps no event at all")


def conditions_without_effect(linted: LintedSpec) -> Iterator[Problem]:
    """The same share is kept whether the conditions hold or not."""
    for event in linted.events:
        if event.conditions and event.sampling_rate == linted.default_rate:
            yield Problem(
                (*event.path, "sampling", "conditions"), "change nothing: the rate is the same when they do not hold"
            )


def high_volume_unsampled(linted: LintedSpec) -> Iterator[Problem]:
    """Said to be very many, and all of them kept."""
    for event in linted.current_events:
        if event.is_high_volume and event.sampling_rate == 1 and not event.conditions:
            place = event.definition.tags.index(HIGH_VOLUME)
            yield Problem((*event.path, "tags", place), f"says {HIGH_VOLUME}, but every event is kept")


def minimum_sample_unlikely(linted: LintedSpec) -> Iterator[Problem]:
    """Where apps leave out most events, the studio sees too few in a window to judge them."""
    settings = linted.defaults.anomaly_detection
    window_ms = (settings.check_interval_ms if settings else None) or defaults.DEFAULT_CHECK_INTERVAL_MS
    for event in linted.current_events:
        rules = event.definition.anomaly_detection
        if rules is None or rules.minimum_sample is None or not event.thresholds:
            continue
        if event.conditions or event.is_high_volume:
            continue
        busy = _BUSY_PER_SECOND * event.sampling_rate * window_ms / 1000
        if event.sampling_rate > 0 and rules.minimum_sample > busy:
            yield Problem(
                (*event.path, "anomalyDetection", "minimumSample"),
                f"takes more than {_BUSY_PER_SECOND} events a second to be reached at this sampling rate and window",
            )


SAMPLING_RULES = table(
    "sampling",
    (
        sampling_too_low,
        Severity.WARNING,
        f"Sampling keeps at least {_LEAST_RATE:.0%}, except of events tagged {HIGH_VOLUME}.",
        f"Raise the rate to {_LEAST_RATE}, or add the tag {HIGH_VOLUME}.",
    ),
    (
        nothing_kept,
        Severity.WARNING,
        "An event of which nothing is kept is deprecated or switched off instead.",
        "Deprecate the event, or switch it off where it is not wanted.",
    ),
    (
        conditions_without_effect,
        Severity.WARNING,
        "Conditions of sampling make a difference.",
        "Give the event another rate than config.defaultSamplingRate, or remove the conditions.",
    ),
    (
        minimum_sample_unlikely,
        Severity.INFO,
        "The minimum sample of anomaly rules can be reached.",
        "Lower minimumSample, raise the sampling rate, or widen config.anomalyDetection.checkIntervalMs.",
    ),
    (
        high_volume_unsampled,
        Severity.INFO,
        f"Events tagged {HIGH_VOLUME} are sampled.",
        "Set a sampling rate below 1, or remove the tag.",
    ),
)
