"""Events that wait in memory for the first config."""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from telemetry.sdk.incoming import Incoming

__all__ = ["Held", "HoldQueue"]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """No config is known yet, so nothing may be sent: the event waits in memory, and is judged when one arrives.

    ``is_kept`` is false when the queue was full, or the tracker closed; then the event is lost, and counted.
    """

    event_id: str
    is_kept: bool

    def __bool__(self) -> bool:
        return False


class HoldQueue:
    """A bounded queue in memory; when it is full the newest event is refused, as the first ones explain a start."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._is_closed = False
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Start empty in a child: what the parent holds, the parent sends."""
        self._lock = threading.RLock()
        self._waiting: deque[Incoming] = deque()

    def put_unless(self, is_over: Callable[[], bool], incoming: Incoming) -> bool | None:
        """Return true when it waits now, false when there is no room, and ``None`` when ``is_over()`` says so.

        The question is asked under the lock that ``take_all`` needs, so that no event can be left behind by a config
        that arrives in this very moment.
        """
        with self._lock:
            if is_over():
                return None
            if self._is_closed or len(self._waiting) >= self._capacity:
                return False
            self._waiting.append(incoming)
            return True

    def take_all(self) -> list[Incoming]:
        """Empty the queue and return what was in it, oldest first."""
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
            return taken

    def close(self) -> list[Incoming]:
        """Refuse all from now on; return what still waited."""
        self._is_closed = True
        return self.take_all()
