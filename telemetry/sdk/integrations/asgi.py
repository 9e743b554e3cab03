"""Contract telemetry for ASGI apps, such as FastAPI's and Starlette's. Needs no framework: ASGI is a convention.

Source: ASGI specification, HTTP connection scope and messages.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from telemetry.core.operations import OperationContext, Tracks
from telemetry.sdk.integrations.exchanges import Exchange, RequestTelemetry
from telemetry.sdk.integrations.tracking import atrack_exchange

__all__ = ["TelemetryMiddleware"]

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TelemetryMiddleware:
    """Tracks an event with each answer to an HTTP request, and gives handlers the context under ``scope["telemetry"]``.

    ``context`` makes who and where of the scope; it runs when the request comes. With FastAPI::

        app.add_middleware(TelemetryMiddleware, tracker=tracker, telemetry=RequestTelemetry(event="http.request"))
    """

    def __init__(
        self,
        app: App,
        *,
        tracker: Tracks,
        telemetry: RequestTelemetry,
        context: Callable[[Scope], OperationContext] | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        self._app = app
        self._tracker = tracker
        self._telemetry = telemetry
        self._context = context
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection to the app; what it is answered with is tracked once it has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = self._context_of(scope)
        scope["telemetry"] = context
        started = time.perf_counter()
        statuses: list[int] = []

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(message["status"]))
            await send(message)

        problem: Exception | None = None
        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            problem = error
            raise
        finally:
            exchange = Exchange(
                method=str(scope.get("method", "")),
                route=_route_of(scope),
                status=statuses[0] if statuses else 500,
                duration_ms=(time.perf_counter() - started) * 1000,
                error=problem,
            )
            await atrack_exchange(self._telemetry, exchange, context)

    def _context_of(self, scope: Scope) -> OperationContext:
        made = OperationContext()
        try:
            made = made if self._context is None else self._context(scope)
        except Exception as error:  # noqa: BLE001  a request is worth more than what describes it
            if self._on_error is not None:
                self._on_error(error)
        made.telemetry = self._tracker
        made.on_telemetry_error = self._on_error
        return made


def _route_of(scope: Scope) -> str | None:
    """The pattern of the route that took the request, as FastAPI and Starlette leave it in the scope."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None
