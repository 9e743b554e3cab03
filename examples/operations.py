"""An operation with a contract, run by both doors: ``python examples/operations.py``."""

import asyncio
import time

from shop import PLACE, Order, Placed, place, tracker

from telemetry.core.errors import InvalidDocument
from telemetry.core.operations import OperationContext, OperationMeta, SpecRegistry

registry = SpecRegistry(clock=time.perf_counter)
registry.register(PLACE, place)


async def place_slowly(order: Order, context: OperationContext) -> Placed:
    """As ``place``, after letting others go first."""
    await asyncio.sleep(0)
    return place(order, context)


SLOW = OperationMeta(name="shop.place", version=2)
registry.register(type(PLACE)(meta=SLOW, io=PLACE.io, telemetry=PLACE.telemetry), place_slowly)


def main() -> None:
    """Place orders, one of which fails, and one of which is no order."""
    context = OperationContext(tenant_id="acme", user_id="user-123", channel="web", telemetry=tracker)
    given = {"email": "ada@example.com", "total": 12.5}

    print("answer", registry.execute("shop.place", 1, given, context))
    print("answer", asyncio.run(registry.aexecute("shop.place", 2, given, context)))
    for wrong in ({**given, "total": 0}, {"email": "ada@example.com"}):
        try:
            registry.execute("shop.place", 1, wrong, context)
        except (LookupError, InvalidDocument) as error:
            print("raised", type(error).__name__)


if __name__ == "__main__":
    main()
