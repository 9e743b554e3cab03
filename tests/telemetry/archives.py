"""Stored and archived events for tests, and storages that fail."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.test import override_settings

from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.core.retention import RetentionClass
from telemetry.models import ArchiveFile, EventRemoval, StoredEvent
from telemetry.services.archiving.writing import archive_next
from telemetry.stores.archive.local import LocalArchive
from telemetry.stores.base import EventGroup, RowSelection
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.removals import Removed
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = [
    "FailingArchive",
    "archive_all",
    "archive_in",
    "archived_counts",
    "files_up_to",
    "selection_of",
    "store_events",
    "stored_ids",
]

STEP = "sigil.telemetry.workflow_step"
# Made of the present: partitions of events exist from yesterday on.
NOW = datetime.now(UTC)


class FailingArchive(LocalArchive):
    """A directory that fails as it is told to: on a method, or by what it gives back."""

    # ``save``, ``open``, ``delete``, ``exists``: raises; ``truncate``, ``flip``: what is read is not what was written.
    fault = ""
    # How many calls go well before.
    patience = 0

    def _fails(self, what: str) -> bool:
        if type(self).fault != what:
            return False
        type(self).patience -= 1
        return type(self).patience < 0

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        if self._fails("save"):
            raise OSError(28, "No space left on device")
        return super().save(name, content, max_length)

    def open(self, name: str, mode: str = "rb") -> "File[Any]":
        if self._fails("open"):
            raise ConnectionError("500 from somewhere.example")
        file: File[Any] = super().open(name, mode)
        is_cut, is_flipped = self._fails("truncate"), self._fails("flip")
        if not is_cut and not is_flipped:
            return file
        with file:
            content = bytearray(file.read())
        if is_cut:
            content.pop()
        else:
            content[len(content) // 2] ^= 1
        return ContentFile(bytes(content))

    def delete(self, name: str) -> None:
        if self._fails("delete"):
            raise PermissionError("403 from somewhere.example")
        super().delete(name)


@contextmanager
def archive_in(directory: Path, *, fault: str = "", patience: int = 0) -> Iterator[None]:
    """Within the block the archive is this directory, and fails if it is told to."""
    entry = {"BACKEND": "tests.telemetry.archives.FailingArchive", "OPTIONS": {"location": str(directory)}}
    FailingArchive.fault, FailingArchive.patience = fault, patience
    with override_settings(STORAGES={**storages.backends, "archive": entry}):
        yield
    FailingArchive.fault, FailingArchive.patience = "", 0


@contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """Within the block the kernel lets this process write no file beyond so many bytes, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def store_events(
    installation: Installation,
    count: int = 3,
    *,
    name: str = STEP,
    version: int = 1,
    received_at: datetime = NOW,
    properties: bytes = b'{"step":"build","durationMs":1.5}',
    context: bytes = b'{"channel":"web"}',
    retention_class: int = RetentionClass.MONTH,
    expires_at: datetime | None = None,
    privacy: PrivacyLevel = PrivacyLevel.INTERNAL,
) -> list[UUID]:
    """So many events of one kind are in the store; their ids."""
    ids = [uuid4() for _ in range(count)]
    group = EventGroup(
        name=name,
        version=version,
        expires_at=expires_at or received_at + timedelta(days=30),
        retention_class=retention_class,
        privacy=privacy,
        source=EventSource.BATCH,
        app_version="2.4.0",
        inclusion_probability=0.25,
        config_revision=7,
        rows=[(each.bytes, received_at, properties, context) for each in ids],
    )
    with tenant_context([installation.tenant_id]):
        EVENT_STORE.write(
            tenant_id=installation.tenant_id,
            installation_id=installation.pk,
            received_at=received_at,
            groups=[group],
        )
    return ids


def selection_of(installation: Installation, **fields: Any) -> RowSelection:
    """Everything that came today into the class of a month."""
    start = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    return RowSelection(installation.pk, RetentionClass.MONTH, start, start + timedelta(days=1))._replace(**fields)


def archive_all(installation: Installation, **fields: Any) -> list[ArchiveFile]:
    """Everything that came today is archived; the files."""
    run = f"test {uuid4().hex[:8]}"

    def settled(removed: Sequence[Removed]) -> None:
        assert removed

    selection = selection_of(installation, **fields)
    while archive_next(
        installation=installation, selection=selection, starts_on=selection.start.date(), run=run, settled=settled
    ):
        pass
    with tenant_context(ALL):
        files = ArchiveFile.objects.filter(installation=installation, run=run)
        return list(files.select_related("installation__tenant", "installation__app").order_by("id"))


def stored_ids(installation: Installation) -> set[UUID]:
    """The ids of all events of the installation that are in the store, each of them once."""
    with tenant_context(ALL):
        ids = list(StoredEvent.with_expired.filter(installation=installation).values_list("id", flat=True))
    assert len(ids) == len(set(ids)), "an event is stored twice"
    return set(ids)


def archived_counts(installation: Installation) -> dict[str, int]:
    """What the balance knows of removed events of the installation."""
    with tenant_context(ALL):
        rows = list(EventRemoval.objects.filter(installation=installation).values("purged", "archived", "erased"))
    return {name: sum(row[name] for row in rows) for name in ("purged", "archived", "erased")}
