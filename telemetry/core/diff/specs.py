"""Comparing two whole specs."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from telemetry.core.diff.changes import Change, SpecDiff
from telemetry.core.diff.defaults import DefaultsComparison, diff_defaults
from telemetry.core.diff.events import diff_events, keyed_events
from telemetry.core.diff.fields import FieldRules, Nested, diff_fields, plainly
from telemetry.core.diff.inherited import holds_personal_data, inherited_from
from telemetry.core.spec import TelemetryMeta, TelemetrySpec

__all__ = ["diff_specs"]


def diff_specs(before: TelemetrySpec, after: TelemetrySpec) -> SpecDiff:
    """Every place at which the two differ, each with its class; empty exactly when their canonical forms are equal."""
    return SpecDiff(changes=tuple(diff_fields("", before, after, _rules(before, after))))


def _rules(before: TelemetrySpec, after: TelemetrySpec) -> FieldRules:
    was, now = inherited_from(before), inherited_from(after)
    defaults = DefaultsComparison(was, now, is_personal=_inherits_days_of_personal_data(before, after))
    return {
        "meta": _diff_meta,
        "config": Nested(partial(diff_defaults, comparison=defaults)),
        "events": Nested(partial(diff_events, inherited_before=was, inherited_after=now)),
    }


def _inherits_days_of_personal_data(before: TelemetrySpec, after: TelemetrySpec) -> bool:
    """Whether an event with personal data takes its days from the defaults, in both specs."""
    old, new = (keyed_events(spec.events) for spec in (before, after))
    inheriting = [key for key in old if key in new and old[key].retention is None and new[key].retention is None]
    return any(holds_personal_data(old[key]) or holds_personal_data(new[key]) for key in inheriting)


def _diff_meta(path: str, before: TelemetryMeta, after: TelemetryMeta) -> Iterator[Change]:
    return diff_fields(path, before, after, _META_RULES)


_META_RULES: Final[FieldRules] = {
    "name": plainly("spec_renamed"),
    "version": plainly("version_changed"),
    "title": plainly("wording_changed"),
    "description": plainly("wording_changed"),
    "domain": plainly("labels_changed"),
    "owners": plainly("owners_changed"),
    "tags": plainly("labels_changed"),
    "stability": plainly("stability_changed"),
}
