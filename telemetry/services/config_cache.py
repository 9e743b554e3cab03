"""A bounded memory of finished bytes, shared by the threads of one process."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

__all__ = ["ByteCache"]


class ByteCache:
    """Keeps what was used last, up to ``limit`` bytes together; safe to use from several threads.

    Entries are never changed under their key, so nothing ever has to be deleted by name.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """The bytes kept under ``key``, or ``None``."""
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: Hashable, value: bytes) -> None:
        """``value`` is kept, at the cost of what was not used for longest; it is not kept if it alone is too large."""
        if len(value) > self._limit:
            return
        with self._lock:
            self._size += len(value) - len(self._entries.pop(key, b""))
            self._entries[key] = value
            while self._size > self._limit:
                _, dropped = self._entries.popitem(last=False)
                self._size -= len(dropped)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
