"""Running workflows, step by step, over the operations of one registry."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from telemetry.core.errors import Conflict
from telemetry.core.operations.context import OperationContext
from telemetry.core.operations.registry import SpecRegistry
from telemetry.core.workflow.specs import (
    Transition,
    TransitionKind,
    WorkflowSpec,
    WorkflowState,
    WorkflowStatus,
    WorkflowStep,
    WorkflowTelemetry,
)

__all__ = ["WorkflowRunner"]

Save = Callable[[WorkflowState], object]


class WorkflowRunner:
    """Runs workflows whose steps are operations of ``registry``.

    ``clock`` counts seconds, such as ``time.perf_counter``; without it, transitions have no duration. ``wait`` is
    called before a step is tried again, with the number of the try that comes, from 2; without it, at once.
    """

    def __init__(
        self,
        registry: SpecRegistry,
        *,
        clock: Callable[[], float] | None = None,
        wait: Callable[[int], object] | None = None,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._wait = wait

    def run(
        self,
        spec: WorkflowSpec,
        given: object = None,
        context: OperationContext | None = None,
        *,
        state: WorkflowState | None = None,
        save: Save | None = None,
    ) -> WorkflowState:
        """The state in which the workflow ended: completed, or failed at a step.

        With ``state``, it goes on where that one stopped; finished steps are not run again. ``save`` is called with the
        state after each step, before the next one begins, so that a crash costs one step at most; what it raises ends
        the run. Every transition is tracked through the context. ``Conflict`` if the state is of another workflow or
        version.
        """
        walk = _Walk(spec, given, context or OperationContext(), state, self._clock)
        for step in walk.steps():
            while walk.is_pending:
                walk.enter(step)
                try:
                    answer = self._registry.execute(step.operation, step.version, walk.input_of(step), walk.context)
                except Exception as error:  # noqa: BLE001  whatever stops a step, the state says so
                    self._pause(walk.fail(step, error))
                else:
                    walk.complete(step, answer)
                if save is not None:
                    save(walk.state)
        return walk.end(save)

    async def arun(
        self,
        spec: WorkflowSpec,
        given: object = None,
        context: OperationContext | None = None,
        *,
        state: WorkflowState | None = None,
        save: Callable[[WorkflowState], object | Awaitable[object]] | None = None,
    ) -> WorkflowState:
        """As ``run``, for operations of both kinds; ``save`` and ``wait`` are awaited if they can be."""
        walk = _Walk(spec, given, context or OperationContext(), state, self._clock)
        for step in walk.steps():
            while walk.is_pending:
                walk.enter(step)
                try:
                    given_to = walk.input_of(step)
                    answer = await self._registry.aexecute(step.operation, step.version, given_to, walk.context)
                except Exception as error:  # noqa: BLE001  as above
                    attempt = walk.fail(step, error)
                    if attempt is not None and self._wait is not None:
                        await _settled(self._wait(attempt))
                else:
                    walk.complete(step, answer)
                if save is not None:
                    await _settled(save(walk.state))
        ended = walk.end(None)
        if save is not None:
            await _settled(save(ended))
        return ended

    def _pause(self, attempt: int | None) -> None:
        if attempt is not None and self._wait is not None:
            self._wait(attempt)


async def _settled(value: object) -> None:
    if inspect.isawaitable(value):
        await value


class _Walk:
    """One run of a workflow: its state, and what is tracked on the way."""

    def __init__(
        self,
        spec: WorkflowSpec,
        given: object,
        context: OperationContext,
        state: WorkflowState | None,
        clock: Callable[[], float] | None,
    ) -> None:
        if state is not None and (state.workflow, state.version) != (spec.name, spec.version):
            raise Conflict(f"the state is not one of version {spec.version} of the workflow {spec.name}")
        self.context = context
        self.state = _resumed(state) or WorkflowState(
            workflow=spec.name, version=spec.version, input=msgspec.to_builtins(given)
        )
        self.is_pending = False
        self._spec = spec
        self._clock = clock
        self._started = self._begun = self._now()
        self._is_new = state is None

    def steps(self) -> Iterator[WorkflowStep]:
        """The steps that are to be run, until one fails for good."""
        if self.state.status is WorkflowStatus.COMPLETED:
            return
        if self._is_new:
            self._track(TransitionKind.ENTERED)
        while self.state.step < len(self._spec.steps) and self.state.status is WorkflowStatus.RUNNING:
            step = self._spec.steps[self.state.step]
            if step.only_if is not None and not step.only_if(self.state):
                self._change(step=self.state.step + 1, attempts=0)
                self._track(TransitionKind.SKIPPED, step)
                continue
            self.is_pending = True
            yield step

    def input_of(self, step: WorkflowStep) -> Any:
        """What the step's operation is given."""
        return self.state.input if step.prepare is None else step.prepare(self.state)

    def enter(self, step: WorkflowStep) -> None:
        """A try of the step begins."""
        self._begun = self._now()
        self._change(attempts=self.state.attempts + 1)
        self._track(TransitionKind.ENTERED, step, self.state.attempts)

    def complete(self, step: WorkflowStep, answer: object) -> None:
        """The step is done."""
        results = {**self.state.results, step.name: msgspec.to_builtins(answer)}
        attempt, self.is_pending = self.state.attempts, False
        self._change(step=self.state.step + 1, attempts=0, results=results)
        self._track(TransitionKind.COMPLETED, step, attempt, since=self._begun)

    def fail(self, step: WorkflowStep, error: Exception) -> int | None:
        """The try has failed: the number of the next one, or ``None`` if there is none."""
        attempt = self.state.attempts
        may_help = step.retry_on is None or step.retry_on(error)
        if attempt <= step.retries and may_help:
            self._track(TransitionKind.RETRIED, step, attempt, since=self._begun, error=error)
            return attempt + 1
        self.is_pending = False
        self._change(status=WorkflowStatus.FAILED, error=type(error).__name__)
        self._track(TransitionKind.FAILED, step, attempt, since=self._begun, error=error)
        return None

    def end(self, save: Save | None) -> WorkflowState:
        """The last state; what completed is said once."""
        if self.state.status is WorkflowStatus.RUNNING:
            self._change(status=WorkflowStatus.COMPLETED)
            self._track(TransitionKind.COMPLETED, since=self._started)
            if save is not None:
                save(self.state)
        return self.state

    def _now(self) -> float:
        return self._clock() if self._clock is not None else 0.0

    def _change(self, **fields: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **fields)

    def _track(
        self,
        kind: TransitionKind,
        step: WorkflowStep | None = None,
        attempt: int = 1,
        *,
        since: float | None = None,
        error: Exception | None = None,
    ) -> None:
        """The transition is tracked, if the workflow says how; never raises."""
        telemetry, tracker = self._spec.telemetry, self.context.telemetry
        if telemetry is None or tracker is None:
            return
        known = since is not None and self._clock is not None
        transition = Transition(
            workflow=self._spec.name,
            version=self._spec.version,
            kind=kind,
            step=None if step is None else step.name,
            attempt=attempt,
            duration_ms=(self._now() - since) * 1000 if known and since is not None else None,
            error=error,
        )
        try:
            properties = _properties(telemetry, transition)
            if properties is not None:
                tracker.track(telemetry.event, telemetry.version, properties, self.context.for_tracking())
        except Exception as problem:  # noqa: BLE001  whatever goes wrong is told, and the workflow goes on
            with suppress(Exception):
                if self.context.on_telemetry_error is not None:
                    self.context.on_telemetry_error(problem)


def _resumed(state: WorkflowState | None) -> WorkflowState | None:
    """A failed workflow tries the step that stopped it anew, with all its tries."""
    if state is None or state.status is not WorkflowStatus.FAILED:
        return state
    return msgspec.structs.replace(state, status=WorkflowStatus.RUNNING, attempts=0, error=None)


def _properties(telemetry: WorkflowTelemetry, transition: Transition) -> Mapping[str, Any] | None:
    if telemetry.properties is not None:
        return telemetry.properties(transition)
    said = {
        "workflow": transition.workflow,
        "step": transition.step,
        "transition": transition.kind.value,
        "attempt": transition.attempt,
        "durationMs": transition.duration_ms,
    }
    return {name: value for name, value in said.items() if value is not None}
