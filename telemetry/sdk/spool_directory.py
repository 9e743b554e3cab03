"""Files of events that outlive their process: whole or absent, readable by their owner only, sent by one process.

Below the given path there is a folder for each studio and key, and in it one for each process, which holds a lock in
there for as long as it lives. Whoever finds a folder without a living owner may take it over.
"""

import contextlib
import hashlib
import logging
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

if sys.platform != "win32":
    import fcntl

__all__ = ["SpoolDirectory", "SpoolFile"]

logger = logging.getLogger("telemetry.sdk")


_NAME = re.compile(r"[0-9]{12}-([0-9]{1,9})\.events").fullmatch
_LOCK = "lock"


class SpoolFile(msgspec.Struct, frozen=True):
    """One file with the number of its events and its size in bytes."""

    path: Path
    count: int
    size: int

    def read(self) -> bytes:
        """The content as it was written; raises OSError."""
        return self.path.read_bytes()

    def remove(self) -> None:
        """Delete the file, if it is still there."""
        with contextlib.suppress(OSError):
            self.path.unlink()


class SpoolDirectory:
    """Where one process keeps its files."""

    def __init__(self, path: str | os.PathLike[str], *, url: str, api_key: str, is_synced: bool = True) -> None:
        """``is_synced`` says that a file is on the platter before it counts as written."""
        # Events of one installation must not go out under the key of another one that uses the same path.
        target = hashlib.sha256(f"{url}\0{api_key}".encode()).hexdigest()[:16]
        self._base = Path(path)
        self._root = self._base / target
        self._is_synced = is_synced
        self._own: Path | None = None
        self._sequence = 0
        # Folders in use by this process, with the descriptor of the file whose lock says so.
        self._locks: dict[Path, int] = {}

    def renew_after_fork(self) -> None:
        """Leave the parent's folders to the parent; the child makes one of its own when it needs it."""
        for lock in self._locks.values():
            # Closing the child's copy leaves the parent's lock in place.
            os.close(lock)
        self._locks = {}
        self._own = None
        self._sequence = 0

    def write(self, content: bytes, count: int) -> SpoolFile:
        """Return the new file: after a crash it is there as a whole, or not at all. Raises OSError."""
        folder = self._ensure_own()
        self._sequence += 1
        path = folder / f"{self._sequence:012d}-{count}.events"
        unfinished = folder / ".unfinished"
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if self._is_synced:
                os.fsync(file.fileno())
        unfinished.rename(path)
        return SpoolFile(path, count, len(content))

    def adopt(self) -> Iterator[SpoolFile]:
        """The files of processes that are gone, oldest first within each; they belong to this process from now on."""
        self._warn_of_others()
        for folder in sorted(self._folders(self._root)):
            if folder in self._locks or not self._lock(folder):
                continue
            for path in sorted(folder.glob("*.events")):
                if found := _NAME(path.name):
                    with contextlib.suppress(OSError):
                        yield SpoolFile(path, int(found[1]), path.stat().st_size)

    def close(self) -> None:
        """Give up all folders; those without events are removed."""
        for folder, lock in self._locks.items():
            if not any(folder.glob("*.events")):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
        self._locks = {}
        self._own = None

    def _ensure_own(self) -> Path:
        while self._own is None or not self._own.is_dir():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = self._root / f"{os.getpid()}-{secrets.token_hex(4)}"
            folder.mkdir(mode=0o700)
            # Another process may be looking for folders without an owner just now: then it has this one.
            if self._lock(folder, is_new=True):
                self._own = folder
        return self._own

    def _lock(self, folder: Path, *, is_new: bool = False) -> bool:
        """Whether the folder is this process's from now on."""
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | (os.O_CREAT if is_new else 0), 0o600)
        except OSError:
            return False
        try:
            # Windows has no such locks: there, what a process leaves behind stays until somebody removes it.
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            elif not is_new:
                raise BlockingIOError
        except OSError:
            os.close(lock)
            return False
        self._locks[folder] = lock
        return True

    def _warn_of_others(self) -> None:
        others = sum(folder != self._root for folder in self._folders(self._base))
        if others:
            # Left behind under a key that was replaced, perhaps; only their owner can tell.
            logger.warning("spool.left_for_other_keys folders=%d", others)

    @staticmethod
    def _folders(parent: Path) -> Iterator[Path]:
        with contextlib.suppress(OSError):
            yield from (each for each in parent.iterdir() if each.is_dir() and not each.is_symlink())
