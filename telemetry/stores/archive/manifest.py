"""What is in an archived file, so that an outsider can check it without the studio."""

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.stores.base import RowsDigest

__all__ = ["SCHEMA_VERSION", "ArchivedEvent", "Contents", "Manifest", "decode_manifest", "encode_manifest"]

# Raise it whenever the columns of a file change.
SCHEMA_VERSION: Final = 1


class ArchivedEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many rows of one event that came on one day (UTC) a file holds."""

    name: str
    version: int
    day: date
    rows: int


class Contents(NamedTuple):
    """What was found in a file by reading it. Instants are ``None`` for a file without rows."""

    rows: RowsDigest
    events: tuple[ArchivedEvent, ...]
    received_from: datetime | None
    received_until: datetime | None
    last_expires_at: datetime | None
    config_revisions: tuple[int, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The manifest of one file. ``received_from`` and ``received_until`` are those of the first and the last row.

    ``sha256`` is of the file's bytes, ``row_digest`` as in ``RowsDigest``; ``run`` is the id of the purge that moved
    the rows, or of the job that wrote the file anew.
    """

    format: int = 1
    schema_version: int = SCHEMA_VERSION
    file: UUID
    tenant: int
    installation: UUID
    retention_class: int
    starts_on: date
    run: str
    rows: int
    row_digest: str
    sha256: str
    size_bytes: int
    events: tuple[ArchivedEvent, ...]
    received_from: datetime | None
    received_until: datetime | None
    config_revisions: tuple[int, ...]
    created_at: datetime


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON in UTF-8, with a line end."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(content: bytes) -> Manifest:
    """The manifest that the text is; raises ``msgspec.MsgspecError`` if it is none."""
    return msgspec.json.decode(content, type=Manifest)
