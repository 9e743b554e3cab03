"""Stored events become a file of the archive: written, read back, verified; and only then removed from the store."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.utils import timezone

from telemetry.core.errors import ArchiveFailed
from telemetry.models import ArchiveFile, ArchiveState, ReceiptKind
from telemetry.services.archiving.files import (
    demand_rows,
    facts_of,
    fetch_verified,
    guarded,
    keys_of_file,
    verified_contents,
)
from telemetry.services.receipts import record_receipt
from telemetry.stores.archive.manifest import Contents, Manifest, encode_manifest
from telemetry.stores.archive.parquet import write_parquet
from telemetry.stores.archive.storing import store_file, sum_of, workspace
from telemetry.stores.base import RowsDigest, RowSelection
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.removals import Removed, count_removed, lock_removals
from tenants.actors import SYSTEM
from tenants.context import tenant_context
from tenants.models import Installation

__all__ = ["MOST_ROWS", "archive_next", "write_file"]

# Rows of one file: written, read back and verified in some seconds, well within a task's time. A day of an installation
# that has more becomes several files.
MOST_ROWS: Final = 200_000

_MEASURED: Final = (
    *("state", "manifest", "rows", "row_digest", "sha256", "size_bytes"),
    *("received_from", "received_until", "expires_at"),
)

# What else happens in the transaction that removes archived rows from the store.
Settled = Callable[[Sequence[Removed]], None]


def archive_next(
    *, installation: Installation, selection: RowSelection, starts_on: date, run: str, settled: Settled
) -> int:
    """A file's worth of the selected rows is in the archive and no longer in the store; how many, 0 when none are left.

    Called again and again, until it returns 0, outside any transaction and tenant context. ``starts_on`` is the first
    day of the partition, ``run`` what asks for it, in words of ours. One transaction removes the rows, counts them as
    archived, keeps the file, adds a receipt, and calls ``settled`` with what was removed. What it removes is what the
    verified file holds, to the last value; else nothing changes. Killed at any point, it leaves no row lost and none
    twice. Raises ``ArchiveFailed`` with nothing removed when the storage fails, or a row changed meanwhile.
    """
    part = _first_part(installation, selection)
    with tenant_context((installation.tenant_id,)):
        wanted = EVENT_STORE.digest(part)
    if not wanted.rows:
        return 0
    file = _verified_before(installation, part, starts_on, wanted) or _write_part(
        installation, part, starts_on, run, wanted
    )
    _settle(file, part, settled)
    return wanted.rows


def write_file(
    *,
    installation: Installation,
    retention_class: int,
    starts_on: date,
    run: str,
    wanted: RowsDigest,
    lines: Callable[[Path], None],
) -> ArchiveFile:
    """A verified file holds the rows that ``lines`` wrote as CSV to the path it was given; outside any transaction.

    Raises ``ArchiveFailed`` when the rows are others than ``wanted``, or the storage does not keep what it is given.
    """
    with tenant_context((installation.tenant_id,)):
        file = ArchiveFile.objects.create(
            tenant_id=installation.tenant_id,
            installation=installation,
            retention_class=retention_class,
            starts_on=starts_on,
            run=run,
        )
    with workspace() as directory:
        rows, made = directory / "rows.csv", directory / "rows.parquet"
        with guarded():
            lines(rows)
            write_parquet(rows, made)
            rows.unlink()
        contents = verified_contents(made)
        demand_rows(contents, wanted)
        manifest = _manifest(file, made, contents)
        store_file(
            made,
            keys_of_file(file, installation),
            manifest=encode_manifest(manifest),
            check=lambda copy: demand_rows(verified_contents(copy), wanted),
        )
    return _verified(file, manifest, contents)


def _first_part(installation: Installation, selection: RowSelection) -> RowSelection:
    """The oldest rows of the selection, about a file's worth: the same ones again after a crash."""
    with tenant_context((installation.tenant_id,)):
        ends = EVENT_STORE.part_ends(selection, most=MOST_ROWS)
    return selection._replace(end=ends[0]) if ends else selection


def _verified_before(
    installation: Installation, part: RowSelection, starts_on: date, wanted: RowsDigest
) -> ArchiveFile | None:
    """The file with just these rows that somebody wrote and was killed after; ``None`` if there is none."""
    with tenant_context((installation.tenant_id,)):
        file = ArchiveFile.objects.filter(
            installation=installation,
            retention_class=part.retention_class,
            starts_on=starts_on,
            state=ArchiveState.VERIFIED,
            row_digest=wanted.digest,
        ).first()
    if file is None:
        return None
    try:
        with workspace() as directory:
            fetch_verified(file, installation, directory / "copy.parquet")
    except ArchiveFailed:
        return None
    return file


def _write_part(
    installation: Installation, part: RowSelection, starts_on: date, run: str, wanted: RowsDigest
) -> ArchiveFile:
    def lines(target: Path) -> None:
        with tenant_context((installation.tenant_id,)):
            EVENT_STORE.export(part, installation=installation.public_id, target=target)

    return write_file(
        installation=installation,
        retention_class=part.retention_class,
        starts_on=starts_on,
        run=run,
        wanted=wanted,
        lines=lines,
    )


def _settle(file: ArchiveFile, part: RowSelection, settled: Settled) -> None:
    """The rows are in the archive alone; or nothing has changed, and the file is of no use."""
    with tenant_context((file.tenant_id,)):
        lock_removals()
        removed = EVENT_STORE.remove(part)
        if removed.digest != RowsDigest(file.rows, file.row_digest):
            raise ArchiveFailed("the stored events changed while they were archived")
        kept = ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.VERIFIED)
        if not kept.update(state=ArchiveState.KEPT, settled_at=timezone.now()):
            raise ArchiveFailed("the file was let go while it was verified")
        count_removed(removed.counts, "archived")
        settled(removed.counts)
        tenant = file.installation.tenant
        record_receipt(tenant=tenant, kind=ReceiptKind.ARCHIVE, facts=facts_of(file), actor=SYSTEM)


def _verified(file: ArchiveFile, manifest: Manifest, contents: Contents) -> ArchiveFile:
    """The studio remembers what was measured."""
    kept = timedelta(days=settings.STUDIO_ARCHIVE_DAYS)
    ends_at = contents.last_expires_at or file.created_at
    file.state = ArchiveState.VERIFIED
    file.manifest = msgspec.to_builtins(manifest)
    for name in ("rows", "row_digest", "sha256", "size_bytes", "received_from", "received_until"):
        setattr(file, name, getattr(manifest, name))
    file.expires_at = ends_at + kept
    changed = {field: getattr(file, field) for field in _MEASURED}
    with tenant_context((file.tenant_id,)):
        if not ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.WRITING).update(**changed):
            raise ArchiveFailed("the file was let go while it was written")
    return file


def _manifest(file: ArchiveFile, made: Path, contents: Contents) -> Manifest:
    measured = sum_of(made)
    return Manifest(
        file=file.public_id,
        tenant=file.tenant_id,
        installation=file.installation.public_id,
        retention_class=file.retention_class,
        starts_on=file.starts_on,
        run=file.run,
        rows=contents.rows.rows,
        row_digest=contents.rows.digest,
        sha256=measured.sha256,
        size_bytes=measured.size_bytes,
        events=contents.events,
        received_from=contents.received_from,
        received_until=contents.received_until,
        config_revisions=contents.config_revisions,
        created_at=file.created_at,
    )
