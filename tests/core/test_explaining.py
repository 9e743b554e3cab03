"""Every leaf has a story, and what it would be without the layer that set it is what resolving without it gives."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EventOverride,
    FloorException,
    PrivacyFloor,
    TenantOverride,
)
from telemetry.core.enums import FloorLimit, Layer, PrivacyLevel
from telemetry.core.explaining import NOTHING, ConfigSources, Explanation, explain_config, leaf_values
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Redaction, Retention, TelemetryDefaults, TelemetrySpec
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_property, make_redaction, make_spec

PII = PrivacyLevel.PII
MAIL = make_event("mail", privacy=PII, retention=Retention(days=365), properties={"id": make_property(redact=True)})
DEFAULTS = TelemetryDefaults(default_sampling_rate=0.8, default_retention_days=200)


def sources(spec: TelemetrySpec, **layers: Any) -> ConfigSources:
    given = {
        "blueprint": AppBlueprint(),
        "override": TenantOverride(),
        "floor": PrivacyFloor(),
        "exceptions": (),
        **layers,
    }
    return ConfigSources(spec, **given)


def explained(found: ConfigSources) -> dict[str, Explanation]:
    _, explanations = explain_config(found, installation=make_installation())
    return {each.path: each for each in explanations}


def story(explanation: Explanation) -> list[tuple[str, Any, Any]]:
    return [(step.layer.value, step.asked, step.value) for step in explanation.steps]


def test_the_story_of_a_retention_runs_from_the_products_default_to_the_exception() -> None:
    found = explained(
        sources(
            make_spec(MAIL, config=DEFAULTS),
            blueprint=AppBlueprint(events={"mail": EventOverride(retention_days=180)}),
            override=TenantOverride(events={"mail": EventOverride(retention_days=300)}),
            floor=PrivacyFloor(maximum_retention_days={PII: 30}),
            exceptions=(
                FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PII, retention_days=90, number=4),
            ),
        )
    )["events[mail@1].retention.days"]

    assert story(found) == [
        ("product", 30, 30),
        ("spec", 200, 200),
        ("event", 365, 365),
        ("blueprint", 180, 180),
        ("tenant", 300, 180),
        ("floor", 30, 30),
        ("exception", 90, 90),
    ]
    assert (found.layer, found.value, found.without) == (Layer.EXCEPTION, 90, 30)
    assert found.place == "exceptions[4].maximumRetentionDays.pii"


def test_without_the_layer_that_raised_the_level_what_the_level_hides_is_shown() -> None:
    spec = make_spec(make_event("step", properties={"note": make_property()}))
    override = TenantOverride(events={"step": EventOverride(privacy=PII)})

    found = explained(sources(spec, override=override))["events[step@1].properties.note.redaction"]

    assert story(found) == [
        ("event", None, None),
        ("tenant", make_redaction("mask"), make_redaction("mask")),
    ]
    assert (found.layer, found.without) == (Layer.TENANT, None)


@pytest.mark.parametrize(
    ("path", "without"),
    [
        ("events[mail@1].sampling.rate", 1.0),
        ("events[mail@1].retention.days", 200),
        ("events[mail@1].properties.id.redaction", Redaction(strategy=make_redaction("mask").strategy)),
        ("events[mail@1].privacy", NOTHING),
        ("events[mail@1].properties.id.type", NOTHING),
        ("checkIntervalMs", NOTHING),
    ],
)
def test_what_has_no_other_source_has_no_other_value(path: str, without: object) -> None:
    assert explained(sources(make_spec(MAIL, config=DEFAULTS)))[path].without == without


LAYERS = (strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())


@given(*LAYERS, st.lists(strategies.floor_exceptions(), max_size=2).map(tuple))
def test_each_explanation_agrees_with_resolving(
    spec: TelemetrySpec,
    blueprint: AppBlueprint,
    override: TenantOverride,
    floor: PrivacyFloor,
    exceptions: tuple[FloorException, ...],
) -> None:
    found = ConfigSources(spec, blueprint, override, floor, exceptions)

    config, explanations = explain_config(found, installation=make_installation())

    assert config == resolve(found)
    assert {each.path for each in explanations} == set(config.provenance)
    for each in explanations:
        assert each.steps[-1].value == each.value
        assert each.layer in [step.layer for step in each.steps]
    check(explanations, Layer.TENANT, resolve(found._replace(override=TenantOverride())))
    check(explanations, Layer.FLOOR, resolve(found._replace(floor=PrivacyFloor())))
    check(explanations, Layer.EXCEPTION, resolve(found._replace(exceptions=())))


def resolve(found: ConfigSources) -> EffectiveConfig:
    return resolve_config(*found, installation=make_installation())


def check(explanations: tuple[Explanation, ...], layer: Layer, without: EffectiveConfig) -> None:
    """Every leaf that the layer set says what it is in the config without that layer."""
    values = dict(leaf_values(without))
    for each in explanations:
        if each.layer is layer:
            assert msgspec.to_builtins(each.without) == msgspec.to_builtins(values[each.path])
