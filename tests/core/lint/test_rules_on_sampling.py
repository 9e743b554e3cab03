"""Where rules about sampling and conditions begin and end to apply; that they do is shown by their pages."""

from typing import Any

import pytest

from telemetry.core.spec import (
    AnomalyDefaults,
    EventDefinition,
    Sampling,
    TelemetryDefaults,
)
from tests.core.builders import make_event, make_property
from tests.core.lint.cases import places, watching

# Sampling


@pytest.mark.parametrize(
    ("sampling", "tags", "is_found"),
    [
        (Sampling(rate=0.05), (), False),
        (Sampling(rate=0.049), (), True),
        (Sampling(rate=0.049), ("high-volume",), False),
        (Sampling(rate=0.049), ("high_volume",), True),
        (Sampling(rate=0, conditions=('context.channel == "bot"',)), (), False),
        (None, (), False),
    ],
)
def test_five_percent_are_enough(sampling: Sampling | None, tags: tuple[str, ...], is_found: bool) -> None:
    assert places("sampling_too_low", make_event(sampling=sampling, tags=tags)) == (
        ["events[0].sampling.rate"] * is_found
    )


def test_a_low_default_rate_is_reported_once_and_not_for_each_event() -> None:
    config = TelemetryDefaults(default_sampling_rate=0.01)

    assert places("sampling_too_low", make_event("a"), make_event("b"), config=config) == ["config.defaultSamplingRate"]
    assert places("sampling_too_low", make_event(), config=config, tags=("high-volume",)) == []


@pytest.mark.parametrize(
    ("rate", "minimum_sample", "window_ms", "tags", "is_found"),
    [
        # Ten a second for five minutes, of which a tenth is kept: 300.
        (0.1, 300, None, (), False),
        (0.1, 301, None, (), True),
        (0.1, 301, None, ("high-volume",), False),
        (0.1, 301, 600_000, (), False),
        (1.0, 10, 1_000, (), False),
        (1.0, 11, 1_000, (), True),
        (0.0, 11, 1_000, (), False),
    ],
)
def test_a_minimum_sample_is_unlikely_by_rate_and_window(
    rate: float, minimum_sample: int, window_ms: int | None, tags: tuple[str, ...], is_found: bool
) -> None:
    event = make_event(
        sampling=Sampling(rate=rate), tags=tags, anomaly_detection=watching(minimum_sample=minimum_sample)
    )
    config = TelemetryDefaults(anomaly_detection=AnomalyDefaults(check_interval_ms=window_ms))

    assert places("minimum_sample_unlikely", event, config=config) == (
        ["events[0].anomalyDetection.minimumSample"] * is_found
    )


# Conditions


def conditioned(*conditions: str, **fields: Any) -> EventDefinition:
    return make_event(sampling=Sampling(rate=0.5, conditions=conditions), **fields)


def test_conditions_that_exclude_each_other_are_reported_together_and_one_alone_by_itself() -> None:
    apart = conditioned("properties.durationMs > 5", "properties.durationMs < 3")
    alone = conditioned("has(properties.step)", "properties.durationMs > 5 && properties.durationMs < 3")

    assert places("condition_never_true", apart) == ["events[0].sampling.conditions"]
    assert places("condition_never_true", alone) == ["events[0].sampling.conditions[1]"]


def test_a_required_json_property_may_still_be_null() -> None:
    cart = {"cart": make_property("json", required=True), "step": make_property(required=True)}

    assert places("condition_always_true", conditioned("has(properties.cart)", properties=cart)) == []
    assert places("condition_always_true", conditioned("has(properties.step)", properties=cart)) == [
        "events[0].sampling.conditions[0]"
    ]


def test_conditions_on_declared_metadata_are_understood_too() -> None:
    config = TelemetryDefaults(context_properties={"region": make_property(allowed_values=("eu", "us"))})

    assert places("condition_never_true", conditioned("context.metadata.region == 'mars'"), config=config) == [
        "events[0].sampling.conditions[0]"
    ]


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        ('properties.email == "a@example.com"', True),
        ('properties.email in ["a@example.com"]', True),
        ('!(properties.email != "a@example.com")', True),
        ('context.userId == "user-1"', True),
        ('properties.plan == "pro"', False),
        ('properties.email == ""', False),
        ("has(properties.email)", False),
        ('properties.mail == "sales"', False),
    ],
)
def test_a_condition_names_somebody_when_it_compares_personal_data_with_a_text(condition: str, is_found: bool) -> None:
    properties = {"email": make_property(), "plan": make_property(), "mail": make_property(pii=False)}

    found = places("personal_data_in_condition", conditioned(condition, properties=properties))

    assert found == ["events[0].sampling.conditions[0]"] * is_found
