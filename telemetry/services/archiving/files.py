"""One file of the archive: where it lies, what is in it, and whether that is what it should be."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from telemetry.core.errors import ArchiveFailed
from telemetry.models import ArchiveFile
from telemetry.stores.archive.keys import FileKeys, keys_of
from telemetry.stores.archive.manifest import Contents, Manifest, decode_manifest
from telemetry.stores.archive.parquet import read_contents
from telemetry.stores.archive.storing import FileSum, fetch_file, workspace
from telemetry.stores.base import RowsDigest
from telemetry.stores.removals import Removed
from tenants.models import Installation

__all__ = [
    "demand_rows",
    "facts_of",
    "fetch_verified",
    "file_problems",
    "guarded",
    "keys_of_file",
    "manifest_of",
    "removed_of",
    "verified_contents",
]

logger = logging.getLogger(__name__)


def keys_of_file(file: ArchiveFile, installation: Installation) -> FileKeys:
    """Where the file lies in the storage."""
    return keys_of(
        file.public_id,
        tenant_id=installation.tenant_id,
        installation=installation.public_id,
        retention_class=file.retention_class,
        starts_on=file.starts_on,
    )


def manifest_of(file: ArchiveFile) -> Manifest:
    """What was measured when the file was written, as the studio remembers it."""
    return msgspec.convert(file.manifest, Manifest)


def facts_of(file: ArchiveFile) -> dict[str, Any]:
    """What a receipt says of a file, whose installation comes with it."""
    return {
        "file": str(file.public_id),
        "installation": str(file.installation.public_id),
        "retention_class": file.retention_class,
        "starts_on": file.starts_on.isoformat(),
        "run": file.run,
        "rows": file.rows,
        "row_digest": file.row_digest,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
    }


def removed_of(file: ArchiveFile) -> tuple[Removed, ...]:
    """The file's events as the balance counts them."""
    return tuple(
        Removed(file.tenant_id, file.installation_id, event.day, event.name, event.version, event.rows)
        for event in manifest_of(file).events
    )


def fetch_verified(file: ArchiveFile, installation: Installation, target: Path) -> None:
    """``target`` is a copy of the file with just the bytes that were written; raises ``ArchiveFailed``."""
    found = fetch_file(keys_of_file(file, installation).file, target)
    if found != FileSum(file.size_bytes, file.sha256):
        raise ArchiveFailed(f"the archived file {file.public_id} is damaged: its checksum is not what was written")


def verified_contents(path: Path) -> Contents:
    """What the file on this machine holds, by reading all of it; raises ``ArchiveFailed``."""
    with guarded():
        return read_contents(path)


def demand_rows(contents: Contents, wanted: RowsDigest) -> None:
    """Return if these are the rows that are wanted; raises ``ArchiveFailed``."""
    if contents.rows != wanted:
        raise ArchiveFailed("the archive's file does not hold the rows that were stored")


def file_problems(file: ArchiveFile, installation: Installation) -> list[str]:
    """Everything that is wrong with the file in the storage, in words; empty when it is as it was written."""
    problems: list[str] = []
    with workspace() as directory:
        copy, manifest = directory / "copy.parquet", directory / "manifest.json"
        try:
            fetch_verified(file, installation, copy)
            demand_rows(verified_contents(copy), RowsDigest(file.rows, file.row_digest))
        except ArchiveFailed as error:
            problems.append(error.message)
        try:
            fetch_file(keys_of_file(file, installation).manifest, manifest)
            if decode_manifest(manifest.read_bytes()) != manifest_of(file):
                problems.append("the manifest is not the one that was written")
        except (ArchiveFailed, ValueError):
            problems.append("the manifest cannot be read")
    return problems


@contextmanager
def guarded() -> Iterator[None]:
    """What goes wrong on this machine, a full disk or a file that is none, becomes ``ArchiveFailed``."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        # The type only: messages of DuckDB quote the line that they stumble over.
        logger.error("archive.file_failed", extra={"error": type(error).__name__})
        raise ArchiveFailed(f"a file of the archive cannot be made or read ({type(error).__name__})") from None
