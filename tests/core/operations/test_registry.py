"""Running operations: contracts are kept, what happens is tracked, and tracking never stands in the way."""

import asyncio
from typing import Any

import pytest

from telemetry.core.errors import (
    Conflict,
    DuplicateOperation,
    InvalidDocument,
    NotAllowed,
    UndeclaredEvent,
    UnknownOperation,
)
from telemetry.core.events import Context
from telemetry.core.operations import (
    Access,
    ContractSpec,
    Emitted,
    OperationContext,
    OperationIO,
    OperationMeta,
    OperationPolicy,
    OperationTelemetry,
    SpecRegistry,
    TelemetryTrigger,
)
from tests.core.operations.contracts import Order, Placed, Tick, make_contract, make_order_event, make_tracker, place

ORDER = {"email": "ada@example.com", "total": 12.5}


async def place_slowly(order: Order, context: OperationContext) -> Placed:
    """As ``place``, after letting others go first."""
    await asyncio.sleep(0)
    return place(order, context)


def run(registry: SpecRegistry, given: object, context: OperationContext, *, is_async: bool) -> Any:
    """The answer of version 1 of ``shop.place``, by either door."""
    if is_async:
        return asyncio.run(registry.aexecute("shop.place", 1, given, context))
    return registry.execute("shop.place", 1, given, context)


def make_registry(*, is_async: bool = False, **fields: Any) -> SpecRegistry:
    """A registry with the operation, done by a function of that kind."""
    registry = SpecRegistry(clock=Tick())
    registry.register(make_contract(**fields), place_slowly if is_async else place)
    return registry


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_success_is_tracked_with_its_context_and_redacted(is_async: bool) -> None:
    tracker, memory = make_tracker()
    context = OperationContext(tenant_id="acme", user_id="u-4711", actor="u-4711", channel="web", telemetry=tracker)

    answer = run(make_registry(is_async=is_async), ORDER, context, is_async=is_async)

    [dispatch] = memory.dispatches
    assert answer == Placed(7)
    assert (dispatch.name, dispatch.version) == ("placed", 1)
    assert dispatch.properties == {"email": "REDACTED", "total": 12.5, "number": 7, "durationMs": 250}
    assert (dispatch.context.tenant_id, dispatch.context.channel) == ("acme", "web")
    assert "u-4711" not in repr(dispatch)


def test_failure_is_tracked_and_raised_as_it_was(is_async: bool) -> None:
    tracker, memory = make_tracker()
    context = OperationContext(user_id="ada", telemetry=tracker)

    with pytest.raises(LookupError, match="nothing to place"):
        run(make_registry(is_async=is_async), {**ORDER, "total": 0}, context, is_async=is_async)

    [dispatch] = memory.dispatches
    assert (dispatch.name, dispatch.properties) == ("place_failed", {"kind": "LookupError", "wasRead": True})


def test_input_that_does_not_fit_never_reaches_the_handler(is_async: bool) -> None:
    tracker, memory = make_tracker()
    context = OperationContext(user_id="ada", telemetry=tracker)

    with pytest.raises(InvalidDocument, match=r"input of the operation shop\.place") as refused:
        run(make_registry(is_async=is_async), {"email": 3, "extra": "secret"}, context, is_async=is_async)

    assert {error.path for error in refused.value.errors} == {"email", "extra", "total"}
    assert "secret" not in str(refused.value)
    assert memory.dispatches[0].properties == {"kind": "InvalidDocument", "wasRead": False}


def test_output_that_does_not_fit_is_a_failure(is_async: bool) -> None:
    tracker, memory = make_tracker()
    registry = SpecRegistry()

    def answer_wrongly(_order: Order, _context: OperationContext) -> Any:
        return {"number": "seven"}

    registry.register(make_contract(), answer_wrongly)

    with pytest.raises(InvalidDocument, match=r"output of the operation shop\.place"):
        run(registry, ORDER, OperationContext(user_id="ada", telemetry=tracker), is_async=is_async)

    assert [dispatch.name for dispatch in memory.dispatches] == ["place_failed"]


def test_values_of_the_input_type_are_checked_too() -> None:
    with pytest.raises(InvalidDocument, match="total"):
        make_registry().execute("shop.place", 1, Order("a", "much"), OperationContext(user_id="ada"))  # type: ignore[arg-type]


class BrokenTracker:
    """A tracker that fails, whatever it is asked."""

    def track(self, *_arguments: object) -> object:
        raise RuntimeError("no network")


@pytest.mark.parametrize("callback_fails", [False, True])
def test_a_tracking_error_reaches_the_callback_and_never_the_caller(is_async: bool, callback_fails: bool) -> None:
    told: list[Exception] = []

    def tell(error: Exception) -> None:
        told.append(error)
        if callback_fails:
            raise error

    context = OperationContext(user_id="ada", telemetry=BrokenTracker(), on_telemetry_error=tell)

    assert run(make_registry(is_async=is_async), ORDER, context, is_async=is_async) == Placed(7)
    assert [str(error) for error in told] == ["no network"]


def _missing(_run: object) -> Any:
    raise KeyError("missing")


def test_properties_that_cannot_be_made_are_a_tracking_error() -> None:
    told: list[Exception] = []
    tracker, memory = make_tracker()
    trigger: TelemetryTrigger[Order, Placed] = TelemetryTrigger(event="placed", properties=_missing)
    registry = make_registry(telemetry=OperationTelemetry(success=trigger))

    context = OperationContext(user_id="ada", telemetry=tracker, on_telemetry_error=told.append)

    assert registry.execute("shop.place", None, ORDER, context) == Placed(7)
    assert [type(error) for error in told] == [KeyError]
    assert list(memory.dispatches) == []


