"""What changes from one override of a tenant to another: each wish that differs, judged by what holds in the end."""

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, Final, cast

from telemetry.core.config import EffectiveConfig, EffectiveEvent, TenantOverride
from telemetry.core.diff.changes import Change, SpecDiff
from telemetry.core.diff.retention import rule_of_days, rule_of_policy, rule_of_rate
from telemetry.core.diff.rules import RULES, Rule
from telemetry.core.enums import ChangeClass, PrivacyLevel
from telemetry.core.layers import event_reference
from telemetry.core.override_editing import own_override
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.tightening import join_level, join_redaction, join_undeclared
from telemetry.core.values import deep_freeze

__all__ = ["OVERRIDE_RULES", "OverrideChange", "diff_overrides"]

PERSONAL: Final = (PrivacyLevel.PII, PrivacyLevel.SENSITIVE)

# What only overrides can change, by name; for the rest the rules of specs hold.
OVERRIDE_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "collection_stopped": Rule(ChangeClass.RISKY, "Readers get no more of it."),
        "collection_started": Rule(ChangeClass.SAFE, "Readers get it from now on, as the spec plans it."),
        "spec_bound_elsewhere": Rule(ChangeClass.RISKY, "Other events and other rules may hold from now on."),
        "without_effect": Rule(
            ChangeClass.SAFE, "It changes nothing: another layer decides, or there is no such event."
        ),
    }
)


class OverrideChange(Change, frozen=True, kw_only=True, rename="camel"):
    """One wish that differs. ``before`` and ``after`` are what holds, ``asked_before`` and ``asked_after`` the wishes.

    A wish of null is inherited. ``path`` is the place in the override's document.
    """

    asked_before: Any = None
    asked_after: Any = None

    @property
    def asked(self) -> str:
        """Both wishes, in words."""
        return f"asked for: {_said(self.asked_before)}, now {_said(self.asked_after)}"

    @property
    def reason(self) -> str:
        """Why the rule has its class."""
        return _rule_named(self.rule).reason


def diff_overrides(
    before: TenantOverride, after: TenantOverride, holds_before: EffectiveConfig, holds_after: EffectiveConfig
) -> SpecDiff:
    """Every wish that differs, those of the whole installation first, then event by event.

    ``holds_before`` and ``holds_after`` are what the two make of the same other layers.
    """
    return SpecDiff(changes=tuple(_changes(before, after, holds_before, holds_after)))


def _changes(
    before: TenantOverride, after: TenantOverride, holds_before: EffectiveConfig, holds_after: EffectiveConfig
) -> Iterator[OverrideChange]:
    yield from _config_wide(before, after, holds_before, holds_after)
    old, new = _by_key(holds_before), _by_key(holds_after)
    known = dict.fromkeys([*new, *old])
    for name, version in known:
        yield from _event(
            event_reference(name, version),
            _wishes(before, name, version),
            _wishes(after, name, version),
            old.get((name, version)),
            new.get((name, version)),
        )
    yield from _unmatched(before, after, known)


def _wishes(override: TenantOverride, name: str, version: int) -> dict[str, Any]:
    return cast("dict[str, Any]", to_plain(own_override(override, name, version)))


def _config_wide(
    before: TenantOverride, after: TenantOverride, holds_before: EffectiveConfig, holds_after: EffectiveConfig
) -> Iterator[OverrideChange]:
    asked_before, asked_after = (cast("dict[str, Any]", to_plain(each)) for each in (before, after))
    held = {
        "spec": (holds_before.spec, holds_after.spec),
        "enabled": (holds_before.enabled, holds_after.enabled),
        "undeclaredProperties": (holds_before.undeclared_properties, holds_after.undeclared_properties),
        "defaultSamplingRate": (before.default_sampling_rate, after.default_sampling_rate),
    }
    for key, (old, new) in held.items():
        asked = (asked_before.get(key), asked_after.get(key))
        if asked[0] != asked[1]:
            yield _change(key, _rule(key, old, new), asked, (old, new), None)


