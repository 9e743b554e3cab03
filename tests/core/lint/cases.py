"""Small specs for tests of rules, and where these do not follow a rule."""

from collections.abc import Collection
from datetime import date
from typing import Any

from telemetry.core.event_specs import EventSpec, EventSpecMeta
from telemetry.core.lint import lint_spec
from telemetry.core.spec import (
    AnomalyDetection,
    EventDefinition,
    PropertyDefinition,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)
from telemetry.core.validation import validate_spec
from tests.core.builders import make_event, make_meta

__all__ = ["TODAY", "contract", "places", "watching", "with_property"]

# The day on which lint takes place in tests.
TODAY = date(2026, 11, 22)


def places(
    rule: str,
    *events: EventDefinition,
    config: TelemetryDefaults | None = None,
    published: TelemetrySpec | None = None,
    event_specs: Collection[EventSpec] | None = None,
    history: Collection[tuple[str, int]] = (),
    **meta: Any,
) -> list[str]:
    """Where a spec of these events does not follow the rule."""
    spec = TelemetrySpec(meta=make_meta(**meta), config=config, events=events)
    validate_spec(spec)
    found = lint_spec(spec, today=TODAY, published=published, event_specs=event_specs, history=history)
    return [finding.path for finding in found if finding.rule == rule]


def contract(name: str = "step", version: int = 1, *, pii: tuple[str, ...] = (), **payload: Any) -> EventSpec:
    """The contract of an event; without ``payload`` it leaves open what the event carries."""
    return EventSpec(meta=EventSpecMeta(name=name, version=version), payload=payload, pii=pii)


def with_property(name: str, definition: PropertyDefinition, **fields: Any) -> EventDefinition:
    return make_event(properties={name: definition}, **fields)


def watching(*thresholds: Threshold, **fields: Any) -> AnomalyDetection:
    return AnomalyDetection(thresholds=thresholds or (Threshold(metric="durationMs", max=1),), **fields)
