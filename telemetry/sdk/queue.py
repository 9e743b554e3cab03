"""Sending in the background: a bounded queue, one daemon thread, batches, retries, and counts that add up."""

import logging
import random
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec

from telemetry.core.errors import Unavailable
from telemetry.core.events import Accepted, Dispatch
from telemetry.sdk.process import finish_at_exit, renew_in_children
from telemetry.sdk.provider import DeliveryStats

__all__ = ["BackgroundQueue", "QueueSettings", "QueuedProvider", "retry_pause"]

logger = logging.getLogger("telemetry.sdk")

Item = TypeVar("Item")
# More items than any queue holds.
_NEVER = sys.maxsize


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a queue behaves; counts are events, times are seconds.

    ``capacity`` 10,000 events are some ten megabytes and two minutes of a busy app. ``attempts`` and the retry times
    ride out about three minutes of outage before a batch is given up; a ``Retry-After`` above ``longest_retry`` is
    honoured up to five minutes.
    """

    capacity: int = 10_000
    batch_size: int = 100
    linger: float = 1.0
    first_retry: float = 0.5
    longest_retry: float = 30.0
    attempts: int = 12

    def __post_init__(self) -> None:
        if min(self.capacity, self.batch_size, self.attempts) < 1:
            raise ValueError("capacity, batch_size and attempts must be at least 1")
        if min(self.linger, self.first_retry, self.longest_retry) < 0:
            raise ValueError("linger, first_retry and longest_retry must not be negative")


LONGEST_RETRY_AFTER_SECONDS = 300.0


def retry_pause(settings: QueueSettings, attempt: int, retry_after: float | None, jitter: float) -> float:
    """Return the seconds to wait after attempt number ``attempt``, counted from 1.

    Doubled with each attempt up to the longest, times ``jitter`` (0.5 to 1), and never less than ``retry_after``.
    """
    growing = min(settings.longest_retry, settings.first_retry * 2.0 ** (attempt - 1))
    return max(growing * jitter, min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS))


class BackgroundQueue(Generic[Item]):
    """Items put in are delivered in order, in batches, by a daemon thread that starts with the first item.

    ``deliver`` takes a batch or raises: ``Unavailable`` is retried with growing, jittered pauses, anything else
    gives the batch up. ``put`` never waits; when the queue is full the *newest* item is dropped, so that what is
    already queued keeps its order and its beginning. A forked child starts with an empty queue and counts of zero:
    what the parent queued, the parent sends, once.
    """

    def __init__(
        self, deliver: Callable[[Sequence[Item]], None], *, name: str, settings: QueueSettings | None = None
    ) -> None:
        self._deliver = deliver
        self._name = name
        self._settings = settings or QueueSettings()
        self._closed = False
        # How many items may wait; none once it is closed.
        self._room = self._settings.capacity
        self._start_afresh()
        renew_in_children(self)
        finish_at_exit(self)

    def _start_afresh(self) -> None:
        # Guards all counts. Reentrant: a finaliser that tracks an event may run inside of any of the methods.
        self._changed = threading.Condition()
        # Only the thread takes items out, under the lock; anybody puts them in, without it.
        self._items: deque[Item] = deque()
        # Whoever puts an item looks closer when there are so many: the first, for which a thread starts or wakes; a
        # full batch; none that there could be, while the thread is at work; and any at all once the queue is closed.
        self._wakes_at = 1
        self._oldest_at = 0.0
        self._thread: threading.Thread | None = None
        self._is_over = False
        self._taken = self._sent = self._failed = self._dropped = self._abandoned = 0
        self._flush_up_to = 0

    def renew_after_fork(self) -> None:
        """Forget the parent's items and thread; see ``telemetry.sdk.process``."""
        self._start_afresh()

    def put(self, item: Item) -> bool:
        """Queue one item and return true, or count it as dropped and return false; never waits for delivery.

        Threads that put at once may exceed the capacity by one item each.
        """
        items = self._items
        if len(items) >= self._room:
            with self._changed:
                self._dropped += 1
            return False
        # Putting is atomic. A lock here would cost as much as all the rest.
        items.append(item)
        if len(items) >= self._wakes_at:
            self._wake()
        return True

    def flush(self, timeout: float) -> bool:
        """Deliver all that was put before this call without lingering; true when it was settled within ``timeout``.

        Settled means sent, or given up and counted as failed.
        """
        with self._changed:
            target = self._accepted()
            self._flush_up_to = max(self._flush_up_to, target)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled() >= target, max(0.0, timeout))

    def shutdown(self, timeout: float) -> bool:
        """Take no more, try each waiting batch once more, and drop what is left after ``timeout`` seconds.

        True when everything was settled in time. Calling it again is harmless.
        """
        with self._changed:
            self._closed, self._room, self._wakes_at = True, 0, 1
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: self._settled() >= self._accepted(), max(0.0, timeout))
            self._abandon()
            return done

    def stats(self) -> DeliveryStats:
        """Counts since this process began to use the queue."""
        with self._changed:
            return DeliveryStats(
                sent=self._sent,
                failed=self._failed,
                dropped=self._dropped + self._abandoned,
                waiting=self._accepted() - self._settled(),
            )

    def _accepted(self) -> int:
        return self._taken + self._abandoned + len(self._items)

    def _settled(self) -> int:
        return self._sent + self._failed + self._abandoned

    def _abandon(self) -> None:
        # One by one, as others may put items meanwhile.
        while self._items:
            self._items.popleft()
            self._abandoned += 1
        self._changed.notify_all()

    def _wake(self) -> None:
        """Have the thread look at the items; count those that came too late for it."""
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"telemetry-{self._name}", daemon=True)
                thread.start()
                self._thread = thread
            self._end_sleep()
            if self._is_over:
                self._abandon()
            self._changed.notify_all()

    def _end_sleep(self) -> None:
        self._wakes_at = 1 if self._closed else _NEVER

    def _run(self) -> None:
        while batch := self._next_batch():
            is_delivered = self._try_to_deliver(batch)
            with self._changed:
                if is_delivered:
                    self._sent += len(batch)
                else:
                    self._failed += len(batch)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._abandon()

    def _next_batch(self) -> list[Item]:
        """Wait for a full batch, an old item, a flush or the end; an empty list is the end."""
        with self._changed:
            if not self._items:
                while not self._items and not self._closed:
                    self._sleep(1, None)
                self._oldest_at = time.monotonic()
            while self._items and not self._is_due():
                self._sleep(self._settings.batch_size, self._oldest_at + self._settings.linger - time.monotonic())
            batch = [self._items.popleft() for _ in range(min(self._settings.batch_size, len(self._items)))]
            self._taken += len(batch)
            self._oldest_at = time.monotonic()
            return batch

    def _is_due(self) -> bool:
        is_full = len(self._items) >= self._settings.batch_size
        is_old = time.monotonic() >= self._oldest_at + self._settings.linger
        return is_full or is_old or self._closed or self._taken < self._flush_up_to

    def _sleep(self, count: int, timeout: float | None) -> None:
        """Wait until there are ``count`` items, somebody notifies, or the time is over."""
        self._wakes_at = count
        # Once more, now that whoever puts an item knows when to wake: it may have come just before.
        if len(self._items) < count:
            self._changed.wait(timeout)
        self._end_sleep()

    def _try_to_deliver(self, batch: Sequence[Item]) -> bool:
        for attempt in range(1, self._settings.attempts + 1):
            # An attempt that began after the end was asked for is the last: nobody waits for retries then.
            is_last = attempt == self._settings.attempts or self._closed
            try:
                self._deliver(batch)
            except Unavailable as error:
                if is_last:
                    return self._give_up(batch, error)
                self._pause(attempt, error.retry_after)
            except Exception as error:  # noqa: BLE001  whatever a provider raises must not end the thread
                return self._give_up(batch, error)
            else:
                return True
        return False

    def _pause(self, attempt: int, retry_after: float | None) -> None:
        """Wait before the next attempt, but not beyond the moment at which the queue is closed."""
        jitter = random.uniform(0.5, 1.0)  # noqa: S311  spreads load, hides nothing
        pause = retry_pause(self._settings, attempt, retry_after, jitter)
        with self._changed:
            self._changed.wait_for(lambda: self._closed, pause)

    def _give_up(self, batch: Sequence[Item], error: Exception) -> bool:
        # The type only: messages of foreign libraries may quote what was sent.
        logger.warning(
            "provider.batch_failed provider=%s events=%d error=%s", self._name, len(batch), type(error).__name__
        )
        return False