def _event(
    reference: str,
    asked_before: Mapping[str, Any],
    asked_after: Mapping[str, Any],
    old: EffectiveEvent | None,
    new: EffectiveEvent | None,
) -> Iterator[OverrideChange]:
    path = key_path("events", reference)
    for place, asked in _differing(asked_before, asked_after):
        held = (_held(old, place), _held(new, place))
        is_there = old is not None and new is not None
        is_personal = new is not None and new.privacy in PERSONAL
        rule = _rule(place[0], *held, is_personal=is_personal) if is_there else "spec_bound_elsewhere"
        yield _change(reduce(key_path, place, path), rule, asked, held, reference)


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], tuple[Any, Any]]]:
    """Each wish that differs: fields, properties of redactions, fields of anomaly rules."""
    for key in dict.fromkeys((*after, *before)):
        old, new = before.get(key), after.get(key)
        if key in ("redaction", "anomalyDetection"):
            for inner, asked in _differing(old or {}, new or {}):
                yield (key, *inner), asked
        elif old != new:
            yield (key,), (old, new)


def _held(event: EffectiveEvent | None, place: tuple[str, ...]) -> Any:
    """What holds of the event where the wish is about."""
    if event is None:
        return None
    match place:
        case ("enabled",):
            return event.enabled
        case ("privacy",):
            return event.privacy
        case ("samplingRate",):
            return event.sampling.rate
        case ("retentionDays",):
            return event.retention.days
        case ("retentionPolicy",):
            return event.retention.policy
        case ("redaction", name):
            return event.properties[name].redaction if name in event.properties else None
    return cast("dict[str, Any]", to_plain(event.anomaly_detection)).get(place[-1])


def _rule(kind: str, old: Any, new: Any, *, is_personal: bool = False) -> str:
    """The name of the rule of a change from one value that holds to another."""
    if old == new:
        return "without_effect"
    match kind:
        case "spec":
            return "spec_bound_elsewhere"
        case "enabled":
            return "collection_started" if new else "collection_stopped"
        case "undeclaredProperties":
            return "undeclared_tightened" if join_undeclared(old, new) is new else "undeclared_loosened"
        case "samplingRate" | "defaultSamplingRate":
            return rule_of_rate(1.0 if old is None else old, 1.0 if new is None else new)
        case "retentionDays":
            return rule_of_days(old, new, is_personal=is_personal)
        case "retentionPolicy":
            return rule_of_policy(old, new, is_personal=is_personal)
        case "redaction":
            return "redaction_tightened" if join_redaction(old, new) == new else "redaction_loosened"
        case "privacy":
            return _rule_of_level(old, new)
    return "anomaly_rules_changed"


def _rule_of_level(old: PrivacyLevel, new: PrivacyLevel) -> str:
    if join_level(old, new) is not new:
        return "privacy_lowered"
    return "privacy_raised_to_personal" if new in PERSONAL and old not in PERSONAL else "privacy_raised"


def _change(path: str, rule: str, asked: tuple[Any, Any], held: tuple[Any, Any], event: str | None) -> OverrideChange:
    return OverrideChange(
        path=path,
        rule=rule,
        severity=_rule_named(rule).severity,
        before=deep_freeze(to_plain(held[0])),
        after=deep_freeze(to_plain(held[1])),
        message=f"{_said(asked[0])} became {_said(asked[1])}",
        event=event,
        asked_before=deep_freeze(asked[0]),
        asked_after=deep_freeze(asked[1]),
    )


def _said(asked: Any) -> str:
    return "inherited" if asked is None else json.dumps(asked, ensure_ascii=False)


def _rule_named(name: str) -> Rule:
    return OVERRIDE_RULES.get(name) or RULES[name]


def _by_key(config: EffectiveConfig) -> dict[tuple[str, int], EffectiveEvent]:
    return {(event.name, event.version): event for event in config.events}


def _unmatched(
    before: TenantOverride, after: TenantOverride, known: Mapping[tuple[str, int], None]
) -> Iterator[OverrideChange]:
    """What is said of events that the spec does not have."""
    references = {reference for name, version in known for reference in (name, event_reference(name, version))}
    for reference in dict.fromkeys((*after.events, *before.events)):
        old, new = before.events.get(reference), after.events.get(reference)
        if reference not in references and old != new:
            asked = (to_plain(old), to_plain(new))
            yield _change(key_path("events", reference), "without_effect", asked, (None, None), reference)
