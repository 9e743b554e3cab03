"""Anomaly rules: of the whole spec, and of one event."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.diff.changes import Change, make_change
from telemetry.core.diff.fields import FieldRules, Nested, diff_fields, plainly
from telemetry.core.diff.keys import diff_order, keyed, merged_keys
from telemetry.core.paths import key_path
from telemetry.core.spec import AnomalyDefaults, AnomalyDetection, AnomalyRule, Threshold

__all__ = ["diff_anomaly_defaults", "diff_anomaly_detection"]

Thresholds = tuple[Threshold, ...]
Rules = tuple[AnomalyRule, ...]


def diff_anomaly_defaults(path: str, before: AnomalyDefaults | None, after: AnomalyDefaults | None) -> Iterator[Change]:
    """The changes of a spec's anomaly settings."""
    yield from diff_fields(path, before, after, _DEFAULTS_RULES)


def diff_anomaly_detection(
    path: str, before: AnomalyDetection | None, after: AnomalyDetection | None
) -> Iterator[Change]:
    """The changes of an event's anomaly rules."""
    yield from diff_fields(path, before, after, _RULES)


def _diff_thresholds(path: str, before: Thresholds | None, after: Thresholds | None) -> Iterator[Change]:
    """Matched by metric; of several for one metric, the first with the first and so on."""
    old_ones, new_ones = (keyed(each or (), lambda threshold: threshold.metric) for each in (before, after))
    for key in merged_keys(old_ones, new_ones):
        place, old, new = key_path(path, key), old_ones.get(key), new_ones.get(key)
        if old is None:
            yield make_change(place, "threshold_added", None, new, "a threshold was added")
        elif new is None:
            yield make_change(place, "threshold_removed", old, None, "a threshold was removed")
        elif old != new:
            yield from diff_fields(place, old, new, _THRESHOLD_RULES)
    yield from diff_order(path, old_ones, new_ones)


def _diff_rules(path: str, before: Rules | None, after: Rules | None) -> Iterator[Change]:
    """Matched by name."""
    old_ones, new_ones = (keyed(each or (), lambda rule: rule.name) for each in (before, after))
    for key in merged_keys(old_ones, new_ones):
        place, old, new = key_path(path, key), old_ones.get(key), new_ones.get(key)
        if old is None:
            yield make_change(place, "anomaly_rule_added", None, new, "an anomaly rule was added")
        elif new is None:
            yield make_change(place, "anomaly_rule_removed", old, None, "an anomaly rule was removed")
        elif old != new:
            yield from diff_fields(place, old, new, _RULE_RULES)
    yield from diff_order(path, old_ones, new_ones)


_DEFAULTS_RULES: Final[FieldRules] = {
    "enabled": plainly("anomaly_rules_changed"),
    "check_interval_ms": plainly("anomaly_rules_changed"),
}
_RULES: Final[FieldRules] = {
    "enabled": plainly("anomaly_rules_changed"),
    "minimum_sample": plainly("anomaly_rules_changed"),
    "thresholds": Nested(_diff_thresholds),
    "rules": Nested(_diff_rules),
    "actions": plainly("anomaly_rules_changed"),
}
_RULE_RULES: Final[FieldRules] = {field: plainly("anomaly_rule_changed") for field in AnomalyRule.__struct_fields__}
_THRESHOLD_RULES: Final[FieldRules] = {
    "metric": plainly("threshold_changed"),
    "min": plainly("threshold_changed"),
    "max": plainly("threshold_changed"),
}
