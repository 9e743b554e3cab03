"""Archiving: nothing is removed from the store that is not in a verified file, and nothing is in both or in neither."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.files.base import ContentFile

from telemetry.core.errors import ArchiveFailed
from telemetry.models import ArchiveFile, ArchiveState, Receipt
from telemetry.services.archiving import writing
from telemetry.services.archiving.files import file_problems
from telemetry.services.holds import place_hold
from telemetry.stores.archive.local import LocalArchive
from telemetry.stores.base import RemovedRows, RowSelection
from telemetry.stores.postgres import PostgresEventStore
from telemetry.stores.removals import Removed
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.archives import (
    NOW,
    STEP,
    archive_all,
    archive_in,
    archived_counts,
    files_up_to,
    selection_of,
    store_events,
    stored_ids,
)
from tests.telemetry.factories import make_installation

pytestmark = pytest.mark.django_db


def files_in(directory: Path) -> list[str]:
    return sorted(str(each.relative_to(directory)) for each in directory.rglob("*") if each.is_file())


def states() -> list[str]:
    with tenant_context(ALL):
        return list(ArchiveFile.objects.order_by("id").values_list("state", flat=True))


def receipts() -> list[Receipt]:
    with tenant_context(ALL):
        return list(Receipt.objects.order_by("sequence"))


def test_archived_events_are_in_one_file_and_no_longer_in_the_store(installation: Installation, archive: Path) -> None:
    ids = store_events(installation, 3)

    (file,) = archive_all(installation)

    assert stored_ids(installation) == set()
    place = f"events/{installation.tenant_id}/{installation.public_id.hex}/30/{NOW.date()}/{file.public_id.hex}"
    assert files_in(archive) == [f"{place}.json", f"{place}.parquet"]
    rows = duckdb.execute(f"SELECT id, name, properties->>'$.step' FROM '{archive / place}.parquet'").fetchall()  # noqa: S608
    assert {row[0] for row in rows} == set(ids)
    assert {row[1:] for row in rows} == {(STEP, "build")}
    assert (file.state, file.rows, file.expires_at) == ("kept", 3, NOW + timedelta(days=30 + 730))
    assert archived_counts(installation) == {"purged": 0, "archived": 3, "erased": 0}
    assert file_problems(file, installation) == []


def test_the_manifest_says_what_is_in_the_file(installation: Installation, archive: Path) -> None:
    store_events(installation, 2)
    store_events(installation, 1, name="other", version=4)

    (file,) = archive_all(installation)

    (path,) = archive.rglob("*.json")
    manifest = json.loads(path.read_text())
    assert manifest["schemaVersion"] == 1
    assert (manifest["file"], manifest["installation"]) == (str(file.public_id), str(installation.public_id))
    assert (manifest["rows"], manifest["rowDigest"], manifest["sha256"]) == (3, file.row_digest, file.sha256)
    assert manifest["events"] == [
        {"name": "other", "version": 4, "day": str(NOW.date()), "rows": 1},
        {"name": STEP, "version": 1, "day": str(NOW.date()), "rows": 2},
    ]
    assert manifest["configRevisions"] == [7]


def test_a_receipt_tells_what_was_archived_and_names_nobody(installation: Installation, archive: Path) -> None:
    store_events(installation, 2)

    (file,) = archive_all(installation)

    (receipt,) = receipts()
    assert receipt.kind == "archive"
    assert receipt.facts["file"] == str(file.public_id)
    assert (receipt.facts["rows"], receipt.facts["row_digest"]) == (2, file.row_digest)
    assert receipt.facts["sha256"] == file.sha256


def test_many_rows_become_several_files(
    installation: Installation, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_ROWS", 4)
    ids = [
        each
        for second in range(5)
        for each in store_events(installation, 2, received_at=NOW.replace(microsecond=second))
    ]

    files = archive_all(installation)

    assert len(ids) == sum(file.rows for file in files) == 10
    assert max(file.rows for file in files) <= 4 + 2
    assert stored_ids(installation) == set()
    assert archived_counts(installation)["archived"] == 10


def test_other_rows_stay_where_they_are(installation: Installation, archive: Path) -> None:
    neighbour = make_installation("globex")
    theirs = store_events(neighbour, 2)
    longer = store_events(installation, 1, expires_at=NOW + timedelta(days=90))
    other = store_events(installation, 1, name="other")
    store_events(installation, 2)

    (file,) = archive_all(installation, events=((STEP, 1),), expires_by=NOW + timedelta(days=30))

    assert file.rows == 2
    assert stored_ids(installation) == {*longer, *other}
    assert stored_ids(neighbour) == set(theirs)


def test_what_a_legal_hold_keeps_is_not_archived(installation: Installation, archive: Path) -> None:
    held = store_events(installation, 2, name="other")
    store_events(installation, 1)
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=installation.tenant, reason="case 7", event_name="other")

    (file,) = archive_all(installation)

    assert file.rows == 1
    assert stored_ids(installation) == set(held)


def test_nothing_to_archive_is_nothing(installation: Installation, archive: Path) -> None:
    assert archive_all(installation) == []

    assert not archive.exists()
    assert states() == []


@pytest.mark.parametrize(
    ("fault", "patience"),
    [
        ("save", 0),  # the file, under its unfinished name
        ("save", 1),  # the file, under its own
        ("save", 2),  # the manifest
        ("open", 0),  # reading back what was written first
        ("open", 1),  # reading back the file
        ("open", 2),  # reading back the manifest
        *((fault, patience) for fault in ("truncate", "flip") for patience in range(3)),
    ],
)
def test_a_storage_that_fails_stops_everything_with_nothing_removed(
    installation: Installation, tmp_path: Path, fault: str, patience: int
) -> None:
    ids = store_events(installation, 3)

    with archive_in(tmp_path / "archive", fault=fault, patience=patience), pytest.raises(ArchiveFailed) as failure:
        archive_all(installation)

    assert "somewhere.example" not in failure.value.message
    assert stored_ids(installation) == set(ids)
    assert states() == ["writing"]
    assert receipts() == []
    assert archived_counts(installation) == {"purged": 0, "archived": 0, "erased": 0}

    with archive_in(tmp_path / "archive"):
        (file,) = archive_all(installation)
        assert file_problems(file, installation) == []
    assert stored_ids(installation) == set()


# What archiving writes of 200 events, in bytes: lines of some 60,000, a file of some 15,000, and a manifest.
@pytest.mark.parametrize("room_bytes", [0, 1_000, 40_000])
def test_a_full_disk_stops_everything_with_nothing_removed_and_no_half_file_left(
    installation: Installation, archive: Path, room_bytes: int
) -> None:
    ids = store_events(installation, 200)

    with files_up_to(room_bytes), pytest.raises(ArchiveFailed):
        archive_all(installation)

    assert stored_ids(installation) == set(ids)
    assert not archive.exists()
    assert receipts() == []
    archive_all(installation)
    assert stored_ids(installation) == set()


def test_a_full_disk_of_the_archive_alone_leaves_no_half_file(archive: Path) -> None:
    storage = LocalArchive(archive)
    storage.save("kept.bin", ContentFile(b"x" * 500))

    with files_up_to(1_000), pytest.raises(OSError, match="File too large"):
        storage.save("large.bin", ContentFile(b"x" * 5_000))

    assert files_in(archive) == ["kept.bin"]


def test_events_that_change_meanwhile_are_not_removed(
    installation: Installation, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = store_events(installation, 2)
    real = writing.write_file

    def late(**fields: Any) -> ArchiveFile:
        file = real(**fields)
        ids.extend(store_events(installation, 1))
        return file

    monkeypatch.setattr(writing, "write_file", late)
    with pytest.raises(ArchiveFailed, match="changed while"):
        archive_all(installation)

    assert len(stored_ids(installation)) == 3
    assert receipts() == []


def test_a_file_that_was_verified_before_a_crash_is_not_written_again(
    installation: Installation, archive: Path
) -> None:
    store_events(installation, 2)

    def killed(removed: Sequence[Removed]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.archive_next(
            installation=installation,
            selection=selection_of(installation),
            starts_on=NOW.date(),
            run="killed",
            settled=killed,
        )
    assert states() == ["verified"]
    before = files_in(archive)

    assert archive_all(installation) == []  # no file of the second run

    assert states() == ["kept"]
    assert files_in(archive) == before
    assert stored_ids(installation) == set()
    assert archived_counts(installation)["archived"] == 2


def test_a_verified_file_that_was_damaged_since_is_written_again(
    installation: Installation, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_events(installation, 2)
    monkeypatch.setattr(writing, "EVENT_STORE", _Interrupted())
    with pytest.raises(KeyboardInterrupt):
        archive_all(installation)
    monkeypatch.undo()
    (path,) = archive.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1])

    (file,) = archive_all(installation)

    assert states() == ["verified", "kept"]
    assert file_problems(file, installation) == []


class _Interrupted(PostgresEventStore):
    def remove(self, selection: RowSelection) -> RemovedRows:
        raise KeyboardInterrupt


def test_another_tenant_sees_nothing_of_the_file(installation: Installation, archive: Path) -> None:
    store_events(installation, 1)
    archive_all(installation)
    stranger = make_installation("globex")

    with tenant_context([stranger.tenant_id]):
        assert list(ArchiveFile.objects.all()) == []
    with tenant_context([installation.tenant_id]):
        assert ArchiveFile.objects.get().state == ArchiveState.KEPT
