"""A bounded memory of finished things, shared by the threads of one process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """Keeps what was used last, up to ``limit`` of ``weight`` together; safe to use from several threads.

    Entries are never changed under their key, so nothing ever has to be deleted by name.
    """

    def __init__(self, limit: int, weight: Callable[[V], int]) -> None:
        self._limit = limit
        self._weight = weight
        self._total = 0
        self._entries: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> V | None:
        """What is kept under ``key``, or ``None``."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: V) -> None:
        """``value`` is kept, at the cost of what was not used for longest; it is not kept if it alone is too heavy."""
        weight = self._weight(value)
        if weight > self._limit:
            return
        with self._lock:
            _, replaced = self._entries.pop(key, (None, 0))
            self._total += weight - replaced
            self._entries[key] = (value, weight)
            while self._total > self._limit:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._total -= dropped

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
