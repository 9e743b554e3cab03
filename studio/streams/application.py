"""The ASGI application that serves event streams, and nothing else but the two probes."""

import asyncio
import resource
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.db import Error
from django.http.response import HttpResponse, HttpResponseBase
from django.utils import timezone

from studio.api.errors import UnknownAddress, answer_for
from studio.api.v1.config.stream import Welcome
from studio.streams.addresses import PATH
from studio.streams.admission import Studio
from studio.streams.hub import Hub
from studio.streams.stream import Admitted, Stream
from studio.streams.watch import watch
from telemetry.core.errors import Unavailable

__all__ = ["Application"]

PROBES: Final = frozenset({"/healthz", "/readyz"})

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application:
    """Serves streams on one event loop."""

    def __init__(self) -> None:
        self._studio = Studio()
        self._hub = Hub(
            self._studio.look,
            most=settings.STUDIO_STREAMS_PER_PROCESS,
            most_per_key=settings.STUDIO_STREAMS_PER_KEY,
        )
        self._tasks: list[asyncio.Task[None]] = []
        _allow_many_sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(watch(self._hub.look_at_all)),
            loop.create_task(self._hub.keep_time()),
        ]
        # After the server has installed its own, which this leaves at work.
        loop.call_later(0.1, _call_on_stop, loop, self._hub.close)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._hub.close()
        for task in self._tasks:
            task.cancel()
        self._studio.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        looks = self._hub.looks_begun
        response = await self._first_answer(scope)
        if not isinstance(response, Welcome) or scope["method"] != "GET":
            await _send_whole(response, send)
            return
        loop = asyncio.get_running_loop()
        stream = Stream(response.admitted, now=loop.time(), seconds_left=_seconds_left(response.admitted))
        try:
            with self._hub.open(stream):
                if self._hub.looks_begun != looks:
                    await self._hub.look_at(stream)
                await send(_start(response))
                await send(_part(stream.welcome(_header(scope, b"last-event-id"))))
                await _relay(stream, receive, send)
        except (Unavailable, Error) as error:
            await _send_whole(answer_for(error), send)

    async def _first_answer(self, scope: Scope) -> HttpResponseBase:
        if scope["path"] != PATH and scope["path"] not in PROBES:
            return answer_for(UnknownAddress("this process serves event streams alone"))
        try:
            if scope["path"] == PATH:
                # Before Django: a process that is full must stay quick at saying so.
                self._hub.refuse_when_full()
        except Unavailable as error:
            return answer_for(error)
        return await self._studio.answer(scope)


async def _relay(stream: Stream, receive: Receive, send: Send) -> None:
    """What the stream says goes out until it ends or the client is gone."""
    gone = asyncio.ensure_future(_wait_until_gone(receive))
    gone.add_done_callback(lambda _: stream.end())
    try:
        while (note := await stream.next()) is not None:
            await send(_part(note))
        if not gone.done():
            await send(_part(b"", more=False))
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _seconds_left(admitted: Admitted) -> float:
    if admitted.expires_at is None:
        return float("inf")
    return (admitted.expires_at - timezone.now()).total_seconds()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _start(response: HttpResponseBase) -> Message:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
        if not (isinstance(response, Welcome) and name.lower() == "content-length")
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _send_whole(response: HttpResponseBase, send: Send) -> None:
    await send(_start(response))
    body = response.content if isinstance(response, HttpResponse) else b""
    await send(_part(body, more=False))


def _call_on_stop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """``call`` runs when the process is told to stop.

    The server would wait for streams to end and tell nobody. Its handlers hang on the loop and hear of the signal all
    the same: what Python itself calls is free for others.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(call))


def _allow_many_sockets() -> None:
    """Each stream is an open file; the usual limit of 1,024 is only a default below the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
