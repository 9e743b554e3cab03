"""Comparing two specs: complete, field by field, each change with the class that its rule says."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from telemetry.core.diff import RULES, diff_specs
from telemetry.core.enums import (
    AnomalyMethod,
    ChangeClass,
    PrivacyLevel,
    ProviderType,
    RetentionPolicy,
    Stability,
    Statistic,
    UndeclaredPolicy,
)
from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    AnomalyRule,
    Deprecation,
    LintOptOut,
    ProviderDefinition,
    Quarantine,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)
from tests.core.builders import make_event, make_meta, make_property, make_redaction, make_spec

STEP = 'events["step@1"]'
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "compatibility.md"


def with_event(config: TelemetryDefaults | None = None, **fields: Any) -> TelemetrySpec:
    """A spec whose only event has these fields."""
    return make_spec(make_event(**fields), config=config)


def with_property(
    type: str = "string",  # noqa: A002 - the document's key
    *,
    privacy: PrivacyLevel = PrivacyLevel.INTERNAL,
    config: TelemetryDefaults | None = None,
    **fields: Any,
) -> TelemetrySpec:
    """A spec whose only event has one property, ``value``, with these fields."""
    return with_event(config, privacy=privacy, properties={"value": make_property(type, **fields)})


def with_config(**fields: Any) -> TelemetrySpec:
    """A spec with these defaults and one event without personal data."""
    return with_event(TelemetryDefaults(**fields), properties={})


def with_meta(**fields: Any) -> TelemetrySpec:
    """A spec with this meta."""
    return TelemetrySpec(meta=make_meta(**fields), events=(make_event(),))


def with_anomalies(**fields: Any) -> TelemetrySpec:
    """A spec whose only event has these anomaly rules."""
    return with_event(anomaly_detection=AnomalyDetection(**fields))


def policy(word: str) -> TelemetryDefaults:
    """Defaults that say what happens to undeclared properties, and nothing else."""
    return TelemetryDefaults(undeclared_properties=UndeclaredPolicy(word))


def posthog(**config: Any) -> TelemetrySpec:
    """A spec with one provider."""
    return with_config(providers=(ProviderDefinition(type=ProviderType.POSTHOG, config=config),))


NOTHING = with_event(properties={})
PERSONAL = {"value": make_property(pii=True)}
VALUE = f"{STEP}.properties.value"
ARCHIVE, DELETE = RetentionPolicy.ARCHIVE, RetentionPolicy.DELETE
BUSY = AnomalyRule(name="busy", statistic=Statistic.COUNT, max=1000.0)
QUIET = AnomalyRule(name="quiet", statistic=Statistic.COUNT, method=AnomalyMethod.SILENCE)
Case = tuple[str, TelemetrySpec, TelemetrySpec, str]

# Rule, before, after, and the path of the only change.
CASES: list[Case] = [
    # Anywhere
    ("restated", make_spec(), make_spec(config=TelemetryDefaults()), "config"),
    ("restated", with_config(default_retention_days=30), with_config(), "config.defaultRetentionDays"),
    ("restated", with_event(), with_event(retention=Retention(days=30)), f"{STEP}.retention.days"),
    ("restated", with_event(), with_event(sampling=Sampling(rate=1.0)), f"{STEP}.sampling.rate"),
    ("restated", with_event(policy("drop")), with_event(TelemetryDefaults()), "config.undeclaredProperties"),
    ("restated", with_event(), with_anomalies(), f"{STEP}.anomalyDetection"),
    ("restated", with_property(pii=True), with_property(pii=True, redact=True), f"{VALUE}.redact"),
    (
        "restated",
        with_property(allowed_values=("a", "b")),
        with_property(allowed_values=("b", "a")),
        f"{VALUE}.allowedValues",
    ),
    (
        "order_changed",
        make_spec(make_event("a"), make_event("b")),
        make_spec(make_event("b"), make_event("a")),
        "events",
    ),
    (
        "order_changed",
        with_event(properties={"a": make_property(), "b": make_property()}),
        with_event(properties={"b": make_property(), "a": make_property()}),
        f"{STEP}.properties",
    ),
    ("wording_changed", with_meta(title="Old"), with_meta(title="New"), "meta.title"),
    ("wording_changed", with_meta(), with_meta(description="New"), "meta.description"),
    ("wording_changed", NOTHING, with_event(properties={}, semantics=Semantics(what="New")), f"{STEP}.semantics.what"),
    ("wording_changed", with_property(), with_property(description="New"), f"{VALUE}.description"),
    ("labels_changed", with_meta(), with_meta(domain="sigil"), "meta.domain"),
    ("labels_changed", with_meta(tags=("a", "b")), with_meta(tags=("b", "a")), "meta.tags"),
    ("labels_changed", with_event(), with_event(tags=("high-volume",)), f"{STEP}.tags"),
    ("owners_changed", with_meta(), with_meta(owners=("@a",)), "meta.owners"),
    ("owners_changed", with_event(), with_event(owners=("@a",)), f"{STEP}.owners"),
    # The spec
    ("spec_renamed", with_meta(name="old"), with_meta(name="new"), "meta.name"),
    ("version_changed", with_meta(version=1), with_meta(version=2), "meta.version"),
    ("stability_changed", with_meta(), with_meta(stability=Stability.DEPRECATED), "meta.stability"),
    # What holds for all events
    (
        "undeclared_quarantined",
        with_event(policy("drop")),
        with_event(policy("quarantine")),
        "config.undeclaredProperties",
    ),
    ("undeclared_tightened", with_event(policy("keep")), with_event(policy("drop")), "config.undeclaredProperties"),
    ("undeclared_loosened", with_event(policy("drop")), with_event(policy("mask")), "config.undeclaredProperties"),
    ("undeclared_loosened", with_event(TelemetryDefaults()), with_event(policy("keep")), "config.undeclaredProperties"),
    ("restated", with_config(), with_config(quarantine=Quarantine(enabled=False)), "config.quarantine"),
    ("restated", with_config(quarantine=Quarantine()), with_config(quarantine=Quarantine(days=7)), "config.quarantine"),
    ("quarantine_opened", with_config(), with_config(quarantine=Quarantine()), "config.quarantine"),
    (
        "quarantine_lengthened",
        with_config(quarantine=Quarantine()),
        with_config(quarantine=Quarantine(days=14)),
        "config.quarantine",
    ),
    (
        "quarantine_shortened",
        with_config(quarantine=Quarantine()),
        with_config(quarantine=Quarantine(enabled=False)),
        "config.quarantine",
    ),
    ("restated", with_config(), with_config(mask_detected=False), "config.maskDetected"),
    ("detected_masked", with_config(), with_config(mask_detected=True), "config.maskDetected"),
    ("detected_passed", with_config(mask_detected=True), with_config(), "config.maskDetected"),
    ("provider_added", with_config(), posthog(), "config.providers.posthog"),
    ("provider_removed", posthog(), with_config(), "config.providers.posthog"),
    ("provider_changed", posthog(key=1), posthog(key=True), "config.providers.posthog.config.key"),
    ("provider_changed", posthog(), posthog(key=None), "config.providers.posthog.config.key"),
    # Events
    ("event_added", NOTHING, make_spec(*NOTHING.events, make_event("new", properties={})), 'events["new@1"]'),
    (
        "event_added",
        make_spec(make_event("step", 2)),
        make_spec(make_event("step", 2), make_event("step", 1, properties={})),
        STEP,
    ),
    (
        "personal_event_added",
        NOTHING,
        make_spec(*NOTHING.events, make_event("new", properties=PERSONAL)),
        'events["new@1"]',
    ),
    (
        "personal_event_added",
        NOTHING,
        make_spec(*NOTHING.events, make_event("new", properties={}, privacy=PrivacyLevel.SENSITIVE)),
        'events["new@1"]',
    ),
    (
        "event_version_added",
        make_spec(make_event()),
        make_spec(make_event(), make_event("step", 2)),
        'events["step@2"]',
    ),
    ("event_removed", make_spec(make_event(), make_event("old")), make_spec(make_event()), 'events["old@1"]'),
    ("deprecation_changed", with_event(), with_event(deprecation=Deprecation(reason="Unused")), f"{STEP}.deprecation"),
    ("review_changed", with_event(), with_event(review_by="2027-01-31"), f"{STEP}.reviewBy"),
    (
        "lint_exception_changed",
        with_event(),
        with_event(lint_opt_outs=(LintOptOut(rule="sampling_too_low", reason="Many events"),)),
        f"{STEP}.lintOptOuts",
    ),
    (
        "privacy_lowered",
        with_event(privacy=PrivacyLevel.PII),
        with_event(privacy=PrivacyLevel.INTERNAL),
        f"{STEP}.privacy",
    ),
    (
        "privacy_raised",
        with_event(privacy=PrivacyLevel.PUBLIC),
        with_event(privacy=PrivacyLevel.INTERNAL),
        f"{STEP}.privacy",
    ),
    ("privacy_raised_to_personal", with_event(), with_event(privacy=PrivacyLevel.PII), f"{STEP}.privacy"),
    # Properties
    ("required_property_added", NOTHING, with_property(required=True, pii=True), VALUE),
    ("optional_property_added", NOTHING, with_property(), VALUE),
    ("personal_property_added", NOTHING, with_property(pii=True), VALUE),
    ("required_property_removed", with_property(required=True), NOTHING, VALUE),
    ("optional_property_removed", with_property(pii=True), NOTHING, VALUE),
    (
        "optional_property_removed",
        with_property(config=policy("keep"), privacy=PrivacyLevel.SENSITIVE),
        with_event(policy("keep"), privacy=PrivacyLevel.SENSITIVE, properties={}),
        VALUE,
    ),
    (
        "quarantined_property_removed",
        with_property(config=policy("quarantine")),
        with_event(policy("quarantine"), properties={}),
        VALUE,
    ),
    (
        "hidden_property_released",
        with_property(config=policy("keep"), pii=True),
        with_event(policy("keep"), properties={}),
        VALUE,
    ),
    (
        "hidden_property_released",
        with_property("json", config=policy("keep"), privacy=PrivacyLevel.PII),
        with_event(policy("keep"), privacy=PrivacyLevel.PII, properties={}),
        VALUE,
    ),
    ("type_changed", with_property("number"), with_property("string"), f"{VALUE}.type"),
    ("type_changed", with_property("string"), with_property("timestamp"), f"{VALUE}.type"),
    ("type_widened", with_property("timestamp"), with_property("string"), f"{VALUE}.type"),
    ("type_widened", with_property("number"), with_property("json"), f"{VALUE}.type"),
    ("became_required", with_property(), with_property(required=True), f"{VALUE}.required"),
    ("became_optional", with_property(required=True), with_property(), f"{VALUE}.required"),
    ("values_narrowed", with_property(), with_property(allowed_values=("a",)), f"{VALUE}.allowedValues"),
    (
        "values_narrowed",
        with_property(allowed_values=("a", "b")),
        with_property(allowed_values=("a", "c")),
        f"{VALUE}.allowedValues",
    ),
    (
        "values_widened",
        with_property(allowed_values=("a",)),
        with_property(allowed_values=("b", "a")),
        f"{VALUE}.allowedValues",
    ),
    ("values_widened", with_property(allowed_values=("a",)), with_property(), f"{VALUE}.allowedValues"),
    ("unit_declared", with_property("number"), with_property("number", unit="ms"), f"{VALUE}.unit"),
    ("unit_changed", with_property("number", unit="ms"), with_property("number", unit="s"), f"{VALUE}.unit"),
    ("unit_withdrawn", with_property("number", unit="ms"), with_property("number"), f"{VALUE}.unit"),
    ("redaction_loosened", with_property(pii=True), with_property(), f"{VALUE}.pii"),
    (
        "redaction_loosened",
        with_property(redaction=make_redaction("truncate", length=3)),
        with_property(redaction=make_redaction("truncate", length=5)),
        f"{VALUE}.redaction",
    ),
    (
        "redaction_loosened",
        with_property(redaction=make_redaction("hash")),
        with_property(redaction=make_redaction("email_domain")),
        f"{VALUE}.redaction",
    ),
    (
        "redaction_loosened",
        with_property(privacy=PrivacyLevel.PII),
        with_property(privacy=PrivacyLevel.PII, pii=False),
        f"{VALUE}.pii",
    ),
    ("redaction_tightened", with_property(), with_property(redact=True), f"{VALUE}.redact"),
    ("pii_flag_cleared", with_property(pii=True, redact=True), with_property(redact=True), f"{VALUE}.pii"),
    # Retention
    ("retention_shortened", with_event(), with_event(retention=Retention(days=7)), f"{STEP}.retention.days"),
    ("retention_shortened", with_config(), with_config(default_retention_days=7), "config.defaultRetentionDays"),
    (
        "retention_lengthened",
        NOTHING,
        with_event(properties={}, retention=Retention(days=90)),
        f"{STEP}.retention.days",
    ),
    ("retention_lengthened", with_config(), with_config(default_retention_days=90), "config.defaultRetentionDays"),
    ("personal_retention_lengthened", with_event(), with_event(retention=Retention(days=90)), f"{STEP}.retention.days"),
    (
        "personal_retention_lengthened",
        with_event(TelemetryDefaults()),
        with_event(TelemetryDefaults(default_retention_days=90)),
        "config.defaultRetentionDays",
    ),
    (
        "retention_lengthened",
        with_event(TelemetryDefaults(), retention=Retention(days=7)),
        with_event(TelemetryDefaults(default_retention_days=90), retention=Retention(days=7)),
        "config.defaultRetentionDays",
    ),
    (
        "archive_dropped",
        with_event(retention=Retention(days=7, policy=ARCHIVE)),
        with_event(retention=Retention(days=7)),
        f"{STEP}.retention.policy",
    ),
    (
        "archive_added",
        with_event(properties={}, retention=Retention(days=7)),
        with_event(properties={}, retention=Retention(days=7, policy=ARCHIVE)),
        f"{STEP}.retention.policy",
    ),
    (
        "personal_archive_added",
        with_event(retention=Retention(days=7)),
        with_event(retention=Retention(days=7, policy=ARCHIVE)),
        f"{STEP}.retention.policy",
    ),
    # Sampling
    ("sampling_lowered", with_event(), with_event(sampling=Sampling(rate=0.5)), f"{STEP}.sampling.rate"),
    ("sampling_lowered", with_config(), with_config(default_sampling_rate=0.5), "config.defaultSamplingRate"),
    ("sampling_raised", with_event(sampling=Sampling(rate=0.5)), with_event(), f"{STEP}.sampling.rate"),
    (
        "conditions_changed",
        with_event(sampling=Sampling(rate=0.5)),
        with_event(sampling=Sampling(rate=0.5, conditions=("properties.durationMs > 1.0",))),
        f"{STEP}.sampling.conditions",
    ),
    # Anomalies
    (
        "anomaly_rules_changed",
        with_anomalies(),
        with_anomalies(minimum_sample=5),
        f"{STEP}.anomalyDetection.minimumSample",
    ),
    (
        "anomaly_rules_changed",
        with_config(anomaly_detection=AnomalyDefaults(check_interval_ms=60_000)),
        with_config(anomaly_detection=AnomalyDefaults(check_interval_ms=60_000, enabled=False)),
        "config.anomalyDetection.enabled",
    ),
    (
        "anomaly_rule_added",
        with_anomalies(rules=(BUSY,)),
        with_anomalies(rules=(BUSY, QUIET)),
        f"{STEP}.anomalyDetection.rules.quiet",
    ),
    (
        "anomaly_rule_changed",
        with_anomalies(rules=(BUSY,)),
        with_anomalies(rules=(msgspec.structs.replace(BUSY, max=2000.0),)),
        f"{STEP}.anomalyDetection.rules.busy.max",
    ),
    (
        "anomaly_rule_removed",
        with_anomalies(rules=(BUSY, QUIET)),
        with_anomalies(rules=(QUIET,)),
        f"{STEP}.anomalyDetection.rules.busy",
    ),
    (
        "threshold_added",
        with_anomalies(thresholds=(Threshold(metric="durationMs", max=1),)),
        with_anomalies(thresholds=(Threshold(metric="durationMs", max=1), Threshold(metric="durationMs", min=0))),
        f'{STEP}.anomalyDetection.thresholds["durationMs#2"]',
    ),
    (
        "threshold_changed",
        with_anomalies(thresholds=(Threshold(metric="durationMs", max=1),)),
        with_anomalies(thresholds=(Threshold(metric="durationMs", max=2),)),
        f"{STEP}.anomalyDetection.thresholds.durationMs.max",
    ),
    (
        "threshold_removed",
        with_anomalies(thresholds=(Threshold(metric="durationMs", max=1),), minimum_sample=1),
        with_anomalies(minimum_sample=1),
        f"{STEP}.anomalyDetection.thresholds.durationMs",
    ),
]


# Each rule


@pytest.mark.parametrize(("rule", "before", "after", "path"), CASES, ids=[f"{case[0]}-{case[3]}" for case in CASES])
def test_a_change_has_the_class_of_its_rule(rule: str, before: TelemetrySpec, after: TelemetrySpec, path: str) -> None:
    [change] = diff_specs(before, after).changes

    assert (change.path, change.rule, change.severity) == (path, rule, RULES[rule].severity)
    assert change.reason == RULES[rule].reason
    assert change.event == ("step@1" if path.startswith(STEP) else path.partition('"')[2].partition('"')[0] or None)


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(RULES)


def test_the_documentation_has_every_rule_with_its_class_and_reason() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.*?) \| (.*?) \|$", DOCUMENTATION.read_text(), re.MULTILINE)

    documented = {name: (severity, reason) for name, severity, reason, _ in rows}
    assert documented == {name: (rule.severity.value, rule.reason) for name, rule in RULES.items()}
    assert all(example for *_, example in rows)


# What a change says


def test_a_change_shows_both_values_as_documents_have_them() -> None:
    before = with_event(retention=Retention(days=7, policy=ARCHIVE))
    after = with_event(retention=Retention(days=7))

    [change] = diff_specs(before, after).changes

    assert (change.before, change.after, change.message) == ("archive", "delete", "archive became delete")


def test_what_was_added_or_removed_is_shown_whole() -> None:
    added = diff_specs(NOTHING, with_property("number", required=True)).changes[0]
    removed = diff_specs(with_property("number", required=True), NOTHING).changes[0]

    assert (added.before, added.after) == (None, {"type": "number", "required": True})
    assert (removed.before, removed.after) == ({"type": "number", "required": True}, None)
    assert added.message == "a required property of type number was added"


def test_what_holds_is_named_where_a_document_says_nothing() -> None:
    before = with_event(TelemetryDefaults(default_retention_days=90), retention=Retention(days=7))
    after = with_event(TelemetryDefaults(default_retention_days=90))

    [change] = diff_specs(before, after).changes

    assert (change.before, change.after, change.message) == (7, None, "7 days became 90")


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ({}, {"pii": False}, "redaction_loosened"),
        ({"pii": False}, {}, "redaction_tightened"),
        ({}, {"pii": True}, "redaction_tightened"),
        ({"redact": True}, {"redact": True, "pii": False}, "restated"),
    ],
)
def test_flags_of_the_context_are_judged_as_every_level_sees_them(
    before: dict[str, Any], after: dict[str, Any], rule: str
) -> None:
    changes = diff_specs(
        with_config(context_properties={"plan": make_property(**before)}),
        with_config(context_properties={"plan": make_property(**after)}),
    ).changes

    assert {change.rule for change in changes} == {rule}


def test_long_texts_are_cut_in_messages_but_not_in_values() -> None:
    [change] = diff_specs(with_meta(), with_meta(description="a" * 4000)).changes

    assert change.message == f"nothing became {'a' * 80}..."
    assert change.after == "a" * 4000


def test_messages_do_not_repeat_the_settings_of_providers() -> None:
    changes = [
        *diff_specs(with_config(), posthog(key="secret-1")).changes,
        *diff_specs(posthog(key="secret-1"), posthog(key="secret-2", host="secret-3")).changes,
        *diff_specs(posthog(key="secret-2"), with_config()).changes,
    ]

    assert len(changes) == 4
    assert not any("secret" in change.message for change in changes)


def test_values_of_a_change_cannot_be_changed() -> None:
    [change] = diff_specs(NOTHING, with_property()).changes

    with pytest.raises(TypeError, match="frozen"):
        change.after["type"] = "number"


# All changes


def test_changes_come_in_the_order_of_the_document_and_what_is_gone_where_it_stood() -> None:
    before = make_spec(make_event("a"), make_event("gone"), make_event("b"), version=1)
    after = make_spec(make_event("a", tags=("new",)), make_event("b", tags=("new",)), make_event("c"), version=2)

    paths = [change.path for change in diff_specs(before, after).changes]

    assert paths == ["meta.version", 'events["a@1"].tags', 'events["gone@1"]', 'events["b@1"].tags', 'events["c@1"]']


def test_changes_are_sorted_by_class_on_demand() -> None:
    diff = diff_specs(with_property(), make_spec(make_event(properties={}, tags=("new",)), version=2))

    assert [change.rule for change in diff.risky] == ["optional_property_removed"]
    assert [change.rule for change in diff.safe] == ["version_changed", "labels_changed"]
    assert (diff.breaking, diff.worst, diff.is_empty) == ((), ChangeClass.RISKY, False)


def test_nothing_is_worse_than_breaking() -> None:
    ranks = [severity.rank for severity in (ChangeClass.SAFE, ChangeClass.RISKY, ChangeClass.BREAKING)]

    assert ranks == [0, 1, 2]
    assert diff_specs(with_property("number"), with_property()).worst is ChangeClass.BREAKING
    assert diff_specs(NOTHING, NOTHING).worst is None


def test_a_level_that_takes_over_from_a_flag_protects_as_before() -> None:
    before = with_property(pii=True)
    after = with_property(privacy=PrivacyLevel.PII)

    rules = [change.rule for change in diff_specs(before, after).changes]

    assert rules == ["privacy_raised_to_personal", "pii_flag_cleared"]


def test_the_second_event_of_one_version_is_compared_with_the_second() -> None:
    before = make_spec(make_event(), make_event(tags=("old",)))
    after = make_spec(make_event(), make_event(tags=("new",)))

    [change] = diff_specs(before, after).changes

    assert (change.path, change.event) == ('events["step@1#2"].tags', "step@1#2")
