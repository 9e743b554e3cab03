"""Workflows: operations one after the other, with telemetry at each transition, resumable where they stopped."""

from telemetry.core.workflow.runner import WorkflowRunner
from telemetry.core.workflow.specs import (
    Transition,
    TransitionKind,
    WorkflowSpec,
    WorkflowState,
    WorkflowStatus,
    WorkflowStep,
    WorkflowTelemetry,
)

__all__ = [
    "Transition",
    "TransitionKind",
    "WorkflowRunner",
    "WorkflowSpec",
    "WorkflowState",
    "WorkflowStatus",
    "WorkflowStep",
    "WorkflowTelemetry",
]
