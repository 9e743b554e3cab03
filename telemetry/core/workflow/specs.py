"""What a workflow is, how far one has come, and what happens on the way."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from telemetry.core.values import EMPTY_MAPPING, deep_freeze

__all__ = [
    "Transition",
    "TransitionKind",
    "WorkflowSpec",
    "WorkflowState",
    "WorkflowStatus",
    "WorkflowStep",
    "WorkflowTelemetry",
]


class WorkflowStatus(StrEnum):
    """Where a workflow is: on its way, stopped by an error from which it can be resumed, or done."""

    RUNNING = "running"
    FAILED = "failed"
    COMPLETED = "completed"


class TransitionKind(StrEnum):
    """What happened to a step, or to the whole workflow."""

    ENTERED = "entered"
    COMPLETED = "completed"
    RETRIED = "retried"
    FAILED = "failed"
    SKIPPED = "skipped"


class WorkflowState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a workflow has come: plain data throughout, so that it can be stored and resumed elsewhere.

    ``step`` is the position of the step that comes next, ``results`` what finished steps answered, by name; ``input``
    is what it was started with. ``attempts`` counts tries of the step that comes next, ``error`` is the kind of the
    error that stopped it, never its message.
    """

    workflow: str
    version: int
    status: WorkflowStatus = WorkflowStatus.RUNNING
    step: int = 0
    attempts: int = 0
    input: Any = None
    results: Mapping[str, Any] = EMPTY_MAPPING
    error: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "results", deep_freeze(self.results))


class WorkflowStep(msgspec.Struct, frozen=True, kw_only=True):
    """One operation at its place.

    ``prepare`` makes the operation's input of the state; without it, that is the workflow's input. ``only_if`` skips
    the step where it says no. A failed run is tried ``retries`` times more, if ``retry_on`` says that this may help.
    """

    name: str
    operation: str
    version: int | None = None
    prepare: Callable[[WorkflowState], Any] | None = None
    only_if: Callable[[WorkflowState], bool] | None = None
    retries: int = 0
    retry_on: Callable[[Exception], bool] | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened; ``step`` is ``None`` for the workflow as a whole.

    ``attempt`` counts from 1. ``duration_ms`` is that of the run that ended, ``None`` on entering and without a clock.
    """

    workflow: str
    version: int
    kind: TransitionKind
    step: str | None = None
    attempt: int = 1
    duration_ms: float | None = None
    error: Exception | None = None


class WorkflowTelemetry(msgspec.Struct, frozen=True, kw_only=True):
    """The event that is tracked at transitions.

    ``properties`` makes what it carries, or ``None`` to track nothing; without it: workflow, step, transition, attempt
    and, once it is known, durationMs. What is tracked obeys the telemetry spec of the event.
    """

    event: str
    version: int | None = None
    properties: Callable[[Transition], Mapping[str, Any] | None] | None = None


class WorkflowSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in their order, whose names differ; ``ValueError`` if they do not."""

    name: str
    version: int = 1
    steps: tuple[WorkflowStep, ...]
    telemetry: WorkflowTelemetry | None = None

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("the steps of a workflow must have names that differ")