def test_without_a_tracker_or_a_trigger_nothing_is_tracked(is_async: bool) -> None:
    tracker, memory = make_tracker()
    quiet = make_registry(is_async=is_async, telemetry=OperationTelemetry())

    assert run(make_registry(is_async=is_async), ORDER, OperationContext(user_id="ada"), is_async=is_async)
    assert run(quiet, ORDER, OperationContext(user_id="ada", telemetry=tracker), is_async=is_async)
    assert list(memory.dispatches) == []


@pytest.mark.parametrize(
    ("access", "context", "is_allowed"),
    [
        (Access.ANONYMOUS, OperationContext(), True),
        (Access.USER, OperationContext(), False),
        (Access.USER, OperationContext(actor="job"), True),
        (Access.ADMIN, OperationContext(user_id="ada"), False),
        (Access.ADMIN, OperationContext(user_id="ada", is_admin=True), True),
    ],
)
def test_the_policy_says_who_may(access: Access, context: OperationContext, is_allowed: bool) -> None:
    registry = make_registry(access=access)

    if is_allowed:
        assert registry.execute("shop.place", 1, ORDER, context) == Placed(7)
    else:
        with pytest.raises(NotAllowed):
            registry.execute("shop.place", 1, ORDER, context)


def emitting(name: str, version: int, payload: dict[str, Any]) -> SpecRegistry:
    """A registry whose operation emits this, and declares ``order_placed``."""
    registry = SpecRegistry()
    registry.add_event(make_order_event())

    @registry.operation(make_contract(emits=(("order_placed", 1), ("order_paid", 1))))
    def emit(_order: Order, context: OperationContext) -> Placed:
        context.emit(name, version, payload)
        return Placed(1)

    return registry


def test_a_declared_event_is_published() -> None:
    published: list[Emitted] = []
    context = OperationContext(user_id="ada", publish=published.append)

    emitting("order_placed", 1, {"number": 1, "method": "card"}).execute("shop.place", 1, ORDER, context)
    emitting("order_paid", 1, {"anything": object}).execute("shop.place", 1, ORDER, context)

    assert [(each.name, each.version) for each in published] == [("order_placed", 1), ("order_paid", 1)]


@pytest.mark.parametrize(("name", "version"), [("order_lost", 1), ("order_placed", 2)])
def test_an_undeclared_event_is_refused(name: str, version: int) -> None:
    published: list[Emitted] = []
    tracker, memory = make_tracker()
    context = OperationContext(user_id="ada", publish=published.append, telemetry=tracker)

    with pytest.raises(UndeclaredEvent, match=name):
        emitting(name, version, {}).execute("shop.place", 1, ORDER, context)

    assert published == []
    assert memory.dispatches[0].properties["kind"] == "UndeclaredEvent"
    with pytest.raises(UndeclaredEvent):
        OperationContext().emit("order_placed", 1, {})


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({}, "number"),
        ({"number": "secret"}, "number"),
        ({"number": 1.5}, "number"),
        ({"number": True}, "number"),
        ({"number": 1, "method": "secret"}, "method"),
        ({"number": 1, "more": "secret"}, "more"),
    ],
)
def test_a_payload_that_departs_from_its_event_spec_is_refused(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocument, match="payload of version 1 of the event order_placed") as refused:
        emitting("order_placed", 1, payload).execute("shop.place", 1, ORDER, OperationContext(user_id="ada"))

    assert [error.path for error in refused.value.errors] == [path]
    assert "secret" not in str(refused.value)


def test_operations_are_found_by_name_and_version_or_the_highest() -> None:
    registry = make_registry()
    newer = make_contract(meta=OperationMeta(name="shop.place", version=10))
    registry.register(newer, lambda _order, _context: Placed(10))

    assert registry.execute("shop.place", None, ORDER, OperationContext(user_id="ada")) == Placed(10)
    assert registry.execute("shop.place", 1, ORDER, OperationContext(user_id="ada")) == Placed(7)
    assert registry.get("shop.place") is newer
    assert len(registry.operations()) == 2
    for name, version in (("shop.place", 2), ("shop.lose", None)):
        with pytest.raises(UnknownOperation, match=name):
            registry.execute(name, version, ORDER, OperationContext())


def test_an_operation_is_registered_once() -> None:
    with pytest.raises(DuplicateOperation):
        _register_twice()


def _register_twice() -> None:
    registry = make_registry()
    registry.register(make_contract(), place)


def test_an_asynchronous_operation_needs_the_asynchronous_door() -> None:
    with pytest.raises(Conflict, match="aexecute"):
        make_registry(is_async=True).execute("shop.place", 1, ORDER, OperationContext(user_id="ada"))


def test_an_operation_may_take_and_answer_nothing() -> None:
    registry = SpecRegistry()
    contract: ContractSpec[None, None] = ContractSpec(
        meta=OperationMeta(name="ping"),
        io=OperationIO(type(None), type(None)),
        policy=OperationPolicy(access=Access.ANONYMOUS),
    )
    registry.register(contract, lambda _nothing, _context: None)

    assert registry.execute("ping", 1, None, OperationContext()) is None
    with pytest.raises(InvalidDocument, match="must be nothing"):
        registry.execute("ping", 1, {}, OperationContext())


def test_the_trace_id_is_metadata_of_the_context() -> None:
    assert OperationContext(trace_id="t1", session_id="s").for_tracking() == Context(
        session_id="s", metadata={"traceId": "t1"}
    )
