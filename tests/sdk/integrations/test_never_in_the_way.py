"""Integrations pass on what functions and apps answer or raise, whatever goes wrong while tracking."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from telemetry.core.operations import OperationContext, OperationTelemetry, TelemetryTrigger
from telemetry.sdk.integrations import asgi
from telemetry.sdk.integrations.django import telemetry_middleware
from telemetry.sdk.integrations.exchanges import RequestTelemetry
from telemetry.sdk.integrations.functions import tracked

BOTH: OperationTelemetry[Any, Any] = OperationTelemetry(
    success=TelemetryTrigger(event="good"), failure=TelemetryTrigger(event="bad")
)
REQUESTS = RequestTelemetry(event="request")


class Recorder:
    """A tracker that remembers what it is asked, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def track(
        self, name: str, version: int | None = None, properties: Mapping[str, Any] | None = None, context: object = None
    ) -> object:
        self.calls.append((name, properties or {}))
        if self.fails:
            raise RuntimeError("no network")
        return None


def broken_context(_given: object) -> OperationContext:
    raise LookupError("who?")


def test_a_function_answers_though_tracking_and_its_context_fail() -> None:
    tracker, told = Recorder(fails=True), list[Exception]()

    @tracked(tracker, BOTH, context=broken_context, on_error=told.append)
    def double(number: int) -> int:
        """Twice the number."""
        return number * 2

    assert double(2) == 4
    assert (double.__name__, double.__doc__) == ("double", "Twice the number.")
    assert [type(error) for error in told] == [LookupError, RuntimeError]


def test_arguments_that_do_not_fit_are_the_functions_own_error() -> None:
    tracker = Recorder()

    @tracked(tracker, BOTH)
    def double(number: int) -> int:
        return number * 2

    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        double()  # type: ignore[call-arg]

    assert [name for name, _ in tracker.calls] == ["bad"]


def test_an_asynchronous_function_stays_one_and_its_error_is_tracked() -> None:
    tracker = Recorder()

    @tracked(tracker, BOTH)
    async def fail(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="3"):
        asyncio.run(fail(3))

    assert [name for name, _ in tracker.calls] == ["bad"]


def test_a_django_view_answers_though_tracking_and_its_context_fail() -> None:
    tracker, told = Recorder(fails=True), list[Exception]()
    middleware = telemetry_middleware(tracker, REQUESTS, context=broken_context, on_error=told.append)

    answer = middleware(lambda _request: HttpResponse("fine"))(HttpRequest())

    assert isinstance(answer, HttpResponse)
    assert answer.content == b"fine"
    assert [type(error) for error in told] == [LookupError, RuntimeError]


@pytest.mark.parametrize("fails", [False, True])
def test_an_asynchronous_django_view_is_awaited_and_tracked(fails: bool) -> None:
    tracker = Recorder()

    async def view(_request: HttpRequest) -> HttpResponse:
        if fails:
            raise LookupError
        return HttpResponse(status=201)

    handler = telemetry_middleware(tracker, REQUESTS)(view)

    async def answer() -> Any:
        return await handler(HttpRequest())  # type: ignore[misc]

    if fails:
        with pytest.raises(LookupError):
            asyncio.run(answer())
    else:
        assert asyncio.run(answer()).status_code == 201
    [(name, properties)] = tracker.calls
    assert (name, properties["status"]) == ("request", 500 if fails else 201)


def test_an_asgi_app_answers_though_tracking_and_its_context_fail() -> None:
    tracker, told, sent = Recorder(fails=True), list[Exception](), list[Any]()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["telemetry"].telemetry is tracker
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    middleware = asgi.TelemetryMiddleware(
        app, tracker=tracker, telemetry=REQUESTS, context=broken_context, on_error=told.append
    )
    asyncio.run(middleware({"type": "http", "method": "GET"}, receive, send))

    assert sent == [{"type": "http.response.start", "status": 204, "headers": []}]
    assert [type(error) for error in told] == [LookupError, RuntimeError]
    assert tracker.calls[0][1]["status"] == 204


def test_what_is_no_request_passes_an_asgi_app_untouched() -> None:
    tracker, seen = Recorder(), list[Any]()

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(dict(scope))

    async def nothing(*_arguments: Any) -> Any:
        return None

    middleware = asgi.TelemetryMiddleware(app, tracker=tracker, telemetry=REQUESTS)
    asyncio.run(middleware({"type": "lifespan"}, nothing, nothing))

    assert seen == [{"type": "lifespan"}]
    assert tracker.calls == []


def test_properties_decide_whether_a_request_is_tracked() -> None:
    tracker = Recorder()
    quiet = RequestTelemetry(event="request", properties=lambda exchange: None if exchange.status < 400 else {"s": 1})

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404 if request.path == "gone" else 200)

    handler = telemetry_middleware(tracker, quiet)(view)
    for path in ("here", "gone"):
        request = HttpRequest()
        request.path = path
        handler(request)

    assert tracker.calls == [("request", {"s": 1})]
