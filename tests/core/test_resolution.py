"""Layers merge into one config: every override survives, nothing loosens, every leaf can be explained."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EffectiveConfig,
    EffectiveEvent,
    EffectiveProperty,
    EventOverride,
    PrivacyFloor,
    Provenance,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import (
    FloorStrategy,
    Layer,
    PrivacyLevel,
    RedactionStrategy,
    RetentionPolicy,
    UndeclaredPolicy,
)
from telemetry.core.errors import FieldError
from telemetry.core.floors import combine_floors, floor_redaction, floor_retention_days
from telemetry.core.paths import key_path
from telemetry.core.resolution import find_loosening, resolve_config
from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    Quarantine,
    Redaction,
    Retention,
    Sampling,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)
from telemetry.core.tightening import MASK, join_redaction
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_spec

HASH = Redaction(strategy=RedactionStrategy.HASH)
DROP = Redaction(strategy=RedactionStrategy.DROP)


def resolve(spec: TelemetrySpec, **layers: Any) -> EffectiveConfig:
    return resolve_config(spec, **layers, installation=make_installation())


def only_event(config: EffectiveConfig) -> EffectiveEvent:
    (event,) = config.events
    return event


def test_without_any_layer_the_product_defaults_hold() -> None:
    config = resolve(make_spec())

    event = only_event(config)
    assert (event.enabled, event.sampling.rate, event.retention) == (True, 1.0, Retention(days=30))
    assert config.undeclared_properties is UndeclaredPolicy.DROP
    assert config.provenance["events[step@1].retention.days"] == Provenance(layer=Layer.PRODUCT)


def test_the_specs_defaults_replace_the_products_and_the_event_replaces_the_specs() -> None:
    defaults = TelemetryDefaults(default_sampling_rate=0.5, default_retention_days=90)
    plain, own = make_event(), make_event(name="own", sampling=Sampling(rate=0.1), retention=Retention(days=7))

    config = resolve(make_spec(plain, own, config=defaults))

    assert [(event.sampling.rate, event.retention.days) for event in config.events] == [(0.5, 90), (0.1, 7)]
    assert config.provenance["events[step@1].sampling.rate"] == Provenance(
        layer=Layer.SPEC, path="config.defaultSamplingRate"
    )
    assert config.provenance["events[own@1].sampling.rate"] == Provenance(
        layer=Layer.EVENT, path="events[1].sampling.rate"
    )


def test_a_condition_that_does_not_hold_falls_back_to_the_default_rate() -> None:
    defaults = TelemetryDefaults(default_sampling_rate=0.2)
    event = make_event(sampling=Sampling(rate=1.0, conditions=("properties.durationMs > 100.0",)))

    sampling = only_event(resolve(make_spec(event, config=defaults))).sampling

    assert (sampling.rate, sampling.otherwise_rate) == (1.0, 0.2)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ({"sampling_rate": 0.25}, "events[step@1].sampling.rate", 0.25),
        ({"enabled": False}, "events[step@1].enabled", False),
        ({"retention_days": 7}, "events[step@1].retention.days", 7),
        ({"privacy": PrivacyLevel.SENSITIVE}, "events[step@1].privacy", "sensitive"),
        ({"redaction": {"userId": DROP}}, "events[step@1].properties.userId.redaction", {"strategy": "drop"}),
        (
            {"anomaly_detection": AnomalyOverride(minimum_sample=3)},
            "events[step@1].anomalyDetection.minimumSample",
            3,
        ),
    ],
)
def test_every_form_of_override_works_alone_without_a_spec_pointer(
    override: dict[str, Any], path: str, value: object
) -> None:
    # Hole 8 of the origin: an override with sampling only, and no spec pointer, resolved to nothing.
    config = resolve(make_spec(), override=TenantOverride(events={"step": EventOverride(**override)}))

    assert leaves(config)[path] == value
    assert config.provenance[path].layer is Layer.TENANT


def test_all_forms_of_override_work_combined() -> None:
    override = TenantOverride(
        spec=SpecPointer(name="sigil.telemetry"),
        default_sampling_rate=0.5,
        events={"step": EventOverride(sampling_rate=0.25, retention_days=7, enabled=True, redaction={"userId": DROP})},
    )

    event = only_event(resolve(make_spec(), override=override))

    assert (event.enabled, event.sampling.rate, event.sampling.otherwise_rate) == (True, 0.25, 0.5)
    assert event.retention.days == 7
    assert event.properties["userId"].redaction == DROP


def test_the_override_for_an_exact_version_wins_over_the_one_for_the_name() -> None:
    spec = make_spec(make_event(), make_event(version=2))
    override = TenantOverride(
        events={
            "step": EventOverride(sampling_rate=0.5, retention_days=9),
            "step@2": EventOverride(sampling_rate=0.1),
        }
    )

    config = resolve(spec, override=override)

    assert [(event.sampling.rate, event.retention.days) for event in config.events] == [(0.5, 9), (0.1, 9)]
    assert config.provenance["events[step@2].sampling.rate"].path == 'events["step@2"].samplingRate'


def test_the_tenant_can_switch_on_what_the_blueprint_switched_off() -> None:
    blueprint = AppBlueprint(events={"step": EventOverride(enabled=False)})
    override = TenantOverride(events={"step": EventOverride(enabled=True)})

    assert only_event(resolve(make_spec(), blueprint=blueprint)).enabled is False
    assert only_event(resolve(make_spec(), blueprint=blueprint, override=override)).enabled is True


def test_telemetry_turned_off_disables_every_event_but_those_the_floor_forces_on() -> None:
    spec = make_spec(make_event(), make_event(name="login"))
    floor = PrivacyFloor(forced_on=("login",))

    config = resolve(spec, override=TenantOverride(enabled=False), floor=floor)

    assert config.enabled is False
    assert [event.enabled for event in config.events] == [False, True]
    assert config.provenance["events[step@1].enabled"] == Provenance(layer=Layer.TENANT, path="enabled")
    assert config.provenance["events[login@1].enabled"] == Provenance(
        layer=Layer.FLOOR, path="forcedOn", limited=(Layer.TENANT,)
    )
    assert find_loosening(spec, None, TenantOverride(enabled=False), floor) == ()


def test_what_the_floor_forces_off_stays_off_even_if_it_is_forced_on_too() -> None:
    floor = PrivacyFloor(forced_off=("step@1",), forced_on=("step",))

    config = resolve(make_spec(), override=TenantOverride(events={"step": EventOverride(enabled=True)}), floor=floor)

    assert only_event(config).enabled is False


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"privacy": PrivacyLevel.PUBLIC}, "events.step.privacy"),
        ({"retention_days": 31}, "events.step.retentionDays"),
        ({"retention_policy": RetentionPolicy.ARCHIVE}, "events.step.retentionPolicy"),
        ({"redaction": {"userId": HASH}}, "events.step.redaction.userId"),
    ],
)
def test_a_tenant_that_loosens_privacy_changes_nothing_and_is_told_where(wish: dict[str, Any], path: str) -> None:
    # Hole 9 of the origin: a tenant could loosen privacy.
    override = TenantOverride(events={"step": EventOverride(**wish)})

    (error,) = find_loosening(make_spec(), None, override, None)

    assert (error.code, error.path) == ("loosens", path)
    assert leaves(resolve(make_spec(), override=override)) == leaves(resolve(make_spec()))


def test_a_wish_that_several_versions_refuse_is_reported_once() -> None:
    spec = make_spec(make_event(), make_event(version=2))
    override = TenantOverride(events={"step": EventOverride(retention_days=99)})

    assert find_loosening(spec, None, override, None) == (
        FieldError("loosens", "events.step.retentionDays", "may only be tightened; the product layer protects more"),
    )


@pytest.mark.parametrize(("wish", "held"), [(0.01, 0.1), (0.3, 0.3), (0.9, 0.5)])
def test_sampling_is_held_within_the_floors_bounds(wish: float, held: float) -> None:
    floor = PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.1, maximum_rate=0.5))
    override = TenantOverride(events={"step": EventOverride(sampling_rate=wish)})

    assert only_event(resolve(make_spec(), override=override, floor=floor)).sampling.rate == held
    refused = [error.path for error in find_loosening(make_spec(), None, override, floor)]
    assert refused == ([] if wish == held else ["events.step.samplingRate"])


def test_the_floor_shortens_retention_and_hardens_redaction_by_the_final_level() -> None:
    floor = PrivacyFloor(
        minimum_redaction={PrivacyLevel.PII: FloorStrategy.NULL},
        maximum_retention_days={PrivacyLevel.PII: 14},
    )
    override = TenantOverride(events={"step": EventOverride(privacy=PrivacyLevel.PII)})

    config = resolve(make_spec(), override=override, floor=floor)

    event = only_event(config)
    null = Redaction(strategy=RedactionStrategy.NULL)
    assert event.retention.days == 14
    assert {name: each.redaction for name, each in event.properties.items()} == {
        "step": null,
        "durationMs": None,
        "userId": null,
    }
    assert config.provenance["events[step@1].properties.step.redaction"] == Provenance(
        layer=Layer.FLOOR, path="minimumRedaction.pii", limited=(Layer.TENANT,)
    )


def test_raising_the_level_does_not_escape_the_floor_of_a_lower_level() -> None:
    floor = PrivacyFloor(
        minimum_redaction={PrivacyLevel.INTERNAL: FloorStrategy.DROP, PrivacyLevel.PII: FloorStrategy.HASH},
        maximum_retention_days={PrivacyLevel.INTERNAL: 7, PrivacyLevel.PII: 14},
    )
    override = TenantOverride(events={"step": EventOverride(privacy=PrivacyLevel.PII)})

    config = resolve(make_spec(), override=override, floor=floor)

    event = only_event(config)
    assert event.retention.days == 7
    assert event.properties["step"].redaction == DROP
    assert config.provenance["events[step@1].retention.days"].path == "maximumRetentionDays.internal"


def test_raising_the_level_redacts_text_that_nobody_flagged_and_says_why() -> None:
    override = TenantOverride(events={"step": EventOverride(privacy=PrivacyLevel.PII)})

    config = resolve(make_spec(), override=override)

    assert only_event(config).properties["step"].redaction == MASK
    assert config.provenance["events[step@1].properties.step.redaction"] == Provenance(
        layer=Layer.TENANT, path="events.step.privacy"
    )


def test_two_partial_redactions_of_different_kinds_end_as_a_mask() -> None:
    blueprint = AppBlueprint(
        events={"step": EventOverride(redaction={"step": Redaction(strategy=RedactionStrategy.TRUNCATE, length=3)})}
    )
    override = TenantOverride(events={"step": EventOverride(redaction={"step": HASH})})

    assert only_event(resolve(make_spec(), blueprint=blueprint, override=override)).properties["step"].redaction == MASK


def test_anomaly_rules_of_a_layer_replace_the_events_and_the_spec_can_turn_all_off() -> None:
    rules = AnomalyDetection(minimum_sample=10, thresholds=(Threshold(metric="durationMs", max=1500.0),))
    replaced = AnomalyOverride(thresholds=(Threshold(metric="durationMs", max=900.0),))
    spec = make_spec(make_event(anomaly_detection=rules))
    silent = make_spec(
        make_event(anomaly_detection=rules),
        config=TelemetryDefaults(anomaly_detection=AnomalyDefaults(enabled=False, check_interval_ms=60_000)),
    )
    override = TenantOverride(events={"step": EventOverride(anomaly_detection=replaced)})

    assert only_event(resolve(spec)).anomaly_detection == rules
    assert only_event(resolve(spec, override=override)).anomaly_detection.thresholds == replaced.thresholds
    assert only_event(resolve(silent)).anomaly_detection.enabled is False
    assert resolve(silent).check_interval_ms == 60_000


@pytest.mark.parametrize(
    ("said", "days"),
    [
        (None, 0),
        (Quarantine(), 7),
        (Quarantine(days=3), 3),
        (Quarantine(enabled=False, days=3), 0),
    ],
)
def test_refused_events_are_held_only_if_the_spec_says_so(said: Quarantine | None, days: int) -> None:
    config = resolve(make_spec(config=TelemetryDefaults(quarantine=said)))

    assert config.quarantine_days == days
    layer = Layer.PRODUCT if said is None else Layer.SPEC
    assert config.provenance["quarantineDays"].layer is layer


def test_a_floor_can_forbid_that_refused_events_are_held() -> None:
    spec = make_spec(config=TelemetryDefaults(quarantine=Quarantine(days=3)))

    config = resolve(spec, floor=combine_floors(PrivacyFloor(), PrivacyFloor(forbid_quarantine=True)))

    assert config.quarantine_days == 0
    assert config.provenance["quarantineDays"] == Provenance(
        layer=Layer.FLOOR, path="forbidQuarantine", limited=(Layer.SPEC,)
    )


def test_what_detectors_find_is_masked_only_if_the_spec_says_so() -> None:
    assert not resolve(make_spec()).mask_detected
    assert resolve(make_spec(config=TelemetryDefaults(mask_detected=True))).mask_detected


def test_references_to_what_the_spec_lacks_are_listed_and_change_nothing() -> None:
    override = TenantOverride(
        events={
            "stepp": EventOverride(enabled=False),
            "step": EventOverride(redaction={"user": DROP}),
            "step@9": EventOverride(enabled=False),
        }
    )

    config = resolve(make_spec(), override=override)

    assert config.missing == ("tenant.events.stepp", "tenant.events.step.redaction.user", 'tenant.events["step@9"]')
    assert leaves(config) == leaves(resolve(make_spec()))


def test_floors_combine_to_the_tightest_of_each_rule() -> None:
    organisation = PrivacyFloor(
        minimum_redaction={PrivacyLevel.PII: FloorStrategy.HASH},
        maximum_retention_days={PrivacyLevel.PII: 30, PrivacyLevel.INTERNAL: 90},
        forced_off=("a",),
        sampling=SamplingBounds(minimum_rate=0.1),
    )
    app = PrivacyFloor(
        minimum_redaction={PrivacyLevel.PII: FloorStrategy.DROP},
        maximum_retention_days={PrivacyLevel.PII: 60},
        forced_off=("b", "a"),
        sampling=SamplingBounds(maximum_rate=0.05),
    )

    assert combine_floors(organisation, app) == PrivacyFloor(
        minimum_redaction={PrivacyLevel.PII: FloorStrategy.DROP},
        maximum_retention_days={PrivacyLevel.PII: 30, PrivacyLevel.INTERNAL: 90},
        forced_off=("a", "b"),
        sampling=SamplingBounds(minimum_rate=0.05, maximum_rate=0.05),
    )
    assert combine_floors() == PrivacyFloor()


@given(strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_no_override_leaves_an_event_less_protected_than_without_it(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    without = resolve(spec, blueprint=blueprint, floor=floor)
    merged = resolve(spec, blueprint=blueprint, override=override, floor=floor)

    for before, after in zip(without.events, merged.events, strict=True):
        assert after.privacy.rank >= before.privacy.rank
        assert after.retention.days <= before.retention.days
        for name, old in before.properties.items():
            new = after.properties[name].redaction
            assert join_redaction(new, old.redaction) == new
    assert after_floor_violations(merged, floor) == []


@given(strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_every_leaf_has_a_provenance_and_nothing_else_has(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    config = resolve(spec, blueprint=blueprint, override=override, floor=floor)

    assert set(config.provenance) == set(leaves(config))


@given(strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_equal_layers_give_an_equal_config(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    once = resolve(spec, blueprint=blueprint, override=override, floor=floor)
    again = resolve(spec, blueprint=blueprint, override=override, floor=floor)

    assert once == again


def after_floor_violations(config: EffectiveConfig, floor: PrivacyFloor) -> list[str]:
    """Names of events that are weaker than the floor."""
    found = []
    for event in config.events:
        references = {event.name, f"{event.name}@{event.version}"}
        limit = floor_retention_days(floor, event.privacy)
        minimum = floor_redaction(floor, event.privacy)
        is_kept_too_long = limit is not None and event.retention.days > limit.value
        is_shown_too_much = minimum is not None and any(
            each.redaction is not None and join_redaction(each.redaction, minimum.value) != each.redaction
            for each in event.properties.values()
        )
        if is_kept_too_long or is_shown_too_much or (event.enabled and references & set(floor.forced_off)):
            found.append(event.name)
    return found


def leaves(config: EffectiveConfig) -> dict[str, Any]:
    """Every leaf of the settled part of a config, by its path in terms of provenance."""
    document = msgspec.to_builtins(config)
    settled = ("enabled", "undeclaredProperties", "checkIntervalMs", "providers", "quarantineDays", "maskDetected")
    found = {key: document[key] for key in settled}
    for name, each in config.context_properties.items():
        path = key_path("contextProperties", name)
        found |= {**property_leaves(path, each), f"{path}.declaredFree": each.declared_free}
    for event in config.events:
        path = f"events[{event.name}@{event.version}]"
        built = msgspec.to_builtins(event)
        found |= {f"{path}.{key}": built[key] for key in ("enabled", "privacy", "tags")}
        found |= {f"{path}.retention.{key}": getattr(event.retention, key) for key in ("days", "policy")}
        found |= {
            f"{path}.sampling.rate": event.sampling.rate,
            f"{path}.sampling.otherwiseRate": event.sampling.otherwise_rate,
            f"{path}.sampling.conditions": event.sampling.conditions,
        }
        detection = event.anomaly_detection
        found |= {
            f"{path}.anomalyDetection.enabled": detection.enabled,
            f"{path}.anomalyDetection.minimumSample": detection.minimum_sample,
            f"{path}.anomalyDetection.thresholds": detection.thresholds,
            f"{path}.anomalyDetection.rules": detection.rules,
            f"{path}.anomalyDetection.actions": detection.actions,
        }
        for name, each in event.properties.items():
            found |= property_leaves(key_path(f"{path}.properties", name), each)
    return found


def property_leaves(path: str, each: EffectiveProperty) -> dict[str, Any]:
    return {
        f"{path}.type": each.type,
        f"{path}.required": each.required,
        f"{path}.redaction": msgspec.to_builtins(each.redaction),
        f"{path}.allowedValues": each.allowed_values,
    }
