"""A file of the archive written anew: some of its events changed, or left out."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.utils import timezone

from telemetry.core.errors import Conflict
from telemetry.models import ArchiveFile, ArchiveState
from telemetry.services.archiving.files import fetch_verified, guarded
from telemetry.services.archiving.writing import write_file
from telemetry.stores.archive.lines import csv_line
from telemetry.stores.archive.parquet import read_rows
from telemetry.stores.archive.storing import workspace
from telemetry.stores.base import RowsDigest
from telemetry.stores.digests import NAMES, digest_of_lines, line_digest
from telemetry.stores.removals import Removed
from tenants.context import tenant_context

__all__ = ["ArchivedRow", "Change", "Rewritten", "Swapped", "count_changes", "rewrite_file"]

_encode = msgspec.json.Encoder().encode


class ArchivedRow(NamedTuple):
    """What may change of an archived event, and what it is."""

    id: UUID
    name: str
    version: int
    received_at: datetime
    occurred_at: datetime
    privacy: str
    properties: dict[str, Any]
    context: dict[str, Any]


# What becomes of a row: the very same object when nothing changes, ``None`` when it is to be gone.
Change = Callable[[ArchivedRow], ArchivedRow | None]


class Rewritten(NamedTuple):
    """How many rows of each event, by name and version, were changed and left out."""

    changed: dict[tuple[str, int], int]
    removed: dict[tuple[str, int], int]

    @property
    def is_nothing(self) -> bool:
        """Whether the file is as it was."""
        return not self.changed and not self.removed


# What else happens in the transaction that puts the new file in the old one's place: it gets what was done, and the
# rows that were left out by event and day, for the balance.
Swapped = Callable[[Rewritten, tuple[Removed, ...]], None]


def count_changes(*, file: ArchiveFile, change: Change) -> Rewritten:
    """How many rows ``change`` would change or leave out; the file stays as it is. Raises ``ArchiveFailed``."""
    with workspace() as directory:
        return _Pass(file, change).over(directory)


def rewrite_file(*, file: ArchiveFile, change: Change, run: str, swapped: Swapped) -> Rewritten:
    """The archive holds the file's events as ``change`` made them, and the old file is on its way out.

    Outside any transaction; the file comes with installation and tenant. The new file is written and verified first,
    then takes the old one's place in one transaction, which also calls ``swapped``. If nothing changes, no file is
    written. Killed at any point, one of the two files is kept and counted. Raises ``ArchiveFailed``, and ``Conflict``
    when the old file was restored, replaced or expired meanwhile.
    """
    with workspace() as directory:
        rows = directory / "rows.csv"
        done = _Pass(file, change)
        with guarded(), rows.open("wb") as target:
            rewritten = done.over(directory, target.write)
        if rewritten.is_nothing:
            return rewritten
        new = None
        if done.digests:
            new = write_file(
                installation=file.installation,
                retention_class=file.retention_class,
                starts_on=file.starts_on,
                run=run,
                wanted=RowsDigest(len(done.digests), digest_of_lines(done.digests)),
                lines=partial(_move, rows),
            )
    with tenant_context((file.tenant_id,)):
        _swap(file, new)
        swapped(rewritten, tuple(done.left_out()))
    return rewritten


def _move(rows: Path, target: Path) -> None:
    rows.rename(target)


def _swap(file: ArchiveFile, new: ArchiveFile | None) -> None:
    now = timezone.now()
    old = ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.KEPT)
    if not old.update(state=ArchiveState.REPLACED, settled_at=now):
        raise Conflict("the archived file was restored, replaced or expired meanwhile")
    if new is None:
        return
    verified = ArchiveFile.objects.filter(pk=new.pk, state=ArchiveState.VERIFIED)
    # Rewriting gives nobody's events a longer life.
    if not verified.update(state=ArchiveState.KEPT, settled_at=now, expires_at=file.expires_at):
        raise Conflict("the new file was let go while it was verified")


class _Pass:
    """One pass over the rows of a file."""

    def __init__(self, file: ArchiveFile, change: Change) -> None:
        self._file = file
        self._change = change
        self._removed: Counter[Removed] = Counter()
        self.digests: list[str] = []

    def over(self, directory: Path, write: Callable[[bytes], Any] | None = None) -> Rewritten:
        copy = directory / "copy.parquet"
        fetch_verified(self._file, self._file.installation, copy)
        changed: Counter[tuple[str, int]] = Counter()
        removed: Counter[tuple[str, int]] = Counter()
        for portion in self._portions(copy):
            for row in portion:
                before = _row_of(row)
                after = self._change(before)
                if after is None:
                    removed[before.name, before.version] += 1
                    self._leave_out(row, before)
                    continue
                made = row
                if after is not before:
                    changed[before.name, before.version] += 1
                    made = _replaced(row, after)
                if write is not None:
                    self.digests.append(line_digest(made))
                    write(csv_line(made))
        return Rewritten(dict(changed), dict(removed))

    def left_out(self) -> Iterator[Removed]:
        """What was left out, by event and day."""
        for removed, rows in self._removed.items():
            yield removed._replace(rows=rows)

    def _portions(self, copy: Path) -> Iterator[list[tuple[Any, ...]]]:
        with guarded():
            yield from read_rows(copy)

    def _leave_out(self, row: tuple[Any, ...], before: ArchivedRow) -> None:
        day = row[_RECEIVED_AT].astimezone(UTC).date()
        file = self._file
        self._removed[Removed(file.tenant_id, file.installation_id, day, before.name, before.version, 0)] += 1


_PLACES = {name: NAMES.index(name) for name in ArchivedRow._fields}
_RECEIVED_AT = NAMES.index("received_at")


def _row_of(row: tuple[Any, ...]) -> ArchivedRow:
    fields = {name: row[place] for name, place in _PLACES.items()}
    return ArchivedRow(
        **{
            **fields,
            "properties": msgspec.json.decode(row[_PLACES["properties"]]),
            "context": msgspec.json.decode(row[_PLACES["context"]]),
        }
    )


def _replaced(row: tuple[Any, ...], after: ArchivedRow) -> tuple[Any, ...]:
    made = list(row)
    made[_PLACES["privacy"]] = after.privacy
    made[_PLACES["properties"]] = _encode(after.properties).decode()
    made[_PLACES["context"]] = _encode(after.context).decode()
    return tuple(made)
