"""A directory as an archive: what was saved outlives a power cut, and nobody but the studio's user can read it."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

__all__ = ["LocalArchive"]


class LocalArchive(FileSystemStorage):
    """Files appear whole or not at all, and are on the disk when ``save`` returns.

    Django's own storage leaves half a file behind when the disk is full, and does not wait for the disk: rows that were
    deleted after it would be lost with the power.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        super().__init__(location=location, file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def _save(self, name: str, content: "File[Any]") -> str:
        target = Path(self.path(name))
        self._make_directory(target.parent)
        # In the same directory, so that moving it is one step of the file system.
        with NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as file:
            try:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_directory(target.parent)
        return name

    def _make_directory(self, directory: Path) -> None:
        missing = [each for each in (directory, *directory.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync_directory(each.parent)


def _sync_directory(directory: Path) -> None:
    """The names in the directory are on the disk as well."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
