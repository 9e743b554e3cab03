"""Events: those that came, those that went, and what changed about the others."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from telemetry.core.diff.anomalies import diff_anomaly_detection
from telemetry.core.diff.changes import Change, make_change
from telemetry.core.diff.fields import FieldRules, Nested, diff_fields, plainly
from telemetry.core.diff.inherited import Inherited, holds_personal_data
from telemetry.core.diff.keys import diff_order, keyed, merged_keys
from telemetry.core.diff.properties import Properties, PropertyScope, diff_properties
from telemetry.core.diff.retention import rule_of_days, rule_of_policy, rule_of_rate
from telemetry.core.enums import PrivacyLevel, RetentionPolicy
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.spec import EventDefinition, Retention, Sampling, Semantics
from telemetry.core.tightening import join_level

__all__ = ["diff_events", "keyed_events"]

Events = tuple[EventDefinition, ...]


def keyed_events(events: Events) -> dict[str, EventDefinition]:
    """The events by name and version, such as ``step@1``."""
    return keyed(events, lambda event: event_reference(event.name, event.version))


def diff_events(
    path: str, before: Events, after: Events, inherited_before: Inherited, inherited_after: Inherited
) -> Iterator[Change]:
    """The changes of all events; each knows its event."""
    old_ones, new_ones = keyed_events(before), keyed_events(after)
    for key in merged_keys(old_ones, new_ones):
        place, old, new = key_path(path, key), old_ones.get(key), new_ones.get(key)
        if old is not None and new is not None:
            comparison = _Comparison(old, new, inherited_before, inherited_after)
            changes = diff_fields(place, old, new, comparison.rules())
        elif new is not None:
            changes = iter([_added(place, new, before, after)])
        else:
            changes = iter([make_change(place, "event_removed", old, None, "the event was removed")])
        yield from (msgspec.structs.replace(change, event=key) for change in changes)
    yield from diff_order(path, old_ones, new_ones)


def _added(path: str, event: EventDefinition, before: Events, after: Events) -> Change:
    is_known = any(each.name == event.name for each in before)
    is_newest = all(each.version <= event.version for each in after if each.name == event.name)
    if is_known and is_newest:
        return make_change(path, "event_version_added", None, event, "a newer version of the event was added")
    rule = "personal_event_added" if holds_personal_data(event) else "event_added"
    return make_change(path, rule, None, event, f"an event of the level {event.privacy} was added")


class _Comparison(NamedTuple):
    """One event in both specs, with what it takes from the defaults of each."""

    old: EventDefinition
    new: EventDefinition
    inherited_before: Inherited
    inherited_after: Inherited

    def rules(self) -> FieldRules:
        """The rules of the event's fields."""
        return {
            **_PLAIN_RULES,
            "privacy": _diff_privacy,
            "properties": Nested(self.diff_properties),
            "retention": self.diff_retention,
            "sampling": self.diff_sampling,
        }

    def diff_properties(self, path: str, before: Properties, after: Properties) -> Iterator[Change]:
        scope = PropertyScope(((self.old.privacy, self.new.privacy),), self.inherited_after.undeclared)
        return diff_properties(path, before, after, scope)

    def diff_retention(self, path: str, before: Retention | None, after: Retention | None) -> Iterator[Change]:
        is_personal = holds_personal_data(self.old) or holds_personal_data(self.new)
        was, now = self.inherited_before.days_of(before), self.inherited_after.days_of(after)
        was_policy, now_policy = self.inherited_before.policy_of(before), self.inherited_after.policy_of(after)
        days = rule_of_days(was, now, is_personal=is_personal)
        policy = rule_of_policy(was_policy, now_policy, is_personal=is_personal)

        def diff_days(place: str, old: int | None, new: int | None) -> Iterator[Change]:
            yield make_change(place, days, old, new, f"{was} days became {now}")

        def diff_policy(place: str, old: RetentionPolicy | None, new: RetentionPolicy | None) -> Iterator[Change]:
            yield make_change(place, policy, old, new, f"{was_policy} became {now_policy}")

        return diff_fields(path, before, after, {"days": diff_days, "policy": diff_policy})

    def diff_sampling(self, path: str, before: Sampling | None, after: Sampling | None) -> Iterator[Change]:
        was, now = self.inherited_before.rate_of(before), self.inherited_after.rate_of(after)

        def diff_rate(place: str, old: float | None, new: float | None) -> Iterator[Change]:
            yield make_change(place, rule_of_rate(was, now), old, new, f"the rate {was:g} became {now:g}")

        rules: FieldRules = {"rate": diff_rate, "conditions": plainly("conditions_changed")}
        return diff_fields(path, before, after, rules)


def _diff_privacy(path: str, before: PrivacyLevel, after: PrivacyLevel) -> Iterator[Change]:
    if join_level(before, after) is not after:
        yield make_change(path, "privacy_lowered", before, after)
    elif after is PrivacyLevel.INTERNAL:
        yield make_change(path, "privacy_raised", before, after)
    else:
        yield make_change(path, "privacy_raised_to_personal", before, after)


def _diff_semantics(path: str, before: Semantics, after: Semantics) -> Iterator[Change]:
    return diff_fields(path, before, after, dict.fromkeys(("what", "who", "why"), plainly("wording_changed")))


# Name and version are what identifies an event, so they never differ.
_PLAIN_RULES: Final[FieldRules] = {
    "name": plainly("restated"),
    "version": plainly("restated"),
    "semantics": _diff_semantics,
    "anomaly_detection": diff_anomaly_detection,
    "tags": plainly("labels_changed"),
    "owners": plainly("owners_changed"),
    "review_by": plainly("review_changed"),
    "deprecation": plainly("deprecation_changed"),
    "lint_opt_outs": plainly("lint_exception_changed"),
}
