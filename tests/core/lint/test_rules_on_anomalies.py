"""Where rules about anomaly rules begin and end to apply; that they do is shown by their pages."""

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import (
    AnomalyDefaults,
    Deprecation,
    TelemetryDefaults,
    Threshold,
)
from tests.core.builders import make_event, make_property
from tests.core.lint.cases import places, watching, with_property


def test_key_metrics_are_numbers_of_events_that_are_still_sent() -> None:
    gone = Deprecation(reason="Gone")
    events = [
        make_event("watched", anomaly_detection=watching()),
        make_event("switched_off", anomaly_detection=watching(enabled=False)),
        make_event("gone", deprecation=gone),
        make_event("text", properties={"duration": make_property()}),
        make_event("bare"),
    ]

    assert places("key_metric_unwatched", *events) == ["events[4].properties.durationMs"]


@pytest.mark.parametrize(
    ("low", "high", "never", "always"),
    [
        (1, 5, True, False),
        (None, 5, True, False),
        (2, None, False, False),
        (6, None, False, True),
        (None, 0.5, False, True),
    ],
)
def test_bounds_are_compared_with_the_allowed_values(
    low: float | None, high: float | None, never: bool, always: bool
) -> None:
    event = with_property(
        "stars",
        make_property("number", allowed_values=(1, 3, 5)),
        anomaly_detection=watching(Threshold(metric="stars", min=low, max=high)),
    )

    path = ["events[0].anomalyDetection.thresholds[0]"]
    assert places("threshold_never_breached", event) == path * never
    assert places("threshold_always_breached", event) == path * always


def test_a_value_at_a_bound_breaches_nothing_and_other_metrics_are_not_judged() -> None:
    open_metric = make_event(anomaly_detection=watching(Threshold(metric="durationMs", min=-1)))

    assert places("threshold_never_breached", open_metric) == []


def test_a_metric_is_bounded_once_on_each_side() -> None:
    bounds = (
        Threshold(metric="durationMs", min=1),
        Threshold(metric="durationMs", max=5),
        Threshold(metric="durationMs", min=2, max=9),
    )

    assert places("threshold_repeated", make_event(anomaly_detection=watching(*bounds))) == [
        "events[0].anomalyDetection.thresholds[2].min",
        "events[0].anomalyDetection.thresholds[2].max",
    ]


def test_a_metric_may_be_hidden_by_its_flags_or_by_the_level_alone() -> None:
    flagged = with_property(
        "age", make_property("number", pii=True), anomaly_detection=watching(Threshold(metric="age", max=1))
    )
    by_level = make_event("b", privacy=PrivacyLevel.SENSITIVE, anomaly_detection=watching())
    open_one = make_event("c", privacy=PrivacyLevel.PII, anomaly_detection=watching())

    assert places("threshold_on_redacted", flagged, by_level, open_one) == [
        f"events[{index}].anomalyDetection.thresholds[0].metric" for index in (0, 1)
    ]


def test_thresholds_are_switched_off_by_the_event_or_by_the_spec() -> None:
    off = TelemetryDefaults(anomaly_detection=AnomalyDefaults(enabled=False))

    assert places("anomaly_rules_switched_off", make_event(), config=off) == []
    assert places("anomaly_rules_switched_off", make_event(anomaly_detection=watching(enabled=False)), config=off) == [
        "config.anomalyDetection.enabled",
        "events[0].anomalyDetection.enabled",
    ]


@pytest.mark.parametrize(("sample", "is_found"), [(4, True), (5, False), (None, False)])
def test_five_values_are_enough_to_judge(sample: int | None, is_found: bool) -> None:
    event = make_event(anomaly_detection=watching(minimum_sample=sample))

    assert places("minimum_sample_too_small", event) == ["events[0].anomalyDetection.minimumSample"] * is_found
