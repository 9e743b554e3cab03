"""Archived events back in the store, once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.core.retention import RetentionClass, retention_class
from telemetry.models import ArchiveFile, ArchiveState
from telemetry.services.archiving.files import (
    demand_rows,
    facts_of,
    fetch_verified,
    guarded,
    manifest_of,
    removed_of,
    verified_contents,
)
from telemetry.stores.archive.parquet import read_rows
from telemetry.stores.archive.storing import workspace
from telemetry.stores.base import RestoredRow, RowsDigest
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.digests import NAMES
from telemetry.stores.partitions import SPANS, Partition, add_partition, table_of
from telemetry.stores.removals import count_unarchived, lock_removals
from tenants.actors import Actor, require
from tenants.context import tenant_context
from tenants.services import audit

__all__ = ["LONGEST_DAYS", "restore_file"]

# Whoever looks into old events needs them for a case, not for good.
LONGEST_DAYS: Final = 365


def restore_file(*, actor: Actor, file: ArchiveFile, days: int) -> int:
    """The file's events are in the store again for ``days`` from now, and the file is on its way out; how many.

    Outside any transaction; the file comes with installation and tenant. Every event is there once, whatever was there
    before. After those days they are dealt with as their event's policy says then. One transaction with the audit
    entry: a second call, or one at the same time, raises ``Conflict``. Needs ``archive.restore`` in the tenant. Raises
    ``InvalidDocument`` for other than 1 to 365 days, and ``ArchiveFailed`` when the file is not what was written.
    """
    require(actor, "archive.restore", file.tenant_id)
    if not 1 <= days <= LONGEST_DAYS:
        rule = f"must be a whole number from 1 to {LONGEST_DAYS}"
        raise InvalidDocument([FieldError("out_of_range", "days", rule)], what="restoration")
    with workspace() as directory:
        copy = directory / "copy.parquet"
        fetch_verified(file, file.installation, copy)
        demand_rows(verified_contents(copy), RowsDigest(file.rows, file.row_digest))
        return _restore(actor, file, copy, timezone.now() + timedelta(days=days))


def _restore(actor: Actor, file: ArchiveFile, copy: Path, expires_at: datetime) -> int:
    with tenant_context((file.tenant_id,)):
        lock_removals()
        kept = ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.KEPT)
        if not kept.update(state=ArchiveState.RESTORED, settled_at=timezone.now()):
            raise Conflict("the file is not kept any more: it was restored, replaced or expired")
        events = manifest_of(file).events
        _make_room({event.day for event in events}, expires_at)
        for rows in _portions(copy, expires_at):
            EVENT_STORE.restore(
                tenant_id=file.tenant_id, installation_id=file.installation_id, expires_at=expires_at, rows=rows
            )
        count_unarchived(removed_of(file), "live")
        details = {**facts_of(file), "expires_at": expires_at.isoformat()}
        audit.record(actor=actor, action="archive.restored", target=file, tenant_id=file.tenant_id, details=details)
    return file.rows


def _make_room(days: set[date], expires_at: datetime) -> None:
    """Each day has a partition in the class into which its events go: the old ones were dropped long ago."""
    for day in days:
        chosen = class_of(datetime(day.year, day.month, day.day, tzinfo=UTC), expires_at)
        span = SPANS[chosen]
        starts_on = span.start_of(day)
        add_partition(Partition(table_of(chosen), starts_on, span.after(starts_on)))


def class_of(received_at: datetime, expires_at: datetime) -> RetentionClass:
    """A class whose partitions are dropped after the events' new end, by the day on which they came."""
    start = received_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return retention_class(ceil((expires_at - start) / timedelta(days=1)))


def _portions(copy: Path, expires_at: datetime) -> Iterator[list[RestoredRow]]:
    with guarded():
        for portion in read_rows(copy):
            yield [_row(dict(zip(NAMES, row, strict=True)), expires_at) for row in portion]


def _row(row: dict[str, Any], expires_at: datetime) -> RestoredRow:
    return RestoredRow(
        id=row["id"],
        name=row["name"],
        version=row["version"],
        received_at=row["received_at"],
        occurred_at=row["occurred_at"],
        retention_class=class_of(row["received_at"], expires_at),
        privacy=row["privacy"],
        source=row["source"],
        app_version=row["app_version"],
        inclusion_probability=row["inclusion_probability"],
        config_revision=row["config_revision"],
        properties=row["properties"].encode(),
        context=row["context"].encode(),
    )
