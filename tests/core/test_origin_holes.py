"""The holes of the system that this one follows, each closed: those that belong to processing an event.

The numbers are those of the list of holes: 1 random sampling, 2 undeclared properties, 3 raw context, 4 levels that
protect nothing, 5 metrics after redaction, 6 a counter that never resets, 7 toggles without effect, 10 silence.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from telemetry.core.anomaly import Anomaly, AnomalyMonitor
from telemetry.core.conditions import compile_condition
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import DropReason, PrivacyLevel, UndeclaredPolicy
from telemetry.core.errors import InvalidCondition
from telemetry.core.events import Accepted, Context, Dropped, Outcome, PseudonymKey, Rejected
from telemetry.core.pipeline import CompiledConfig, compile_config, process_event
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import AnomalyDetection, EventDefinition, Sampling, TelemetryDefaults, Threshold
from tests.core.builders import (
    NOON,
    make_context,
    make_envelope,
    make_event,
    make_installation,
    make_property,
    make_spec,
)

KEY = PseudonymKey(epoch=1, secret=b"0123456789abcdef0123456789abcdef")


def compiled(event: EventDefinition, *, override: TenantOverride | None = None, **defaults: Any) -> CompiledConfig:
    spec = make_spec(event, config=TelemetryDefaults(**defaults))
    return compile_config(resolve_config(spec, override=override, installation=make_installation()))


def process(config: CompiledConfig, key: PseudonymKey | None = KEY, **fields: Any) -> Outcome:
    return process_event(make_envelope(**fields), config, key=key)


def accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


def test_hole_1_sampling_is_no_draw_but_a_fixed_answer_per_subject() -> None:
    config = compiled(make_event(sampling=Sampling(rate=0.5)))

    def kept(user: str) -> list[bool]:
        return [bool(process(config, id=f"e-{number}", context=Context(user_id=user))) for number in range(20)]

    fates = [kept(f"user-{number}") for number in range(40)]

    assert all(len(set(fate)) == 1 for fate in fates)
    assert 0 < sum(fate[0] for fate in fates) < 40


def test_hole_1_a_subject_kept_at_a_low_rate_is_kept_at_every_higher_one() -> None:
    def kept(rate: float) -> set[int]:
        config = compiled(make_event(sampling=Sampling(rate=rate)))
        return {user for user in range(200) if process(config, context=Context(user_id=f"user-{user}"))}

    assert set() < kept(0.1) < kept(0.3) < kept(0.9)


def test_hole_1_conditions_are_checked_against_types_and_evaluated() -> None:
    sampling = Sampling(rate=1.0, conditions=("properties.durationMs > 1000",))
    config = compiled(make_event(sampling=sampling), default_sampling_rate=0.0)

    assert isinstance(process(config, properties={"step": "a", "durationMs": 1001}), Accepted)
    assert isinstance(process(config, properties={"step": "a", "durationMs": 1000}), Dropped)
    with pytest.raises(InvalidCondition):
        compile_condition("properties.durationMs > 'slow'", make_event().properties, {})


@pytest.mark.parametrize("privacy", PrivacyLevel)
def test_hole_2_an_undeclared_property_does_not_pass_through(privacy: PrivacyLevel) -> None:
    outcome = accepted(process(compiled(make_event(privacy=privacy)), properties={"step": "a", "email": "CANARY"}))

    assert "email" not in outcome.dispatch.properties
    assert [(each.code.value, each.path) for each in outcome.violations] == [
        ("undeclared_property", "properties.email")
    ]


def test_hole_2_a_spec_may_choose_to_keep_mask_or_hold_back() -> None:
    def outcome(policy: str) -> Outcome:
        config = compiled(make_event(), undeclared_properties=UndeclaredPolicy(policy))
        return process(config, properties={"step": "a", "plan": "pro"})

    assert accepted(outcome("keep")).dispatch.properties == {"step": "a", "plan": "pro"}
    assert accepted(outcome("mask")).dispatch.properties == {"step": "a", "plan": "REDACTED"}
    assert isinstance(outcome("quarantine"), Rejected)


@pytest.mark.parametrize("key", [None, KEY])
def test_hole_3_no_raw_subject_id_and_no_undeclared_metadata_leaves_with_the_context(key: PseudonymKey | None) -> None:
    context = make_context(
        user_id="CANARY-u", session_id="CANARY-s", device_id="CANARY-d", actor="CANARY-a", metadata={"note": "CANARY-m"}
    )

    outcome = accepted(process(compiled(make_event()), key=key, context=context))

    assert "CANARY" not in repr(outcome)
    assert (outcome.dispatch.context.user_id is None) is (key is None)
    assert {"context.actor", "context.deviceId", "context.metadata.note", "context.sessionId", "context.userId"} <= set(
        outcome.redacted
    )


@pytest.mark.parametrize(
    ("privacy", "shown"),
    [
        ("public", {"note": "CANARY", "plan": "pro", "size": 7}),
        ("internal", {"note": "CANARY", "plan": "pro", "size": 7}),
        ("pii", {"note": "REDACTED", "plan": "pro", "size": 7}),
        ("sensitive", {"note": "REDACTED", "plan": "REDACTED", "size": 0}),
    ],
)
def test_hole_4_the_privacy_level_protects_properties_that_nobody_flagged(
    privacy: str, shown: dict[str, object]
) -> None:
    properties = {"note": make_property(), "plan": make_property(pii=False), "size": make_property("number")}
    config = compiled(make_event(privacy=PrivacyLevel(privacy), properties=properties))

    outcome = accepted(process(config, properties={"note": "CANARY", "plan": "pro", "size": 7}))

    assert outcome.dispatch.properties == shown


def test_hole_5_a_redacted_number_does_not_trip_a_minimum() -> None:
    rules = AnomalyDetection(minimum_sample=1, thresholds=(Threshold(metric="salary", min=100),))
    event = make_event(properties={"salary": make_property("number", pii=True)}, anomaly_detection=rules)

    outcome = accepted(process(compiled(event), properties={"salary": 5000}))

    assert outcome.dispatch.properties == {"salary": 0}
    assert outcome.metrics == {"salary": 5000.0}
    assert AnomalyMonitor().observe(event, outcome.metrics, NOON) == ()


def test_hole_6_an_event_that_is_sampled_out_is_measured_all_the_same() -> None:
    outcome = process(compiled(make_event(sampling=Sampling(rate=0.0))))

    assert outcome == Dropped(name="step", version=1, reason=DropReason.SAMPLED_OUT, metrics={"durationMs": 2100.0})


def test_hole_6_the_count_of_values_starts_anew_with_each_window() -> None:
    rules = AnomalyDetection(minimum_sample=10, thresholds=(Threshold(metric="durationMs", max=1500),))
    event, monitor = make_event(anomaly_detection=rules), AnomalyMonitor()

    def observe(at: datetime, times: int) -> list[tuple[Anomaly, ...]]:
        return [monitor.observe(event, {"durationMs": 2100.0}, at) for _ in range(times)]

    assert not any(observe(NOON, 9))
    assert any(observe(NOON, 1))
    assert not any(observe(NOON + timedelta(minutes=5), 9))


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (TenantOverride(events={"step": EventOverride(enabled=False)}), DropReason.DISABLED),
        (TenantOverride(enabled=False), DropReason.DISABLED),
        (TenantOverride(events={"step": EventOverride(sampling_rate=0.0)}), DropReason.SAMPLED_OUT),
        (TenantOverride(default_sampling_rate=0.0), DropReason.SAMPLED_OUT),
    ],
)
def test_hole_7_the_tenants_toggles_and_rates_decide(override: TenantOverride, reason: DropReason) -> None:
    outcome = process(compiled(make_event(), override=override))

    assert isinstance(outcome, Dropped)
    assert outcome.reason is reason


@pytest.mark.parametrize(("name", "version"), [("nothing_like_it", None), ("step", 2)])
def test_hole_10_an_unknown_event_leaves_a_violation(name: str, version: int | None) -> None:
    outcome = process(compiled(make_event()), name=name, version=version)

    assert isinstance(outcome, Rejected)
    assert [(each.code.value, each.path) for each in outcome.violations] == [("unknown_event", "name")]
    assert name in outcome.violations[0].message
