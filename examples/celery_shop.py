"""Celery tasks whose ends are tracked: ``python examples/celery_shop.py``."""

from typing import Any

from celery import Celery
from shop import ORDER_TELEMETRY, tracker

from telemetry.core.operations import OperationContext
from telemetry.sdk.integrations.celery import TaskTelemetry, connect

# Tasks run in this process, so that the example needs no broker.
app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.update(task_always_eager=True, task_store_eager_result=False)


@app.task(name="shop.place")
def place(email: str, total: float) -> int:
    """Place an order; one of nothing fails."""
    if not total:
        raise LookupError(email)
    return 7


def who(_task: Any) -> OperationContext:
    """Who runs tasks."""
    return OperationContext(actor="worker", channel="celery")


TELEMETRY = {"shop.place": TaskTelemetry(success=ORDER_TELEMETRY.success, failure=ORDER_TELEMETRY.failure)}


def main() -> None:
    """Run two tasks, one of which fails."""
    disconnect = connect(tracker, TELEMETRY, context=who)
    for total in (12.5, 0):
        print("state", place.apply(kwargs={"email": "ada@example.com", "total": total}).state)
    disconnect()
    print("state", place.apply(kwargs={"email": "ada@example.com", "total": 1}).state)


if __name__ == "__main__":
    main()
