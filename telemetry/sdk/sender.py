"""Sending what is in a spool, one parcel after the other, for as long as it takes."""

import logging
import random
import threading
from collections.abc import Callable, Sequence

import msgspec

from telemetry.core.errors import Unavailable
from telemetry.sdk.draining import DrainPace
from telemetry.sdk.process import renew_in_children
from telemetry.sdk.queue import QueueSettings, retry_pause
from telemetry.sdk.spool import Parcel, Spool

__all__ = ["Answered", "Sender"]

logger = logging.getLogger("telemetry.sdk")

# One request's worth: below the studio's limits of 1,000 events and 5 MB with room to spare.
_MOST_ITEMS = 1_000
_MOST_BYTES = 2 * 1024 * 1024


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What the studio said to one parcel; counts are events. ``refused`` is what it will never take."""

    taken: int = 0
    rejected: int = 0
    duplicate: int = 0
    refused: int = 0

    def __add__(self, other: "Answered") -> "Answered":
        return Answered(
            taken=self.taken + other.taken,
            rejected=self.rejected + other.rejected,
            duplicate=self.duplicate + other.duplicate,
            refused=self.refused + other.refused,
        )


class Sender:
    """A daemon thread that hands parcels to ``post`` until the spool is empty.

    ``post`` returns what became of the events, or raises ``Unavailable``: then the same parcel is tried again, with
    growing, jittered pauses, for ever; what must not grow for ever is the spool's business. While there is a backlog,
    the thread keeps to the pace. A forked child starts with counts of zero and sends nothing of its parent's.
    """

    def __init__(
        self,
        spool: Spool,
        post: Callable[[Sequence[bytes]], Answered],
        *,
        name: str,
        pace: DrainPace,
        settings: QueueSettings,
    ) -> None:
        self._spool = spool
        self._post = post
        self._name = name
        self._pace = pace
        self._settings = settings
        self._closed = False
        self.renew_after_fork()
        renew_in_children(self)

    def renew_after_fork(self) -> None:
        """Forget the parent's thread and counts."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_new = False
        self._is_busy = False
        self._hurried = 0
        self._own = self._recovered = Answered()
        self._is_failing = False

    @property
    def own(self) -> Answered:
        """What became of this process's events so far."""
        return self._own

    @property
    def recovered(self) -> Answered:
        """What became of events that earlier processes left behind."""
        return self._recovered

    def wake(self) -> None:
        """There is something in the spool."""
        with self._changed:
            self._is_new = True
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name=f"telemetry-{self._name}-send", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Send without keeping to the pace; true when the spool was empty within ``timeout`` seconds."""
        with self._changed:
            self._hurried += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_idle, max(0.0, timeout))
            finally:
                self._hurried -= 1

    def shutdown(self, timeout: float) -> bool:
        """Try once more to send everything, up to ``timeout`` seconds; true when nothing is left in the spool."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, timeout))
        return self._is_idle()

    def _is_idle(self) -> bool:
        return not self._is_busy and self._spool.is_empty()

    def _run(self) -> None:
        while self._wait_for_work():
            parcel = self._spool.take(most_items=_MOST_ITEMS, most_bytes=_MOST_BYTES)
            if parcel is None:
                continue
            if not self._deliver(parcel):
                break
            if not self._spool.is_empty():
                self._rest(self._pace.pause_after(len(parcel.items)), is_hurried=lambda: self._hurried > 0)
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()

    def _wait_for_work(self) -> bool:
        """True when there may be something to send, false at the end."""
        with self._changed:
            if self._spool.is_empty():
                self._is_busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_new or self._closed)
                self._is_new = False
            self._is_busy = True
            return not (self._closed and self._spool.is_empty())

    def _deliver(self, parcel: Parcel) -> bool:
        """Send the parcel, however often it takes; false when the end came first."""
        attempt = 0
        while True:
            attempt += 1
            # An attempt that began after the end was asked for is the last one: nobody waits for another.
            is_last = self._closed
            try:
                answered = self._post(parcel.items)
            except Unavailable as error:
                self._note(is_failing=True)
                if is_last:
                    return False
                jitter = random.uniform(0.5, 1.0)  # noqa: S311  spreads load, hides nothing
                self._rest(retry_pause(self._settings, attempt, error.retry_after, jitter))
            except Exception as error:  # noqa: BLE001  a mistake of ours must not end the thread, nor block the spool
                logger.error("provider.batch_failed provider=%s error=%s", self._name, type(error).__name__)
                return self._settle(parcel, Answered(refused=len(parcel.items)))
            else:
                self._note(is_failing=False)
                return self._settle(parcel, answered)

    def _settle(self, parcel: Parcel, answered: Answered) -> bool:
        self._spool.done(parcel)
        with self._changed:
            if parcel.is_recovered:
                self._recovered += answered
            else:
                self._own += answered
            self._changed.notify_all()
        return True

    def _rest(self, seconds: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or is_hurried(), seconds)

    def _note(self, *, is_failing: bool) -> None:
        if is_failing is not self._is_failing:
            self._is_failing = is_failing
            logger.log(
                logging.WARNING if is_failing else logging.INFO,
                "provider.%s provider=%s",
                "failing" if is_failing else "recovered",
                self._name,
            )
