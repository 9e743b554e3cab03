"""Running workflows: steps in order, telemetry at each transition, and a way on after a failure."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from telemetry.core.errors import Conflict
from telemetry.core.operations import (
    Access,
    ContractSpec,
    OperationContext,
    OperationIO,
    OperationMeta,
    OperationPolicy,
    SpecRegistry,
)
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.workflow import (
    Transition,
    WorkflowRunner,
    WorkflowSpec,
    WorkflowState,
    WorkflowStatus,
    WorkflowStep,
    WorkflowTelemetry,
)
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.core.builders import make_event, make_property, make_spec
from tests.core.operations.contracts import Tick

Numbers = dict[str, int]
TELEMETRY = WorkflowTelemetry(event="sigil.telemetry.workflow_step", version=1)


class Shaky:
    """An operation that adds one, and fails the first times that it is called."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.calls: list[Numbers] = []

    def __call__(self, given: Numbers, _context: OperationContext) -> Numbers:
        self.calls.append(given)
        if len(self.calls) <= self.failures:
            raise ConnectionError("ada@example.com is not reachable")
        return {"n": given["n"] + 1}


def make_registry(**operations: Any) -> SpecRegistry:
    """A registry with these operations on numbers."""
    registry = SpecRegistry()
    for name, handler in operations.items():
        contract: ContractSpec[Numbers, Numbers] = ContractSpec(
            meta=OperationMeta(name=name),
            io=OperationIO(Numbers, Numbers),
            policy=OperationPolicy(access=Access.ANONYMOUS),
        )
        registry.register(contract, handler)
    return registry


def make_workflow(*steps: WorkflowStep, telemetry: WorkflowTelemetry | None = TELEMETRY) -> WorkflowSpec:
    """``onboarding``, of two steps unless said otherwise; the second takes what the first answered."""
    usual = (
        WorkflowStep(name="one", operation="first"),
        WorkflowStep(name="two", operation="second", prepare=lambda state: state.results["one"]),
    )
    return WorkflowSpec(name="onboarding", steps=steps or usual, telemetry=telemetry)


def make_tracker() -> tuple[TelemetryTracker, InMemoryProvider]:
    """A tracker that knows the event of transitions."""
    memory = InMemoryProvider()
    properties = {
        "workflow": make_property(required=True),
        "step": make_property(),
        "transition": make_property(),
        "attempt": make_property("number"),
        "durationMs": make_property("number"),
    }
    spec = make_spec(make_event("sigil.telemetry.workflow_step", properties=properties))
    return TelemetryTracker(registry=TelemetryRegistry([spec]), providers=[memory]), memory


def tracked(memory: InMemoryProvider) -> list[tuple[Any, ...]]:
    """Step, transition and attempt of what was tracked."""
    said = [dispatch.properties for dispatch in memory.dispatches]
    return [(each.get("step"), each["transition"], each["attempt"]) for each in said]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def run(runner: WorkflowRunner, *arguments: Any, is_async: bool, **more: Any) -> WorkflowState:
    """The state in which the workflow ended, by either door."""
    if is_async:
        return asyncio.run(runner.arun(*arguments, **more))
    return runner.run(*arguments, **more)


def test_steps_run_in_order_and_each_transition_is_tracked(is_async: bool) -> None:
    tracker, memory = make_tracker()
    runner = WorkflowRunner(make_registry(first=Shaky(), second=Shaky()), clock=Tick())

    state = run(runner, make_workflow(), {"n": 1}, OperationContext(telemetry=tracker), is_async=is_async)

    assert state.status is WorkflowStatus.COMPLETED
    assert state.results == {"one": {"n": 2}, "two": {"n": 3}}
    assert tracked(memory) == [
        (None, "entered", 1),
        ("one", "entered", 1),
        ("one", "completed", 1),
        ("two", "entered", 1),
        ("two", "completed", 1),
        (None, "completed", 1),
    ]
    durations = [dispatch.properties.get("durationMs") for dispatch in memory.dispatches]
    assert [duration is not None for duration in durations] == [False, False, True, False, True, True]
    assert durations[2] == 250
    assert all(dispatch.properties["workflow"] == "onboarding" for dispatch in memory.dispatches)


def test_a_step_is_tried_again_as_often_as_it_says(is_async: bool) -> None:
    tracker, memory = make_tracker()
    waited: list[int] = []
    shaky = Shaky(failures=2)
    runner = WorkflowRunner(make_registry(first=shaky), wait=waited.append)
    workflow = make_workflow(WorkflowStep(name="one", operation="first", retries=2))

    state = run(runner, workflow, {"n": 1}, OperationContext(telemetry=tracker), is_async=is_async)

    assert (state.status, len(shaky.calls), waited) == (WorkflowStatus.COMPLETED, 3, [2, 3])
    assert tracked(memory)[1:-1] == [
        ("one", "entered", 1),
        ("one", "retried", 1),
        ("one", "entered", 2),
        ("one", "retried", 2),
        ("one", "entered", 3),
        ("one", "completed", 3),
    ]


def test_what_another_try_cannot_help_is_not_tried_again(is_async: bool) -> None:
    shaky = Shaky(failures=1)
    step = WorkflowStep(
        name="one", operation="first", retries=5, retry_on=lambda error: not isinstance(error, ConnectionError)
    )

    state = run(WorkflowRunner(make_registry(first=shaky)), make_workflow(step), {"n": 1}, is_async=is_async)

    assert (state.status, len(shaky.calls)) == (WorkflowStatus.FAILED, 1)


