"""The rules that are judged at an installation, from its effective config."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from telemetry.core.anomaly.rules import (
    Measurement,
    describe_rule,
    detector_of,
    judge_threshold,
    kind_of,
    measure,
)
from telemetry.core.anomaly.series import Band, Detector, MetricKind, Point, Verdict, shown
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.defaults import DEFAULT_MINIMUM_SAMPLE
from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyRule, Threshold
from telemetry.selectors.metric_windows import EventKey
from telemetry.tallies.detail import TallyDetail
from telemetry.tallies.summary import TallySummary

__all__ = ["EMPTY", "Reading", "WatchedRule", "rules_of_event", "watched_rules"]

# A window in which nothing was counted.
EMPTY = TallySummary(0, 0, 0, TallyDetail())
# Computed from values of a property: of few events, or at its ends, such a number is somebody's value.
_OF_VALUES = (Statistic.MEAN, Statistic.P50, Statistic.P95, Statistic.P99, Statistic.MIN, Statistic.MAX)
_WITHOUT_DETAILS = (Statistic.COUNT, Statistic.RATE_PER_MINUTE, Statistic.ERROR_RATIO, Statistic.VIOLATION_RATE)


class Reading(NamedTuple):
    """What a rule reads in one window: ``below`` and ``above`` count values beyond a threshold, 0 for other rules.

    ``value`` is ``None`` when there is nothing to read.
    """

    value: float | None
    sample: int
    below: int = 0
    above: int = 0


class WatchedRule(NamedTuple):
    """One rule or threshold of one event, with all that it inherits settled. ``minutes`` is the width of its window."""

    event: EventKey
    name: str
    words: str
    minutes: int
    minimum_sample: int
    actions: tuple[AnomalyAction, ...]
    method: AnomalyMethod
    kind: MetricKind
    rule: AnomalyRule | None
    threshold: Threshold | None

    @property
    def needs_details(self) -> bool:
        """Whether the counts of a tally alone do not tell."""
        return self.rule is None or self.rule.statistic not in _WITHOUT_DETAILS

    @property
    def needs_sample(self) -> bool:
        """Whether windows with fewer events than the minimum sample are not judged; an absent count is news."""
        return self.kind is not MetricKind.COUNT

    def words_outside(self, side: str, words: str) -> str:
        """The verdict's words as they may leave the studio: no number that was computed from values of a property.

        Counts and shares are told; how far a mean or a maximum is off stands on the incident's page.
        """
        if self.rule is None or self.rule.statistic not in _OF_VALUES:
            return words
        return f"the {self.rule.statistic.value} of {self.rule.metric} is too {side}"

    def is_quick(self, reading: Reading) -> bool:
        """Whether the verdict needs no history: an event that arrives is not silent, whatever came before."""
        return self.method is AnomalyMethod.SILENCE and bool(reading.value)

    def read(self, window: TallySummary) -> Reading:
        """What the rule reads in a window."""
        if self.rule is not None:
            found = measure(self.rule, window, float(self.minutes))
            return Reading(None, 0) if found is None else Reading(*_plain(found))
        assert self.threshold is not None  # noqa: S101 - one of the two is there
        metric = self.threshold.metric
        below = 0 if self.threshold.min is None else window.below(metric, self.threshold.min)
        above = 0 if self.threshold.max is None else window.above(metric, self.threshold.max)
        count = window.counted(metric)
        return Reading((below + above) / count if count else None, count, below, above)

    def judge(self, reading: Reading, history: list[Point], current: Point) -> Verdict | None:
        """The verdict on what was read; ``None`` when there was nothing to read."""
        if reading.value is None:
            return None
        if self.threshold is not None:
            verdict = judge_threshold(
                self.threshold,
                below=reading.below,
                above=reading.above,
                sample=reading.sample,
                minimum_sample=self.minimum_sample,
            )
            # What is drawn is the share of values beyond the bounds, and none should be.
            return Verdict(breach=verdict.breach, band=Band(high=0.0), score=verdict.score, words=verdict.words)
        return self.detector.judge(history, current)

    @property
    def detector(self) -> Detector:
        """What judges the rule."""
        assert self.rule is not None  # noqa: S101 - thresholds are judged by their counts
        return detector_of(self.rule, self.minimum_sample, width=timedelta(minutes=self.minutes))


def watched_rules(config: EffectiveConfig) -> list[WatchedRule]:
    """Every rule that is to be judged, in the order of the config; none of what is switched off."""
    return [
        watched
        for event in config.events
        if event.enabled and event.anomaly_detection.enabled
        for watched in rules_of_event(event, config.check_interval_ms)
    ]


def rules_of_event(event: EffectiveEvent, check_interval_ms: int) -> list[WatchedRule]:
    """The event's thresholds, then its rules, switched on or not. Tallies are by the minute, and so are windows."""
    return list(_rules_of(event, max(1, math.ceil(check_interval_ms / 60_000))))


def _rules_of(event: EffectiveEvent, interval: int) -> Iterator[WatchedRule]:
    detection, key = event.anomaly_detection, EventKey(event.name, event.version)
    least = detection.minimum_sample or DEFAULT_MINIMUM_SAMPLE
    for threshold, name in zip(detection.thresholds, _threshold_names(detection.thresholds), strict=True):
        yield WatchedRule(
            event=key,
            name=name,
            words=_words_of_threshold(threshold),
            minutes=interval,
            minimum_sample=least,
            actions=detection.actions,
            method=AnomalyMethod.LIMITS,
            kind=MetricKind.RATIO,
            rule=None,
            threshold=threshold,
        )
    for rule in detection.rules:
        yield WatchedRule(
            event=key,
            name=rule.name,
            words=describe_rule(rule),
            minutes=rule.window_minutes or interval,
            minimum_sample=rule.minimum_sample or least,
            actions=detection.actions if rule.actions is None else rule.actions,
            method=rule.method,
            kind=kind_of(rule.statistic),
            rule=rule,
            threshold=None,
        )


def _threshold_names(thresholds: tuple[Threshold, ...]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for threshold in thresholds:
        seen[threshold.metric] = seen.get(threshold.metric, 0) + 1
        count = seen[threshold.metric]
        yield f"threshold:{threshold.metric}" + (f"#{count}" if count > 1 else "")


def _words_of_threshold(threshold: Threshold) -> str:
    bounds = [(threshold.min, "below"), (threshold.max, "above")]
    return f"a value of {threshold.metric} is " + " or ".join(
        f"{word} {shown(bound)}" for bound, word in bounds if bound is not None
    )


def _plain(found: Measurement) -> tuple[float, int]:
    return float(found.value), found.sample
