"""A decorator that tracks how functions end: ``python examples/tracked_functions.py``."""

import asyncio
from collections.abc import Mapping
from typing import Any

from shop import ORDER_TELEMETRY, tracker

from telemetry.core.operations import OperationContext
from telemetry.sdk.integrations.functions import tracked


def who(arguments: Mapping[str, Any]) -> OperationContext:
    """The customer, from the arguments of a call."""
    return OperationContext(user_id=arguments["email"], channel="job")


@tracked(tracker, ORDER_TELEMETRY, context=who)
def place(email: str, total: float = 12.5) -> int:
    """Place an order; one of nothing fails."""
    if not total:
        raise LookupError(email)
    return 7


@tracked(tracker, ORDER_TELEMETRY, context=who)
async def place_slowly(email: str, total: float = 12.5) -> int:
    """As ``place``, after letting others go first."""
    await asyncio.sleep(0)
    return 7 if email and total else 0


def main() -> None:
    """Place three orders, one of which fails."""
    print("answer", place("ada@example.com"))
    print("answer", asyncio.run(place_slowly("ada@example.com", total=3)))
    try:
        place("ada@example.com", 0)
    except LookupError as error:
        print("raised", type(error).__name__)


if __name__ == "__main__":
    main()
