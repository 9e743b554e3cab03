"""Sampling conditions: CEL expressions over ``properties`` and ``context``, checked when saved, evaluated per event."""

from telemetry.core.conditions.condition import Condition, Typed, compile_condition

__all__ = ["Condition", "Typed", "compile_condition"]
