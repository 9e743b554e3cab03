"""Each rule of the table: what it makes of a signal, and when it keeps quiet."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from telemetry.core.enums import AnomalyMethod, PrivacyLevel, PropertyType, RedactionStrategy, Statistic
from telemetry.core.proposals import PROPOSAL_RULES, Confidence, Signal, SignalKind, Suggestion, suggest
from telemetry.core.proposals.rules.case import rounded_down, rounded_up
from telemetry.core.proposals.rules.volume import relative_error
from telemetry.core.proposals.suggestion import Promise, keeps_promise
from telemetry.core.spec import (
    AnomalyDetection,
    AnomalyRule,
    Deprecation,
    EventDefinition,
    Retention,
    Sampling,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)
from telemetry.core.validation import check_spec
from tests.core.builders import make_event, make_property, make_spec

BREACH: Mapping[str, Any] = {
    "windows": 200,
    "breaching": 100,
    "days": 8,
    "side": "high",
    "p50": 1400.0,
    "p99": 2200.0,
    "p999": 2610.0,
    "p001": 90.0,
    "seasonality": 0.1,
}


def signal(kind: SignalKind, subject: str = "", **facts: Any) -> Signal:
    return Signal(kind=kind, source="test:1", event="step", event_version=1, subject=subject, strength=1.0, facts=facts)


def only(spec: TelemetrySpec, noticed: Signal) -> Suggestion:
    """The one suggestion, which leaves the spec valid."""
    [found] = suggest(spec, noticed)
    others = tuple(event for event in spec.events if (event.name, event.version) != ("step", 1))
    assert check_spec(msgspec.structs.replace(spec, events=(found.event, *others))) == ()
    assert found.rule in PROPOSAL_RULES
    assert found.title
    assert found.summary
    assert found.rationale
    return found


def watched(**fields: Any) -> EventDefinition:
    return make_event(anomaly_detection=AnomalyDetection(minimum_sample=10, **fields))


BOUNDED = make_spec(watched(thresholds=(Threshold(metric="durationMs", min=100.0, max=1500.0),)))
HOURLY = AnomalyRule(name="busy", statistic=Statistic.COUNT, max=50.0, min=5.0)


def test_every_rule_of_the_issue_is_in_the_table_with_a_description() -> None:
    assert set(PROPOSAL_RULES) == {
        "threshold_outgrown",
        "seasonal_on_fixed_bounds",
        "undeclared_property_steady",
        "personal_property_unflagged",
        "required_property_missing",
        "volume_high",
        "unused",
        "retention_above_use",
        "sampling_below_minimum_sample",
        "condition_without_use",
    }
    assert {kind for rule in PROPOSAL_RULES.values() for kind in rule.kinds} == set(SignalKind)
    assert all(rule.description.endswith(".") for rule in PROPOSAL_RULES.values())


def test_nothing_is_made_of_a_signal_about_an_event_that_the_spec_does_not_have() -> None:
    assert suggest(make_spec(make_event("other")), signal(SignalKind.VOLUME, per_day=1e7, kept_share=1.0)) == []


# The threshold that is outgrown


def test_a_bound_that_is_always_breached_moves_beyond_what_is_usual() -> None:
    found = only(BOUNDED, signal(SignalKind.RULE_BREACH, "threshold:durationMs", **BREACH))

    assert found.rule == "threshold_outgrown"
    assert found.event.anomaly_detection is not None
    assert found.event.anomaly_detection.thresholds == (Threshold(metric="durationMs", min=100.0, max=2900.0),)
    assert found.own is not None
    assert found.confidence is Confidence.HIGH
    assert keeps_promise(found.promise, 0.05)
    assert not keeps_promise(found.promise, 0.06)


def test_a_minimum_moves_down() -> None:
    facts = {**BREACH, "side": "low"}

    found = only(BOUNDED, signal(SignalKind.RULE_BREACH, "threshold:durationMs", **facts))

    assert found.event.anomaly_detection is not None
    assert found.event.anomaly_detection.thresholds[0].min == 81.0


def test_the_bound_of_a_rule_moves_and_its_others_stay() -> None:
    other = AnomalyRule(name="other", statistic=Statistic.COUNT, max=1.0)
    spec = make_spec(watched(rules=(other, HOURLY)))
    facts = {**BREACH, "p999": 70.0}

    found = only(spec, signal(SignalKind.RULE_BREACH, "busy", **facts))

    assert found.event.anomaly_detection is not None
    assert found.event.anomaly_detection.rules == (other, msgspec.structs.replace(HOURLY, max=77.0))


@pytest.mark.parametrize(
    ("subject", "changed"),
    [
        ("threshold:durationMs", {"breaching": 2}),
        ("threshold:durationMs", {"windows": 10_000}),
        ("threshold:durationMs", {"windows": 0, "breaching": 0}),
        # What was seen is within the bound.
        ("threshold:durationMs", {"p999": 900.0}),
        ("threshold:other", {}),
        ("threshold:durationMs#2", {}),
        ("gone", {}),
    ],
)
def test_a_bound_that_is_rarely_breached_or_gone_stays(subject: str, changed: Mapping[str, Any]) -> None:
    assert suggest(BOUNDED, signal(SignalKind.RULE_BREACH, subject, **{**BREACH, **changed})) == []


def test_a_breach_in_nearly_every_window_asks_what_is_wrong() -> None:
    found = only(BOUNDED, signal(SignalKind.RULE_BREACH, "threshold:durationMs", **{**BREACH, "breaching": 190}))

    assert found.blockers == ("It is in breach nearly always: is the bound wrong, or the product?",)


# The seasonal metric


def test_a_metric_with_a_rhythm_gets_a_baseline_and_not_a_bound() -> None:
    spec = make_spec(watched(rules=(HOURLY,)))

    found = only(spec, signal(SignalKind.RULE_BREACH, "busy", **{**BREACH, "seasonality": 0.8}))

    assert found.rule == "seasonal_on_fixed_bounds"
    assert found.event.anomaly_detection is not None
    [rule] = found.event.anomaly_detection.rules
    assert (rule.method, rule.min, rule.max) == (AnomalyMethod.SEASONAL, None, None)


@pytest.mark.parametrize("changed", [{"seasonality": 0.8, "days": 2}, {"seasonality": 0.8, "breaching": 1}])
def test_a_rhythm_that_was_hardly_seen_changes_nothing(changed: Mapping[str, Any]) -> None:
    spec = make_spec(watched(rules=(HOURLY,)))

    assert suggest(spec, signal(SignalKind.RULE_BREACH, "busy", **{**BREACH, **changed})) == []


# Undeclared and missing properties


def test_a_steady_undeclared_property_is_declared_with_its_type() -> None:
    facts = {"events": 400, "share": 0.5, "days": 5, "type": "number"}

    found = only(make_spec(), signal(SignalKind.UNDECLARED_PROPERTY, "attempt", **facts))

    assert found.event.properties["attempt"].type is PropertyType.NUMBER
    assert found.event.properties["attempt"].required is False
    assert found.event.properties["attempt"].pii is None
    assert list(found.event.properties)[:3] == ["step", "durationMs", "userId"]


def test_one_that_reads_like_personal_data_is_declared_as_such_and_hidden() -> None:
    facts = {"events": 400, "share": 0.5, "days": 5, "type": "string", "detector": "an e-mail", "strategy": "hash"}

    found = only(make_spec(), signal(SignalKind.UNDECLARED_PROPERTY, "contact", **facts))

    contact = found.event.properties["contact"]
    assert contact.pii
    assert contact.redact
    assert contact.redaction is not None
    assert contact.redaction.strategy is RedactionStrategy.HASH


@pytest.mark.parametrize(
    ("name", "changed"),
    [("step", {}), ("attempt", {"events": 19}), ("attempt", {"share": 0.01})],
)
def test_a_property_that_is_declared_or_rare_is_not_declared(name: str, changed: Mapping[str, Any]) -> None:
    facts = {"events": 400, "share": 0.5, "days": 5, "type": "number", **changed}

    assert suggest(make_spec(), signal(SignalKind.UNDECLARED_PROPERTY, name, **facts)) == []


MISSING: Mapping[str, Any] = {"events": 200, "share": 0.4, "days": 5, "versions": 2, "faulty": 2}


def test_a_required_property_that_all_apps_forget_becomes_optional() -> None:
    found = only(make_spec(), signal(SignalKind.MISSING_PROPERTY, "step", **MISSING))

    assert found.event.properties["step"].required is False
    assert found.title == "Make step optional"
    assert found.own is None


def test_where_one_version_of_the_app_forgets_it_the_app_is_to_be_mended() -> None:
    facts = {**MISSING, "faulty": 1, "faulty_version": "2.4.1"}

    found = only(make_spec(), signal(SignalKind.MISSING_PROPERTY, "step", **facts))

    assert found.title == "Mend version 2.4.1, or make step optional"
    assert found.confidence is Confidence.LOW
    assert "mend the app" in found.blockers[0]


@pytest.mark.parametrize(("name", "changed"), [("durationMs", {}), ("gone", {}), ("step", {"events": 5})])
def test_what_is_optional_gone_or_rarely_missing_stays(name: str, changed: Mapping[str, Any]) -> None:
    assert suggest(make_spec(), signal(SignalKind.MISSING_PROPERTY, name, **{**MISSING, **changed})) == []


# Personal data

FOUND: Mapping[str, Any] = {
    "found": 30,
    "checked": 40,
    "detector": "an e-mail",
    "strategy": "email_domain",
    "level": "pii",
}


def test_a_property_that_reads_like_personal_data_is_flagged_and_hidden() -> None:
    found = only(make_spec(), signal(SignalKind.PERSONAL_DATA, "step", **FOUND))

    step = found.event.properties["step"]
    assert step.pii
    assert step.redact
    assert step.redaction is not None
    assert step.redaction.strategy is RedactionStrategy.EMAIL_DOMAIN
    assert found.blockers == ("Values of this kind belong to level pii: the event is internal.",)
    assert found.own is not None
    assert found.own.redaction == {"step": step.redaction}


def test_one_that_was_declared_free_of_it_is_proposed_with_a_warning() -> None:
    spec = make_spec(make_event(privacy=PrivacyLevel.PII, properties={"step": make_property(pii=False)}))

    found = only(spec, signal(SignalKind.PERSONAL_DATA, "step", **FOUND))

    assert "somebody thought about it" in found.blockers[0]


@pytest.mark.parametrize(("name", "changed"), [("userId", {}), ("gone", {}), ("step", {"found": 2})])
def test_what_is_hidden_gone_or_hardly_found_stays(name: str, changed: Mapping[str, Any]) -> None:
    assert suggest(make_spec(), signal(SignalKind.PERSONAL_DATA, name, **{**FOUND, **changed})) == []


# Volume and samples


def test_a_flood_is_sampled_at_the_least_rate_whose_error_is_tolerable() -> None:
    found = only(make_spec(), signal(SignalKind.VOLUME, per_day=1_000_000.0, kept_share=1.0))

    assert found.event.sampling == Sampling(rate=0.05)
    assert relative_error(1_000_000, 0.05) < 0.01
    assert "off by 0.85% at most" in found.rationale
    assert keeps_promise(found.promise, 0.05)
    assert not keeps_promise(found.promise, 0.2)


def test_the_error_of_a_sampled_count_is_that_of_the_binomial_distribution() -> None:
    # 10,000 coins: the standard deviation of heads is 50, of the estimated count 100.
    assert relative_error(10_000, 0.5) == pytest.approx(1.96 * 0.01)
    assert relative_error(10_000, 1.0) == 0.0
    assert relative_error(0, 0.5) == 0.0


@pytest.mark.parametrize(
    ("spec", "per_day", "kept_share"),
    [
        (make_spec(), 10_000.0, 1.0),
        (make_spec(make_event(sampling=Sampling(rate=0.5))), 1e6, 0.5),
        (make_spec(make_event(sampling=Sampling(rate=1.0, conditions=("properties.step == 'a'",)))), 1e6, 1.0),
        (make_spec(config=TelemetryDefaults(default_sampling_rate=0.5)), 1e6, 0.5),
        # A tenant samples it already.
        (make_spec(), 1e6, 0.4),
    ],
)
def test_what_is_small_or_sampled_already_is_left_alone(spec: TelemetrySpec, per_day: float, kept_share: float) -> None:
    assert suggest(spec, signal(SignalKind.VOLUME, per_day=per_day, kept_share=kept_share)) == []


SAMPLED = make_spec(
    msgspec.structs.replace(
        watched(thresholds=(Threshold(metric="durationMs", max=1500.0),)), sampling=Sampling(rate=0.1)
    )
)
SHORT: Mapping[str, Any] = {"windows": 60, "received": 40.0, "kept": 4.0, "minimum": 10}


def test_a_rate_that_keeps_less_than_the_minimum_sample_is_raised() -> None:
    found = only(SAMPLED, signal(SignalKind.SAMPLE, "threshold:durationMs", **SHORT))

    assert found.event.sampling == Sampling(rate=0.35)
    assert keeps_promise(found.promise, 10)
    assert not keeps_promise(found.promise, 9)


@pytest.mark.parametrize(
    ("spec", "changed"),
    [
        (SAMPLED, {"kept": 10.0}),
        (SAMPLED, {"windows": 9}),
        # No rate helps where fewer come than it takes.
        (SAMPLED, {"received": 9.0}),
        (SAMPLED, {"received": 0.0}),
        (make_spec(watched(thresholds=(Threshold(metric="durationMs", max=1.0),))), {}),
        (make_spec(), {}),
    ],
)
def test_a_rate_that_suffices_or_cannot_help_stays(spec: TelemetrySpec, changed: Mapping[str, Any]) -> None:
    assert suggest(spec, signal(SignalKind.SAMPLE, "threshold:durationMs", **{**SHORT, **changed})) == []


# What nobody uses


@pytest.mark.parametrize("reason", ["never_sent", "never_read"])
def test_an_event_that_nobody_sends_or_reads_is_deprecated(reason: str) -> None:
    found = only(make_spec(), signal(SignalKind.UNUSED_EVENT, days=90, reason=reason))

    assert found.event.deprecation is not None
    assert found.event.deprecation.reason == f"Nobody has {reason.removeprefix('never_')} it for 90 days."


def test_a_property_that_never_comes_says_so() -> None:
    found = only(make_spec(), signal(SignalKind.UNUSED_PROPERTY, "durationMs", events=5_000, days=30))

    assert found.event.properties["durationMs"].description == "Deprecated: no app sends it."


@pytest.mark.parametrize(
    ("spec", "noticed"),
    [
        (make_spec(), signal(SignalKind.UNUSED_EVENT, days=27, reason="never_sent")),
        (
            make_spec(make_event(deprecation=Deprecation(reason="Old"))),
            signal(SignalKind.UNUSED_EVENT, days=90, reason="never_sent"),
        ),
        (make_spec(), signal(SignalKind.UNUSED_PROPERTY, "step", events=5_000, days=30)),
        (make_spec(), signal(SignalKind.UNUSED_PROPERTY, "durationMs", events=99, days=30)),
        (
            make_spec(make_event(properties={"a": make_property(description="Deprecated: gone")})),
            signal(SignalKind.UNUSED_PROPERTY, "a", events=5_000, days=30),
        ),
    ],
)
def test_what_is_young_rare_required_or_deprecated_already_stays(spec: TelemetrySpec, noticed: Signal) -> None:
    assert suggest(spec, noticed) == []


# Retention and conditions

READ: Mapping[str, Any] = {
    "kept_days": 365,
    "oldest_read_days": 12.0,
    "reads": 50,
    "days": 90,
    "rows_beyond": 1000,
}


def test_what_is_kept_far_longer_than_it_is_read_is_kept_for_less() -> None:
    spec = make_spec(make_event(retention=Retention(days=365)))

    found = only(spec, signal(SignalKind.RETENTION, **READ))

    assert found.event.retention == Retention(days=30)
    assert "1000 stored events are older than 30 days" in found.rationale


@pytest.mark.parametrize(
    "changed",
    [{"reads": 4}, {"kept_days": 30}, {"oldest_read_days": 150.0}, {"oldest_read_days": 300.0}],
)
def test_what_is_read_far_back_or_hardly_ever_is_kept_as_long_as_before(changed: Mapping[str, Any]) -> None:
    spec = make_spec(make_event(retention=Retention(days=365)))

    assert suggest(spec, signal(SignalKind.RETENTION, **{**READ, **changed})) == []


CONDITION = make_spec(make_event(sampling=Sampling(rate=0.5, conditions=("properties.step == 'x'",))))


def test_conditions_that_never_hold_go_and_the_default_rate_stays() -> None:
    found = only(CONDITION, signal(SignalKind.CONDITION, events=2_000, holding_share=0.0))

    assert found.event.sampling is None
    assert keeps_promise(found.promise, 1.0)


def test_of_conditions_that_always_hold_the_rate_stays() -> None:
    found = only(CONDITION, signal(SignalKind.CONDITION, events=2_000, holding_share=1.0))

    assert found.event.sampling == Sampling(rate=0.5)


def test_what_lint_is_certain_of_needs_no_events() -> None:
    found = only(CONDITION, signal(SignalKind.CONDITION, events=0, holding_share=0.0, is_certain=True))

    assert found.confidence is Confidence.HIGH
    assert found.blockers == ()


@pytest.mark.parametrize(("events", "share"), [(2_000, 0.5), (99, 0.0)])
def test_conditions_that_hold_sometimes_or_were_hardly_asked_stay(events: int, share: float) -> None:
    assert suggest(CONDITION, signal(SignalKind.CONDITION, events=events, holding_share=share)) == []


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(2610.0, 2700.0, 2600.0), (77.0, 77.0, 77.0), (0.0123, 0.013, 0.012), (-5.55, -5.5, -5.6), (0.0, 0.0, 0.0)],
)
def test_bounds_have_two_digits_and_never_less_room(value: float, up: float, down: float) -> None:
    assert rounded_up(value) == up
    assert rounded_down(value) == down


def test_a_promise_without_bounds_is_always_kept() -> None:
    assert keeps_promise(msgspec.convert({"measure": "received", "before": 1.0}, Promise), 5.0)
