"""One private event loop on a daemon thread, where every async provider runs."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from telemetry.sdk.process import finish_at_exit, renew_in_children

__all__ = ["BackgroundLoop", "Running"]

Running = concurrent.futures.Future[None]


class BackgroundLoop:
    """Awaits things on a loop of its own, so that plain code can use async providers and no app loop is needed.

    All async providers of a tracker always run here, from ``track`` as well as from ``atrack``: a session or lock
    that a provider makes inside ``send`` belongs to one loop for good. The thread starts with the first submission.
    A forked child starts with nothing waiting.
    """

    def __init__(self, *, capacity: int = 1000) -> None:
        """``capacity`` bounds what is under way at once; a thousand that hang mean a dead provider."""
        self._capacity = capacity
        self._closed = False
        self._start_afresh()
        renew_in_children(self)
        finish_at_exit(self)

    def _start_afresh(self) -> None:
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._under_way: set[Running] = set()

    def renew_after_fork(self) -> None:
        """Forget the parent's loop; what it awaits, the parent finishes."""
        self._start_afresh()

    def submit(self, coroutine: Coroutine[Any, Any, None], when_cancelled: Callable[[], None]) -> Running | None:
        """Run it in the background and return its future, or close it and return ``None`` when full or closed.

        ``when_cancelled`` runs when it was ended by a shutdown. The coroutine deals with its own errors.
        """
        with self._changed:
            if self._closed or len(self._under_way) >= self._capacity:
                coroutine.close()
                return None
            running = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
            self._under_way.add(running)
        running.add_done_callback(lambda done: when_cancelled() if done.cancelled() else None)
        running.add_done_callback(self._forget)
        return running

    def flush(self, timeout: float) -> bool:
        """Wait until all that is under way now is over; false when ``timeout`` seconds were not enough."""
        with self._changed:
            waiting = set(self._under_way)
            return self._changed.wait_for(lambda: not (waiting & self._under_way), max(0.0, timeout))

    def shutdown(self, timeout: float) -> bool:
        """Take no more, wait up to ``timeout`` seconds, cancel what is left and end the thread; true when none was."""
        with self._changed:
            self._closed = True
        done = self.flush(timeout)
        with self._changed:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(max(1.0, timeout))
        return done

    def _forget(self, done: Running) -> None:
        with self._changed:
            self._under_way.discard(done)
            self._changed.notify_all()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(loop,), name="telemetry-async", daemon=True)
            self._thread.start()
            self._loop = loop
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
