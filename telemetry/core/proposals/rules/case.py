"""What a rule is asked about."""

from math import ceil, floor, isfinite, log10
from typing import NamedTuple

import msgspec

from telemetry.core.proposals.signal import Signal
from telemetry.core.proposals.suggestion import Confidence
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetrySpec

__all__ = ["Case", "confidence_of", "percent", "rounded_down", "rounded_up", "with_property"]


class Case(NamedTuple):
    """One signal, the spec that it is about, and the event in it."""

    spec: TelemetrySpec
    event: EventDefinition
    signal: Signal


def with_property(event: EventDefinition, name: str, definition: PropertyDefinition) -> EventDefinition:
    """The event with this property; one that is new comes last."""
    return msgspec.structs.replace(event, properties={**event.properties, name: definition})


def confidence_of(amount: float, *, medium: float, high: float) -> Confidence:
    """By how much stands behind it."""
    return Confidence.HIGH if amount >= high else Confidence.MEDIUM if amount >= medium else Confidence.LOW


def rounded_up(value: float) -> float:
    """The least number of two significant digits that is not below ``value``."""
    return _rounded(value, up=True)


def rounded_down(value: float) -> float:
    """The greatest number of two significant digits that is not above ``value``."""
    return _rounded(value, up=False)


def percent(ratio: float) -> str:
    """A ratio in words: whole percents, finer below one."""
    return f"{ratio:.0%}" if ratio == 0 or ratio >= 0.01 else f"{ratio:.2%}"


def _rounded(value: float, *, up: bool) -> float:
    if value == 0 or not isfinite(value):
        return value
    digits = floor(log10(abs(value))) - 1
    step = 10.0**digits
    # Division leaves errors in the last places: 120 / 10 must not become 13 tens.
    steps = round(value / step, 9)
    whole = ceil(steps) if up else floor(steps)
    return float(round(whole * step, max(0, -digits)))
