"""A FastAPI app whose answers are tracked: ``python examples/fastapi_shop.py``."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx
from fastapi import FastAPI, Request
from shop import PLACE, place, tracker

from telemetry.core.operations import OperationContext, SpecRegistry
from telemetry.sdk.integrations.asgi import TelemetryMiddleware
from telemetry.sdk.integrations.exchanges import RequestTelemetry

app = FastAPI()
registry = SpecRegistry()
registry.register(PLACE, place)


def who(scope: MutableMapping[str, Any]) -> OperationContext:
    """Who asks, by the header that a gateway in front has set."""
    headers = dict(scope["headers"])
    return OperationContext(user_id=headers.get(b"x-user", b"").decode() or None, channel="web")


app.add_middleware(
    TelemetryMiddleware, tracker=tracker, telemetry=RequestTelemetry(event="http.request", version=1), context=who
)


@app.get("/orders/{total}")
async def order(total: float, request: Request) -> dict[str, int]:
    """Place an order through an operation, which tracks as well."""
    given = {"email": "ada@example.com", "total": total}
    placed = await registry.aexecute("shop.place", 1, given, request.scope["telemetry"])
    return {"number": placed.number}


async def ask() -> None:
    """Ask for pages, one of which fails."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers={"X-User": "user-123"}) as client:
        for address in ("/orders/4711", "/orders/0", "/orders/many", "/nowhere"):
            print(address, (await client.get(address)).status_code)


if __name__ == "__main__":
    asyncio.run(ask())
