"""What the examples of integrations share: a tracker whose events are printed, and an order."""

from pathlib import Path
from typing import Any

import msgspec

from telemetry.core.codec import decode_spec
from telemetry.core.events import Dispatch
from telemetry.core.operations import (
    ContractSpec,
    OperationContext,
    OperationIO,
    OperationMeta,
    OperationTelemetry,
    Run,
    TelemetryTrigger,
)
from telemetry.core.registry import TelemetryRegistry
from telemetry.sdk import TelemetryTracker

SPEC = decode_spec((Path(__file__).parent / "shop.telemetry.yaml").read_bytes())


class Printer:
    """A provider that prints what it is given: what left the process."""

    id = "printer"

    def send(self, dispatch: Dispatch) -> None:
        """Print one event."""
        shown = {name: value for name, value in dispatch.properties.items() if name != "durationMs"}
        print(f"tracked {dispatch.name} {shown}", flush=True)


tracker = TelemetryTracker(registry=TelemetryRegistry([SPEC]), providers=[Printer()])


class Order(msgspec.Struct):
    """What a customer wants."""

    email: str
    total: float


class Placed(msgspec.Struct):
    """The number of the order."""

    number: int


def _success(run: Run[Any, Any]) -> dict[str, Any]:
    order = run.input if isinstance(run.input, dict) else msgspec.to_builtins(run.input)
    said = {"email": order["email"], "total": order["total"]}
    return said if run.duration_ms is None else {**said, "durationMs": run.duration_ms}


def _failure(run: Run[Any, Any]) -> dict[str, Any]:
    return {"kind": type(run.error).__name__}


ORDER_TELEMETRY: OperationTelemetry[Any, Any] = OperationTelemetry(
    success=TelemetryTrigger(event="shop.order_placed", version=1, properties=_success),
    failure=TelemetryTrigger(event="shop.order_failed", version=1, properties=_failure),
)
PLACE: ContractSpec[Order, Placed] = ContractSpec(
    meta=OperationMeta(name="shop.place", version=1), io=OperationIO(Order, Placed), telemetry=ORDER_TELEMETRY
)


def place(order: Order, _context: OperationContext) -> Placed:
    """Place an order; one of nothing fails."""
    if not order.total:
        raise LookupError("there is nothing to place")
    return Placed(7)