def test_a_failed_workflow_is_resumed_where_it_stopped(is_async: bool) -> None:
    # Given a workflow whose second step fails, and whose state was stored as JSON.
    tracker, memory = make_tracker()
    first, second = Shaky(), Shaky(failures=1)
    runner = WorkflowRunner(make_registry(first=first, second=second))
    context = OperationContext(telemetry=tracker)
    failed = run(runner, make_workflow(), {"n": 1}, context, is_async=is_async)
    stored = msgspec.json.encode(failed)

    # When it is resumed.
    resumed = run(
        runner, make_workflow(), None, context, state=msgspec.json.decode(stored, type=WorkflowState), is_async=is_async
    )

    # Then only the step that failed is run again.
    assert (failed.status, failed.step, failed.error) == (WorkflowStatus.FAILED, 1, "ConnectionError")
    assert b"ada@example.com" not in stored
    assert (resumed.status, resumed.results["two"]) == (WorkflowStatus.COMPLETED, {"n": 3})
    assert (len(first.calls), len(second.calls)) == (1, 2)
    assert tracked(memory)[-3:] == [("two", "entered", 1), ("two", "completed", 1), (None, "completed", 1)]
    assert tracked(memory).count((None, "entered", 1)) == 1


def test_the_state_is_saved_after_each_step(is_async: bool) -> None:
    saved: list[WorkflowState] = []
    runner = WorkflowRunner(make_registry(first=Shaky(), second=Shaky(failures=1)))

    run(runner, make_workflow(), {"n": 1}, save=saved.append, is_async=is_async)

    assert [(each.step, each.status.value) for each in saved][:2] == [(1, "running"), (1, "failed")]


def test_a_crash_costs_one_step_at_most(is_async: bool) -> None:
    # Given a process that dies once the first step is saved.
    saved: list[WorkflowState] = []
    first, second = Shaky(), Shaky()
    runner = WorkflowRunner(make_registry(first=first, second=second))

    def save_and_die(state: WorkflowState) -> None:
        saved.append(state)
        raise SystemExit

    with pytest.raises(SystemExit):
        run(runner, make_workflow(), {"n": 1}, save=save_and_die, is_async=is_async)

    # When another one goes on from what was saved.
    state = run(runner, make_workflow(), state=saved[-1], is_async=is_async)

    assert state.status is WorkflowStatus.COMPLETED
    assert (len(first.calls), len(second.calls)) == (1, 1)


def test_a_completed_workflow_stays_completed(is_async: bool) -> None:
    tracker, memory = make_tracker()
    first = Shaky()
    runner = WorkflowRunner(make_registry(first=first, second=Shaky()))
    done = run(runner, make_workflow(), {"n": 1}, is_async=is_async)

    again = run(runner, make_workflow(), None, OperationContext(telemetry=tracker), state=done, is_async=is_async)

    assert again == done
    assert len(first.calls) == 1
    assert list(memory.dispatches) == []


def test_a_step_is_skipped_where_it_says_so(is_async: bool) -> None:
    tracker, memory = make_tracker()
    first = Shaky()
    workflow = make_workflow(
        WorkflowStep(name="one", operation="first", only_if=lambda state: state.input["n"] > 1),
        WorkflowStep(name="two", operation="first"),
    )

    state = run(
        WorkflowRunner(make_registry(first=first)),
        workflow,
        {"n": 1},
        OperationContext(telemetry=tracker),
        is_async=is_async,
    )

    assert list(state.results) == ["two"]
    assert ("one", "skipped", 1) in tracked(memory)


def test_a_state_of_another_workflow_is_refused(is_async: bool) -> None:
    state = WorkflowState(workflow="onboarding", version=2)

    with pytest.raises(Conflict, match="version 1 of the workflow onboarding"):
        run(WorkflowRunner(make_registry()), make_workflow(), state=state, is_async=is_async)


def test_tracking_never_stops_a_workflow(is_async: bool) -> None:
    told: list[Exception] = []

    def properties(transition: Transition) -> Mapping[str, Any] | None:
        if transition.step is None:
            return None
        raise KeyError(transition.kind)

    tracker, memory = make_tracker()
    telemetry = WorkflowTelemetry(event="sigil.telemetry.workflow_step", properties=properties)
    runner = WorkflowRunner(make_registry(first=Shaky(), second=Shaky()))
    context = OperationContext(telemetry=tracker, on_telemetry_error=told.append)

    state = run(runner, make_workflow(telemetry=telemetry), {"n": 1}, context, is_async=is_async)

    assert state.status is WorkflowStatus.COMPLETED
    assert len(told) == 4
    assert list(memory.dispatches) == []


def test_waiting_and_saving_may_be_awaited() -> None:
    waited: list[object] = []

    async def remember(value: object) -> None:
        await asyncio.sleep(0)
        waited.append(value)

    runner = WorkflowRunner(make_registry(first=Shaky(failures=1)), wait=remember)
    workflow = make_workflow(WorkflowStep(name="one", operation="first", retries=1))

    state = asyncio.run(runner.arun(workflow, {"n": 1}, save=remember))

    assert waited[0] == 2
    assert waited[-1] == state


def test_names_of_steps_differ() -> None:
    step = WorkflowStep(name="one", operation="first")

    with pytest.raises(ValueError, match="must have names that differ"):
        make_workflow(step, step)
