"""What holds for all events of a spec."""

from collections.abc import Iterator
from typing import NamedTuple

from telemetry.core.codec import encode_document
from telemetry.core.diff.anomalies import diff_anomaly_defaults
from telemetry.core.diff.changes import Change, make_change
from telemetry.core.diff.fields import FieldRules, Nested, diff_fields
from telemetry.core.diff.inherited import Inherited
from telemetry.core.diff.keys import diff_order, keyed, merged_keys
from telemetry.core.diff.properties import Properties, PropertyScope, diff_properties
from telemetry.core.diff.retention import rule_of_days, rule_of_rate
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.paths import key_path
from telemetry.core.spec import ProviderDefinition, TelemetryDefaults
from telemetry.core.tightening import join_undeclared
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["DefaultsComparison", "diff_defaults"]

Providers = tuple[ProviderDefinition, ...]


class DefaultsComparison(NamedTuple):
    """What events take from the defaults before and after, and whether personal data is among what takes its days."""

    before: Inherited
    after: Inherited
    is_personal: bool

    def rules(self) -> FieldRules:
        """The rules of the fields."""
        return {
            "default_retention_days": self.diff_days,
            "default_sampling_rate": self.diff_rate,
            "undeclared_properties": self.diff_undeclared,
            "context_properties": Nested(self.diff_context),
            "providers": Nested(_diff_providers),
            "anomaly_detection": diff_anomaly_defaults,
            "quarantine": self.diff_quarantine,
            "mask_detected": self.diff_mask_detected,
        }

    def diff_days(self, path: str, before: int | None, after: int | None) -> Iterator[Change]:
        rule = rule_of_days(self.before.days, self.after.days, is_personal=self.is_personal)
        yield make_change(path, rule, before, after, f"{self.before.days} days became {self.after.days}")

    def diff_rate(self, path: str, before: float | None, after: float | None) -> Iterator[Change]:
        rule = rule_of_rate(self.before.rate, self.after.rate)
        yield make_change(path, rule, before, after, f"the rate {self.before.rate:g} became {self.after.rate:g}")

    def diff_undeclared(self, path: str, before: object, after: object) -> Iterator[Change]:
        rule = _rule_of_undeclared(self.before.undeclared, self.after.undeclared)
        yield make_change(path, rule, before, after, f"{self.before.undeclared} became {self.after.undeclared}")

    def diff_quarantine(self, path: str, before: object, after: object) -> Iterator[Change]:
        old, new = self.before.quarantine_days, self.after.quarantine_days
        yield make_change(path, _rule_of_quarantine(old, new), before, after, f"{old} days became {new}")

    def diff_mask_detected(self, path: str, before: object, after: object) -> Iterator[Change]:
        old, new = self.before.mask_detected, self.after.mask_detected
        rule = "restated" if old is new else ("detected_masked" if new else "detected_passed")
        yield make_change(path, rule, before, after)

    def diff_context(self, path: str, before: Properties | None, after: Properties | None) -> Iterator[Change]:
        # The context has no level of its own: what counts are the flags, where the level asks for nothing and where it
        # asks for what flags can undo.
        levels = ((PrivacyLevel.PUBLIC, PrivacyLevel.PUBLIC), (PrivacyLevel.PII, PrivacyLevel.PII))
        scope = PropertyScope(levels, self.after.undeclared)
        return diff_properties(path, before, after, scope)


def diff_defaults(
    path: str, before: TelemetryDefaults | None, after: TelemetryDefaults | None, comparison: DefaultsComparison
) -> Iterator[Change]:
    """The changes of a spec's defaults."""
    return diff_fields(path, before, after, comparison.rules())


def _rule_of_undeclared(before: UndeclaredPolicy, after: UndeclaredPolicy) -> str:
    if before is after:
        return "restated"
    if join_undeclared(before, after) is not after:
        return "undeclared_loosened"
    return "undeclared_quarantined" if after is UndeclaredPolicy.QUARANTINE else "undeclared_tightened"


def _rule_of_quarantine(before: int, after: int) -> str:
    """The rule of a change of the days, 0 when nothing is held."""
    if before == after:
        return "restated"
    if after < before:
        return "quarantine_shortened"
    return "quarantine_lengthened" if before else "quarantine_opened"


def _diff_providers(path: str, before: Providers | None, after: Providers | None) -> Iterator[Change]:
    """Matched by type; of several of one type, the first with the first and so on."""
    old_ones, new_ones = (keyed(each or (), lambda provider: provider.type.value) for each in (before, after))
    for key in merged_keys(old_ones, new_ones):
        place, old, new = key_path(path, key), old_ones.get(key), new_ones.get(key)
        if old is None:
            yield make_change(place, "provider_added", None, new, "a provider was added")
        elif new is None:
            yield make_change(place, "provider_removed", old, None, "a provider was removed")
        else:
            yield from _diff_settings(f"{place}.config", old, new)
    yield from diff_order(path, old_ones, new_ones)


def _diff_settings(path: str, before: ProviderDefinition, after: ProviderDefinition) -> Iterator[Change]:
    """Setting by setting. Messages do not repeat values, which may be credentials."""
    for key in merged_keys(before.config, after.config):
        place, old, new = key_path(path, key), before.config.get(key), after.config.get(key)
        if key not in before.config:
            yield make_change(place, "provider_changed", None, new, "a setting was added")
        elif key not in after.config:
            yield make_change(place, "provider_changed", old, None, "a setting was removed")
        elif encode_document(old) != encode_document(new):
            # Settings are free JSON: 1 and true are equal in Python, but not in a document.
            yield make_change(place, "provider_changed", old, new, "a setting changed")
    yield from diff_order(path, before.config or EMPTY_MAPPING, after.config or EMPTY_MAPPING)