class QueuedProvider(ABC, Generic[Item]):
    """Base of providers that send over the network: ``send`` only queues, ``send_batch`` runs on a background thread.

    ``send_batch`` gets dispatches, written on that thread too, unless ``prepare`` is overridden: that runs in the app's
    call, and turns a dispatch into what is queued. A dispatch shares nothing with what the app gave.
    """

    returns_at_once: ClassVar[bool] = True

    def __init__(self, provider_id: str, *, settings: QueueSettings | None = None) -> None:
        self.id = provider_id
        self._queue: BackgroundQueue[Item | Accepted] = BackgroundQueue(
            self._deliver, name=provider_id, settings=settings
        )
        kind = type(self)
        self._writes_later = kind.send is QueuedProvider.send and kind.prepare is QueuedProvider.prepare

    def prepare(self, dispatch: Dispatch) -> Item:
        """Return what is queued for one event: the dispatch itself, unless a subclass says otherwise."""
        return dispatch  # type: ignore[return-value]  # whose items are others overrides this

    @abstractmethod
    def send_batch(self, items: Sequence[Item]) -> None:
        """Hand one batch over, or raise; ``Unavailable`` asks for another attempt with the same items."""

    def send(self, dispatch: Dispatch, /) -> bool:
        """Queue one event; false when it was dropped because the queue is full or closed."""
        return self._queue.put(self.prepare(dispatch))

    def take_kept(self, kept: Accepted, /) -> bool:
        """As ``send``, which it calls where a subclass has one, or a ``prepare``, of its own."""
        return self._queue.put(kept) if self._writes_later else self.send(kept.dispatch)

    def _deliver(self, batch: Sequence[Item | Accepted]) -> None:
        # Where outcomes are queued, items are dispatches.
        items = [item.dispatch if isinstance(item, Accepted) else item for item in batch]
        self.send_batch(items)  # type: ignore[arg-type]  # as just said

    def flush(self, timeout: float = 10.0) -> bool:
        """Deliver what is queued now; true when all of it was settled within ``timeout`` seconds."""
        return self._queue.flush(timeout)

    def shutdown(self, timeout: float = 10.0) -> bool:
        """Deliver what is queued, take no more, drop what is left after ``timeout`` seconds; true when nothing was."""
        return self._queue.shutdown(timeout)

    def delivery(self) -> DeliveryStats:
        """Counts of events since this process began to use the provider."""
        return self._queue.stats()
