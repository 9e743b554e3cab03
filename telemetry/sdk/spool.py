"""Encoded events on their way to the studio: in memory, or on disk so that they outlive the process."""

import logging
import threading
import zlib
from collections import deque
from collections.abc import Sequence

import msgspec

from telemetry.sdk.spool_directory import SpoolDirectory, SpoolFile

__all__ = ["Parcel", "Spool", "SpoolStats"]

logger = logging.getLogger("telemetry.sdk")

# Quick rather than small: this runs next to the app, and JSON of events shrinks to a fifth all the same.
_LEVEL = 1
# Encoded events hold no line break outside of texts, where JSON escapes it.
_BETWEEN = b"\n"


class _Entry(msgspec.Struct):
    """Events that were put in together; ``content`` is ``None`` when they are in the file."""

    count: int
    size: int
    content: bytes | None
    file: SpoolFile | None
    is_recovered: bool


class Parcel(msgspec.Struct, frozen=True):
    """What is sent together; ``is_recovered`` says that an earlier process left all of it behind."""

    items: Sequence[bytes]
    entries: tuple[_Entry, ...]
    is_recovered: bool


class SpoolStats(msgspec.Struct, frozen=True, kw_only=True):
    """Events that wait, and those dropped to make room or lost to a damaged file, apart by whose they were."""

    waiting: int
    dropped: int
    recovered_waiting: int
    recovered_dropped: int
    bytes: int


class Spool:
    """Events in the order in which they came, up to a number of bytes; when it is full, the oldest are dropped.

    With a directory, every event is on disk when ``append`` returns, and is deleted from there when its parcel is
    ``done``. If the disk refuses to take them, events wait in memory instead. Safe to use from several threads.
    """

    def __init__(self, *, maximum_bytes: int, directory: SpoolDirectory | None = None) -> None:
        self._maximum_bytes = maximum_bytes
        self._directory = directory
        self._is_disk_failing = False
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Start empty: what the parent has, the parent sends."""
        self._lock = threading.RLock()
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._dropped = self._recovered_dropped = 0
        # Entries that somebody is sending; they are not dropped.
        self._taken = 0

    def recover(self) -> int:
        """Take over what processes that are gone left in the directory; returns the number of events."""
        if self._directory is None:
            return 0
        found = 0
        for file in self._directory.adopt():
            found += file.count
            self._put(_Entry(file.count, file.size, None, file, True))
        return found

    def append(self, items: Sequence[bytes]) -> None:
        """Put encoded events in."""
        content = zlib.compress(_BETWEEN.join(items), _LEVEL)
        file = self._write(content, len(items))
        self._put(_Entry(len(items), len(content), content if file is None else None, file, False))

    def take(self, *, most_items: int, most_bytes: int) -> Parcel | None:
        """The oldest events, at least those of one ``append``; ``None`` when there are none.

        They stay in the spool until ``done``.
        """
        items: list[bytes] = []
        entries: list[_Entry] = []
        size = 0
        with self._lock:
            while len(entries) < len(self._entries):
                entry = self._entries[len(entries)]
                found = self._read(entry)
                if found is None:
                    self._drop(len(entries))
                    continue
                size += sum(map(len, found))
                is_full = len(items) + len(found) > most_items or size > most_bytes
                if entries and (is_full or entry.is_recovered is not entries[0].is_recovered):
                    break
                entries.append(entry)
                items += found
            self._taken = len(entries)
        return Parcel(items, tuple(entries), entries[0].is_recovered) if entries else None

    def done(self, parcel: Parcel) -> None:
        """Forget what was taken: it was sent, or given up."""
        with self._lock:
            for _ in parcel.entries:
                self._forget(self._entries.popleft())
            self._taken = 0

    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._entries

    def stats(self) -> SpoolStats:
        """Counts since this process began to use the spool."""
        with self._lock:
            recovered = sum(entry.count for entry in self._entries if entry.is_recovered)
            return SpoolStats(
                waiting=sum(entry.count for entry in self._entries) - recovered,
                dropped=self._dropped,
                recovered_waiting=recovered,
                recovered_dropped=self._recovered_dropped,
                bytes=self._bytes,
            )

    def close(self) -> int:
        """Let go of the directory; returns how many events are lost with the memory, because no file has them."""
        with self._lock:
            lost = [index for index, entry in enumerate(self._entries) if entry.file is None]
            count = sum(self._entries[index].count for index in lost)
            for index in reversed(lost):
                self._drop(index)
            if self._directory is not None:
                self._directory.close()
            return count

    def _put(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.append(entry)
            self._bytes += entry.size
            while self._bytes > self._maximum_bytes and len(self._entries) > self._taken + 1:
                self._drop(self._taken)

    def _write(self, content: bytes, count: int) -> SpoolFile | None:
        if self._directory is None:
            return None
        try:
            file = self._directory.write(content, count)
        except OSError as error:
            self._note_disk(is_failing=True, error=error)
            return None
        self._note_disk(is_failing=False)
        return file

    def _read(self, entry: _Entry) -> list[bytes] | None:
        try:
            content = entry.content if entry.file is None else entry.file.read()
            return [] if content is None else zlib.decompress(content).split(_BETWEEN)
        except (OSError, zlib.error):
            return None

    def _drop(self, index: int) -> None:
        entry = self._entries[index]
        del self._entries[index]
        if entry.is_recovered:
            self._recovered_dropped += entry.count
        else:
            self._dropped += entry.count
        self._forget(entry)

    def _forget(self, entry: _Entry) -> None:
        self._bytes -= entry.size
        if entry.file is not None:
            entry.file.remove()

    def _note_disk(self, *, is_failing: bool, error: OSError | None = None) -> None:
        if is_failing is not self._is_disk_failing:
            self._is_disk_failing = is_failing
            if error is None:
                logger.info("spool.disk_recovered")
            else:
                logger.warning("spool.disk_failing error=%s", type(error).__name__)
