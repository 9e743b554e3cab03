"""Files on their way into the storage and back: nothing counts as written before it was read back."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages

from telemetry.core.errors import ArchiveFailed
from telemetry.stores.archive.keys import UNFINISHED, FileKeys

__all__ = [
    "FileSum",
    "archive_storage",
    "discard_file",
    "fetch_file",
    "store_file",
    "sum_of",
    "unfinished_keys",
    "workspace",
]

logger = logging.getLogger(__name__)

_CHUNK: Final = 1_048_576


class FileSum(NamedTuple):
    """The length and the SHA-256 (hex) of a file's bytes."""

    size_bytes: int
    sha256: str


def archive_storage() -> Storage:
    """The storage that ``STORAGES["archive"]`` names."""
    return storages["archive"]


@contextmanager
def workspace() -> Iterator[Path]:
    """A directory of this process for files on their way, gone at the end."""
    with TemporaryDirectory(prefix="studio-archive-") as directory:
        yield Path(directory)


def sum_of(path: Path) -> FileSum:
    """Length and checksum of a file on this machine."""
    with path.open("rb") as file:
        return _sum(iter(lambda: file.read(_CHUNK), b""))


def store_file(path: Path, keys: FileKeys, *, manifest: bytes, check: Callable[[Path], None]) -> None:
    """The file and its manifest are in the storage, whole, as reading them back has shown.

    First under an unfinished name, from where it is fetched into another file, which has to have the same bytes and to
    pass ``check``; then under its own name, where its bytes are summed once more; then the manifest. Raises
    ``ArchiveFailed`` when the storage raises, or gives back anything else than it was given.
    """
    wanted = sum_of(path)
    with path.open("rb") as file:
        _save(keys.unfinished, File(file))
    with workspace() as directory:
        copy = directory / "copy.parquet"
        _demand(fetch_file(keys.unfinished, copy) == wanted, "does not give back what it was given")
        check(copy)
        with copy.open("rb") as file:
            _save(keys.file, File(file))
    _demand(_stored_sum(keys.file) == wanted, "does not give back what it was given")
    _save(keys.manifest, ContentFile(manifest))
    _demand(_stored_sum(keys.manifest) == _sum([manifest]), "does not give back what it was given")
    discard_file(keys.unfinished)


def fetch_file(key: str, target: Path) -> FileSum:
    """``target`` holds what the storage has under the key; its sum. Raises ``ArchiveFailed``."""
    with _guarded("cannot be read"), target.open("wb") as copy:
        return _sum(_copied(_stored_chunks(key), copy))


def discard_file(*keys: str) -> None:
    """Nothing is stored under the keys, whether or not something was. Raises ``ArchiveFailed``."""
    storage = archive_storage()
    with _guarded("does not delete"):
        for key in keys:
            storage.delete(key)


def unfinished_keys() -> list[str]:
    """Keys of files that are being written, or were when somebody was killed. Raises ``ArchiveFailed``."""
    with _guarded("cannot be listed"):
        try:
            _, names = archive_storage().listdir(UNFINISHED)
        except FileNotFoundError:
            return []
    return [f"{UNFINISHED}/{name}" for name in names]


def _save(key: str, content: "File[Any]") -> None:
    """The content is under exactly this key; what was there before, from an attempt that was cut off, is not."""
    storage = archive_storage()
    with _guarded("cannot be written"):
        if storage.exists(key):
            storage.delete(key)
        name = storage.save(key, content)
    _demand(name == key, "chose another name for a file")


def _stored_sum(key: str) -> FileSum:
    with _guarded("cannot be read"):
        return _sum(_stored_chunks(key))


def _stored_chunks(key: str) -> Iterator[bytes]:
    with archive_storage().open(key, "rb") as file:
        yield from file.chunks(_CHUNK)


def _copied(chunks: Iterator[bytes], target: Any) -> Iterator[bytes]:
    for chunk in chunks:
        target.write(chunk)
        yield chunk


def _sum(chunks: Any) -> FileSum:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return FileSum(size, digest.hexdigest())


@contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Whatever a storage raises becomes ``ArchiveFailed``, without its words: they may quote an address or a key."""
    try:
        yield
    except ArchiveFailed:
        raise
    except Exception as error:  # noqa: BLE001 - storages may raise anything
        logger.error("archive.storage_failed", extra={"problem": what, "error": type(error).__name__})
        raise ArchiveFailed(f"the archive's storage {what} ({type(error).__name__})") from None


def _demand(holds: bool, problem: str) -> None:
    if not holds:
        logger.error("archive.storage_failed", extra={"problem": problem})
        raise ArchiveFailed(f"the archive's storage {problem}")
