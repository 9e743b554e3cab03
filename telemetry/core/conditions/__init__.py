"""Sampling conditions: CEL expressions over ``properties`` and ``context``, checked when saved, evaluated per event."""

from telemetry.core.conditions.condition import Condition, compile_condition
from telemetry.core.conditions.variables import Typed

__all__ = ["Condition", "Typed", "compile_condition"]
