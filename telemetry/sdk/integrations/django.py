"""Contract telemetry for Django: a middleware, sync and async.

In the settings::

    MIDDLEWARE = [..., "shop.telemetry.middleware"]

and in ``shop/telemetry.py``::

    middleware = telemetry_middleware(tracker, RequestTelemetry(event="http.request", version=1))
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from telemetry.core.operations import OperationContext, Tracks
from telemetry.sdk.integrations.exchanges import Exchange, RequestTelemetry
from telemetry.sdk.integrations.tracking import atrack_exchange, track_exchange

__all__ = ["telemetry_middleware"]

ContextOf = Callable[[HttpRequest], OperationContext]
GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


def telemetry_middleware(
    tracker: Tracks,
    telemetry: RequestTelemetry,
    *,
    context: ContextOf | None = None,
    on_error: Callable[[Exception], object] | None = None,
) -> Callable[[GetResponse], "_Middleware"]:
    """A middleware that tracks an event with each answer, and gives views the context as ``request.telemetry``.

    ``context`` makes who and where of the request; it runs when the request comes; without it, nothing is said about
    either. Place it after the middleware that says who is signed in.
    """

    def middleware(get_response: GetResponse) -> _Middleware:
        return _Middleware(get_response, tracker, telemetry, context, on_error)

    middleware.sync_capable = True  # type: ignore[attr-defined]  # how Django learns that both will do
    middleware.async_capable = True  # type: ignore[attr-defined]  # as above
    return middleware


class _Middleware:
    """The middleware around one handler."""

    def __init__(
        self,
        get_response: GetResponse,
        tracker: Tracks,
        telemetry: RequestTelemetry,
        context: ContextOf | None,
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        self._get_response = get_response
        self._tracker = tracker
        self._telemetry = telemetry
        self._context = context
        self._on_error = on_error
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """The answer of the handler, which is tracked; an error that ends it is tracked as status 500."""
        return self._answer_async(request) if self._is_async else self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        started, context = time.perf_counter(), self._enter(request)
        try:
            response = cast("HttpResponseBase", self._get_response(request))
        except Exception as error:
            track_exchange(self._telemetry, _exchange(request, 500, started, error), context)
            raise
        track_exchange(self._telemetry, _exchange(request, response.status_code, started), context)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        started, context = time.perf_counter(), self._enter(request)
        try:
            response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        except Exception as error:
            await atrack_exchange(self._telemetry, _exchange(request, 500, started, error), context)
            raise
        await atrack_exchange(self._telemetry, _exchange(request, response.status_code, started), context)
        return response

    def _enter(self, request: HttpRequest) -> OperationContext:
        made = OperationContext()
        try:
            made = made if self._context is None else self._context(request)
        except Exception as error:  # noqa: BLE001  a request is worth more than what describes it
            if self._on_error is not None:
                self._on_error(error)
        made.telemetry = self._tracker
        made.on_telemetry_error = self._on_error
        cast("Any", request).telemetry = made
        return made


def _exchange(request: HttpRequest, status: int, started: float, error: Exception | None = None) -> Exchange:
    match = request.resolver_match
    return Exchange(
        method=request.method or "",
        route=match.route if match is not None else None,
        status=status,
        duration_ms=(time.perf_counter() - started) * 1000,
        error=error,
    )
