"""Rules about anomaly rules: metrics that nobody watches, bounds that say nothing, alarms that nobody hears."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import PropertyType, Severity, Statistic
from telemetry.core.lint.measures import key_metric
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedEvent, LintedSpec
from telemetry.core.shapes import Path
from telemetry.core.spec import Threshold

__all__ = ["ANOMALY_RULES"]

# With fewer values, one slow request of one person is an anomaly.
_LEAST_SAMPLE: Final = 5
# Of these, the value is that of a single event; a mean or a median is nobody's.
_OF_ONE_PERSON: Final = (Statistic.MIN, Statistic.MAX)


def key_metric_unwatched(linted: LintedSpec) -> Iterator[Problem]:
    """A duration, error count or conversion that neither a threshold nor a rule watches."""
    for event in linted.current_events:
        watched = {threshold.metric for threshold in event.thresholds} | {rule.metric for rule in event.anomaly_rules}
        for each in event.properties:
            if each.definition.type is PropertyType.NUMBER and each.name not in watched:
                kind = key_metric(each.name)
                if kind is not None:
                    yield Problem(each.path, f"is a key metric ({kind}) that nothing watches")


def anomaly_rules_without_thresholds(linted: LintedSpec) -> Iterator[Problem]:
    """Switched on, with nothing to judge."""
    for event in linted.events:
        rules = event.definition.anomaly_detection
        if rules is not None and rules.enabled and not rules.thresholds and not rules.rules:
            yield Problem((*event.path, "anomalyDetection"), "judges nothing: it has neither thresholds nor rules")


def anomaly_rules_without_actions(linted: LintedSpec) -> Iterator[Problem]:
    """Judged, with nobody to hear of it."""
    for event in linted.events:
        rules = event.definition.anomaly_detection
        silent = rules is not None and any(not rule.actions for rule in rules.rules)
        if rules is not None and rules.enabled and (rules.thresholds or silent) and not rules.actions:
            yield Problem((*event.path, "anomalyDetection"), "tells nobody: it has no actions")


def anomaly_rules_switched_off(linted: LintedSpec) -> Iterator[Problem]:
    """Thresholds that are never judged, because the event or the whole spec switches them off."""
    settings = linted.defaults.anomaly_detection
    is_off = settings is not None and not settings.enabled
    if is_off and any(event.thresholds or event.anomaly_rules for event in linted.events):
        yield Problem(("config", "anomalyDetection", "enabled"), "switches off the anomaly rules of all events")
    for event in linted.events:
        rules = event.definition.anomaly_detection
        if rules is not None and not rules.enabled and (rules.thresholds or rules.rules):
            yield Problem((*event.path, "anomalyDetection", "enabled"), "switches off what is set below it")


def minimum_sample_too_small(linted: LintedSpec) -> Iterator[Problem]:
    """So few values are enough that each of them can raise an alarm."""
    for event in linted.events:
        rules = event.definition.anomaly_detection
        least = rules.minimum_sample if rules is not None and rules.thresholds else None
        if least is not None and least < _LEAST_SAMPLE:
            path = (*event.path, "anomalyDetection", "minimumSample")
            yield Problem(path, f"lets fewer than {_LEAST_SAMPLE} values raise an alarm")


def threshold_never_breached(linted: LintedSpec) -> Iterator[Problem]:
    """No allowed value of the metric is beyond the bounds."""
    for path, threshold, values in _bounded(linted):
        if not any(_is_beyond(threshold, value) for value in values):
            yield Problem(path, "can never be breached: every allowed value is within the bounds")


def threshold_always_breached(linted: LintedSpec) -> Iterator[Problem]:
    """Every allowed value of the metric is beyond the bounds."""
    for path, threshold, values in _bounded(linted):
        if all(_is_beyond(threshold, value) for value in values):
            yield Problem(path, "is breached by every event: no allowed value is within the bounds")


def threshold_repeated(linted: LintedSpec) -> Iterator[Problem]:
    """Two bounds on the same side of one metric: one of them says nothing."""
    for event in linted.events:
        seen: dict[tuple[str, str], int] = {}
        for index, path, threshold in _thresholds(event):
            for side, limit in (("min", threshold.min), ("max", threshold.max)):
                first = index if limit is None else seen.setdefault((threshold.metric, side), index)
                if first != index:
                    yield Problem((*path, side), f"bounds the metric on the same side as thresholds[{first}]")


def threshold_on_redacted(linted: LintedSpec) -> Iterator[Problem]:
    """An alarm would show a value that readers may not see."""
    for event in linted.events:
        hidden = {each.name for each in event.properties if each.hidden is not None}
        for _, path, threshold in _thresholds(event):
            if threshold.metric in hidden:
                yield Problem((*path, "metric"), "is redacted, but an alarm would show the value of one person")
        for index, rule in enumerate(event.anomaly_rules):
            if rule.metric in hidden and rule.statistic in _OF_ONE_PERSON:
                path = (*event.path, "anomalyDetection", "rules", index, "metric")
                yield Problem(path, "is redacted, but an alarm would show the value of one person")


def _thresholds(event: LintedEvent) -> Iterator[tuple[int, Path, Threshold]]:
    for index, threshold in enumerate(event.thresholds):
        yield index, (*event.path, "anomalyDetection", "thresholds", index), threshold


def _bounded(linted: LintedSpec) -> Iterator[tuple[Path, Threshold, tuple[float, ...]]]:
    """The thresholds of metrics whose values are listed."""
    for event in linted.events:
        for _, path, threshold in _thresholds(event):
            declared = event.definition.properties.get(threshold.metric)
            values = declared.allowed_values if declared is not None else ()
            numbers = tuple(value for value in values if not isinstance(value, str))
            if numbers:
                yield path, threshold, numbers


def _is_beyond(threshold: Threshold, value: float) -> bool:
    low, high = threshold.min, threshold.max
    return (low is not None and value < low) or (high is not None and value > high)


ANOMALY_RULES = table(
    "anomalies",
    (
        key_metric_unwatched,
        Severity.WARNING,
        "Durations, error counts and conversions have a threshold or an anomaly rule.",
        "Add a threshold or a rule under anomalyDetection, or opt out with the reason.",
    ),
    (
        threshold_never_breached,
        Severity.WARNING,
        "Every threshold can be breached.",
        "Move the bound inside the allowed values, or remove the threshold.",
    ),
    (
        threshold_always_breached,
        Severity.WARNING,
        "Every threshold leaves some value unbreached.",
        "Move the bound so that normal values are within it.",
    ),
    (
        threshold_on_redacted,
        Severity.WARNING,
        "Thresholds watch properties whose value may be seen.",
        "Watch another metric, or opt out if the value reveals nobody.",
    ),
    (
        threshold_repeated,
        Severity.WARNING,
        "Each side of a metric is bounded once.",
        "Keep the tighter of the two bounds.",
    ),
    (
        anomaly_rules_without_thresholds,
        Severity.WARNING,
        "Anomaly detection that is switched on has something to judge.",
        "Add a threshold or a rule, or remove anomalyDetection.",
    ),
    (
        anomaly_rules_without_actions,
        Severity.WARNING,
        "Anomaly rules have an action.",
        "Add alert, log or trigger_regen to actions.",
    ),
    (
        minimum_sample_too_small,
        Severity.INFO,
        f"Anomaly rules judge at least {_LEAST_SAMPLE} values.",
        f"Raise minimumSample to {_LEAST_SAMPLE} or more.",
    ),
    (
        anomaly_rules_switched_off,
        Severity.INFO,
        "Thresholds are judged.",
        "Switch anomaly detection on, or remove the thresholds.",
    ),
)
