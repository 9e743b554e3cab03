"""An operation with its contract, a tracker and a context, for tests."""

from typing import Any

import msgspec

from telemetry.core.event_specs import EventSpec, EventSpecMeta
from telemetry.core.operations import (
    Access,
    ContractSpec,
    OperationContext,
    OperationIO,
    OperationMeta,
    OperationPolicy,
    OperationTelemetry,
    Run,
    TelemetryTrigger,
)
from telemetry.core.registry import TelemetryRegistry
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.core.builders import make_event, make_property, make_spec

__all__ = ["Order", "Placed", "Tick", "make_contract", "make_order_event", "make_tracker", "place"]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operation is given."""

    email: str
    total: float


class Placed(msgspec.Struct, frozen=True):
    """What it answers."""

    number: int


class Tick:
    """A clock that is a quarter of a second later with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def place(order: Order, _context: OperationContext) -> Placed:
    """Place an order; one of nothing fails."""
    if not order.total:
        raise LookupError(f"nothing to place for {order.email}")
    return Placed(7)


def _success(run: Run[Order, Placed]) -> dict[str, Any]:
    assert run.input is not None
    assert run.output is not None
    said = {"email": run.input.email, "total": run.input.total, "number": run.output.number}
    return said if run.duration_ms is None else {**said, "durationMs": run.duration_ms}


def _failure(run: Run[Order, Placed]) -> dict[str, Any]:
    return {"kind": type(run.error).__name__, "wasRead": run.input is not None}


def make_contract(*, access: Access = Access.USER, **fields: Any) -> ContractSpec[Order, Placed]:
    """Version 1 of ``shop.place``, which tracks ``placed`` and ``place_failed``."""
    defaults: dict[str, Any] = {
        "meta": OperationMeta(name="shop.place"),
        "io": OperationIO(Order, Placed),
        "policy": OperationPolicy(access=access),
        "telemetry": OperationTelemetry(
            success=TelemetryTrigger(event="placed", version=1, properties=_success),
            failure=TelemetryTrigger(event="place_failed", properties=_failure),
        ),
    }
    return ContractSpec(**{**defaults, **fields})


def make_order_event() -> EventSpec:
    """The contract of the event ``order_placed``, whose mail address is personal."""
    payload = {
        "type": "object",
        "properties": {"number": {"type": "integer"}, "method": {"enum": ["card", "cash"]}},
        "required": ["number"],
        "additionalProperties": False,
    }
    return EventSpec(meta=EventSpecMeta(name="order_placed", version=1), payload=payload)


def make_tracker() -> tuple[TelemetryTracker, InMemoryProvider]:
    """A tracker whose spec declares what the operation tracks, and where it sends it."""
    memory = InMemoryProvider()
    spec = make_spec(
        make_event(
            "placed",
            properties={
                "email": make_property(pii=True, redact=True),
                "total": make_property("number"),
                "number": make_property("number"),
                "durationMs": make_property("number"),
            },
        ),
        make_event("place_failed", properties={"kind": make_property(), "wasRead": make_property("boolean")}),
    )
    return TelemetryTracker(registry=TelemetryRegistry([spec]), providers=[memory]), memory
