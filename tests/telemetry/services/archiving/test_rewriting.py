"""A file is written anew: changed events stay, others do not, and one of the two files always counts."""

from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from telemetry.core.errors import ArchiveFailed, Conflict
from telemetry.models import ArchiveFile
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.archiving.files import file_problems
from telemetry.services.archiving.restoring import restore_file
from telemetry.services.archiving.rewriting import ArchivedRow, Change, Rewritten, count_changes, rewrite_file
from telemetry.stores.removals import Removed, count_unarchived
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.archives import STEP, archive_all, archive_in, archived_counts, store_events, stored_ids

pytestmark = pytest.mark.django_db


def masked(row: ArchivedRow) -> ArchivedRow:
    if row.properties.get("step") == "REDACTED":
        return row
    return row._replace(properties={**row.properties, "step": "REDACTED"})


def without(gone: UUID) -> Change:
    return lambda row: None if row.id == gone else row


def nothing_else(done: Rewritten, removed: tuple[Removed, ...]) -> None:
    assert removed == ()


def counts_erased(done: Rewritten, removed: tuple[Removed, ...]) -> None:
    count_unarchived(removed, "erased")


def kept() -> list[ArchiveFile]:
    with tenant_context(ALL):
        return list(ArchiveFile.objects.filter(state="kept").select_related("installation__tenant").order_by("id"))


def steps(archive: Path, file: ArchiveFile) -> list[str]:
    (path,) = archive.rglob(f"{file.public_id.hex}.parquet")
    return [step for (step,) in duckdb.execute(f"SELECT properties->>'$.step' FROM '{path}'").fetchall()]  # noqa: S608


def test_changed_events_are_in_a_new_file_that_is_verified_like_any_other(
    installation: Installation, archive: Path
) -> None:
    store_events(installation, 3, properties=b'{"step":"build","text":"\\u00e4, \\"q\\"\\n","none":null}')
    store_events(installation, 2, properties=b'{"step":"REDACTED"}')
    (old,) = archive_all(installation)

    done = rewrite_file(file=old, change=masked, run="rescrub 1", swapped=nothing_else)

    (new,) = kept()
    assert done.changed == {(STEP, 1): 3}
    assert done.removed == {}
    assert new.pk != old.pk
    assert steps(archive, new) == ["REDACTED"] * 5
    assert file_problems(new, installation) == []
    assert (new.rows, new.expires_at, new.starts_on, new.run) == (5, old.expires_at, old.starts_on, "rescrub 1")
    assert archived_counts(installation)["archived"] == 5
    assert remove_leftovers() == 1
    assert len(list(archive.rglob("*.parquet"))) == 1


def test_a_second_time_changes_nothing(installation: Installation, archive: Path) -> None:
    store_events(installation, 3)
    (old,) = archive_all(installation)
    rewrite_file(file=old, change=masked, run="rescrub 1", swapped=nothing_else)
    (new,) = kept()

    assert count_changes(file=new, change=masked).is_nothing
    assert rewrite_file(file=new, change=masked, run="rescrub 2", swapped=nothing_else).is_nothing

    assert [each.pk for each in kept()] == [new.pk]


def test_a_preview_counts_what_would_change(installation: Installation, archive: Path) -> None:
    store_events(installation, 3)
    store_events(installation, 2, name="other")
    (file,) = archive_all(installation)

    found = count_changes(file=file, change=masked)

    assert found.changed == {(STEP, 1): 3, ("other", 1): 2}
    assert steps(archive, file) == ["build"] * 5


def test_events_can_be_left_out(installation: Installation, archive: Path) -> None:
    gone, *_ = store_events(installation, 3)
    (old,) = archive_all(installation)

    done = rewrite_file(file=old, change=without(gone), run="erasure 1", swapped=counts_erased)

    (new,) = kept()
    assert done.removed == {(STEP, 1): 1}
    assert new.rows == 2
    assert archived_counts(installation) == {"purged": 0, "archived": 2, "erased": 1}
    assert file_problems(new, installation) == []


def test_a_file_of_which_nothing_is_left_is_gone(installation: Installation, archive: Path) -> None:
    store_events(installation, 2)
    (old,) = archive_all(installation)

    rewrite_file(file=old, change=lambda _: None, run="erasure 1", swapped=counts_erased)

    assert kept() == []
    assert archived_counts(installation) == {"purged": 0, "archived": 0, "erased": 2}
    remove_leftovers()
    assert [each for each in archive.rglob("*") if each.is_file()] == []


def test_a_restored_file_is_not_rewritten(installation: Installation, archive: Path) -> None:
    store_events(installation, 2)
    (file,) = archive_all(installation)
    restore_file(actor=SYSTEM, file=file, days=7)

    with pytest.raises(Conflict):
        rewrite_file(file=file, change=masked, run="rescrub 1", swapped=nothing_else)

    assert len(stored_ids(installation)) == 2
    assert kept() == []


@pytest.mark.parametrize("fault", ["save", "truncate", "flip"])
def test_the_old_file_stays_when_the_new_one_cannot_be_kept(
    installation: Installation, tmp_path: Path, fault: str
) -> None:
    with archive_in(tmp_path / "archive"):
        store_events(installation, 2)
        (old,) = archive_all(installation)

    with archive_in(tmp_path / "archive", fault=fault), pytest.raises(ArchiveFailed):
        rewrite_file(file=old, change=masked, run="rescrub 1", swapped=nothing_else)

    with archive_in(tmp_path / "archive"):
        assert [each.pk for each in kept()] == [old.pk]
        assert file_problems(old, installation) == []
