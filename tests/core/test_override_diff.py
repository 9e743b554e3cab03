"""What differs between two overrides is judged by what holds in the end."""

from typing import Any

import pytest
from hypothesis import given

from telemetry.core.config import AnomalyOverride, EventOverride, PrivacyFloor, SamplingBounds, TenantOverride
from telemetry.core.diff import RULES
from telemetry.core.diff.changes import SpecDiff
from telemetry.core.diff.overrides import OVERRIDE_RULES, OverrideChange, diff_overrides
from telemetry.core.enums import PrivacyLevel, RetentionPolicy, UndeclaredPolicy
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Retention, TelemetryDefaults, TelemetrySpec
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_redaction, make_spec

SPEC = make_spec(
    make_event(retention=Retention(days=90, policy=RetentionPolicy.ARCHIVE)),
    config=TelemetryDefaults(undeclared_properties=UndeclaredPolicy.KEEP),
)


def diff(before: TenantOverride, after: TenantOverride, spec: TelemetrySpec = SPEC, **layers: Any) -> SpecDiff:
    holds = [
        resolve_config(spec, override=each, **layers, installation=make_installation()) for each in (before, after)
    ]
    return diff_overrides(before, after, *holds)


def says(**fields: Any) -> TenantOverride:
    return TenantOverride(events={"step": EventOverride(**fields)})


CASES: list[tuple[TenantOverride, TenantOverride, str, str, str]] = [
    (says(), says(enabled=False), 'events["step@1"].enabled', "collection_stopped", "risky"),
    (says(enabled=False), says(), 'events["step@1"].enabled', "collection_started", "safe"),
    (says(), says(sampling_rate=0.5), 'events["step@1"].samplingRate', "sampling_lowered", "risky"),
    (says(sampling_rate=0.5), says(), 'events["step@1"].samplingRate', "sampling_raised", "safe"),
    (says(), says(retention_days=7), 'events["step@1"].retentionDays', "retention_shortened", "risky"),
    (says(retention_days=7), says(), 'events["step@1"].retentionDays', "retention_lengthened", "safe"),
    (
        says(),
        says(retention_policy=RetentionPolicy.DELETE),
        'events["step@1"].retentionPolicy',
        "archive_dropped",
        "risky",
    ),
    (says(), says(privacy=PrivacyLevel.PII), 'events["step@1"].privacy', "privacy_raised_to_personal", "risky"),
    (
        says(privacy=PrivacyLevel.PII),
        says(privacy=PrivacyLevel.SENSITIVE),
        'events["step@1"].privacy',
        "privacy_raised",
        "safe",
    ),
    (says(privacy=PrivacyLevel.PII), says(), 'events["step@1"].privacy', "privacy_lowered", "risky"),
    (
        says(),
        says(redaction={"step": make_redaction("hash")}),
        'events["step@1"].redaction.step',
        "redaction_tightened",
        "risky",
    ),
    (
        says(redaction={"step": make_redaction("drop")}),
        says(),
        'events["step@1"].redaction.step',
        "redaction_loosened",
        "risky",
    ),
    (
        says(),
        says(anomaly_detection=AnomalyOverride(minimum_sample=3)),
        'events["step@1"].anomalyDetection.minimumSample',
        "anomaly_rules_changed",
        "safe",
    ),
    (TenantOverride(), TenantOverride(enabled=False), "enabled", "collection_stopped", "risky"),
    (
        TenantOverride(),
        TenantOverride(undeclared_properties=UndeclaredPolicy.DROP),
        "undeclaredProperties",
        "undeclared_tightened",
        "risky",
    ),
    (
        TenantOverride(undeclared_properties=UndeclaredPolicy.DROP),
        TenantOverride(),
        "undeclaredProperties",
        "undeclared_loosened",
        "risky",
    ),
    (TenantOverride(), TenantOverride(default_sampling_rate=0.5), "defaultSamplingRate", "sampling_lowered", "risky"),
    (says(), says(enabled=True), 'events["step@1"].enabled', "without_effect", "safe"),
    (
        TenantOverride(),
        TenantOverride(events={"gone": EventOverride(enabled=False)}),
        "events.gone",
        "without_effect",
        "safe",
    ),
]


@pytest.mark.parametrize(("before", "after", "path", "rule", "severity"), CASES)
def test_a_wish_that_differs_has_its_class(
    before: TenantOverride, after: TenantOverride, path: str, rule: str, severity: str
) -> None:
    (change,) = diff(before, after).changes

    assert (change.path, change.rule, change.severity.value) == (path, rule, severity)
    assert change.reason == (OVERRIDE_RULES.get(rule) or RULES[rule]).reason


def test_every_rule_of_overrides_is_found_somewhere() -> None:
    found = {case[3] for case in CASES}

    assert set(OVERRIDE_RULES) - found == {"spec_bound_elsewhere"}


def test_a_pin_to_another_version_says_that_other_rules_may_hold() -> None:
    other = make_spec(make_event(), make_event("new"), version=2)
    before, after = says(enabled=False), TenantOverride(events={"new": EventOverride(enabled=False)})
    holds = [
        resolve_config(spec, override=override, installation=make_installation())
        for spec, override in ((SPEC, before), (other, after))
    ]

    changes = {change.path: change.rule for change in diff_overrides(before, after, *holds).changes}

    assert changes == {
        'events["step@1"].enabled': "collection_started",
        'events["new@1"].enabled': "spec_bound_elsewhere",
    }


def test_a_change_shows_what_holds_and_what_was_asked() -> None:
    floor = PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.1))

    (change,) = diff(says(sampling_rate=0.5), says(sampling_rate=0.01), floor=floor).changes

    assert isinstance(change, OverrideChange)
    assert (change.before, change.after) == (0.5, 0.1)
    assert (change.asked_before, change.asked_after) == (0.5, 0.01)
    assert (change.message, change.event) == ("0.5 became 0.01", "step@1")


def test_versions_of_an_event_are_compared_one_by_one() -> None:
    spec = make_spec(make_event(), make_event(version=2))
    split = TenantOverride(events={"step": EventOverride(enabled=False), "step@2": EventOverride(enabled=True)})

    changes = diff(TenantOverride(), split, spec).changes

    assert [(change.event, change.rule) for change in changes] == [
        ("step@1", "collection_stopped"),
        ("step@2", "without_effect"),
    ]


@given(strategies.specs(), strategies.overrides(), strategies.overrides())
def test_only_what_is_asked_differently_is_a_change(
    spec: TelemetrySpec, before: TenantOverride, after: TenantOverride
) -> None:
    assert diff(before, before, spec).is_empty
    for change in diff(before, after, spec).changes:
        assert isinstance(change, OverrideChange)
        assert change.asked_before != change.asked_after
        assert change.before != change.after or change.rule in ("without_effect", "spec_bound_elsewhere")
