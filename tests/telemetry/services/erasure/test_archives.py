"""A person is taken out of archived files too, and what is left of them verifies like any other file."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from telemetry.models import ArchiveFile, ArchiveState, ErasureState
from telemetry.services.access.collecting import collect
from telemetry.services.access.requests import request_access
from telemetry.services.archiving.files import file_problems
from telemetry.services.erasure import archives
from telemetry.services.holds import lift_hold, place_hold
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.services.tenants import renew_pseudonym_key
from tests.telemetry.archives import FailingArchive, archive_all, archive_in, archived_counts, files_up_to
from tests.telemetry.factories import ingest
from tests.telemetry.services.erasure.person import (
    PERSON,
    about,
    confirm,
    enter,
    finish,
    make_shop,
    prepare,
    pseudonyms_of,
    stored,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Path]:
    with archive_in(tmp_path / "archive"):
        yield tmp_path / "archive"


@pytest.fixture
def shop(archive: Path) -> Installation:
    """Two files: three events of the person under two keys, and two of somebody else; and one more event is stored."""
    prepare()
    found = make_shop("acme")
    ingest(found, about(), about("somebody else"), about(None, properties={"orderId": "o", "note": f"to {PERSON}."}))
    archive_all(found)
    with tenant_context(ALL):
        renew_pseudonym_key(actor=SYSTEM, tenant=found.tenant)
    ingest(found, about(), about("somebody else"))
    archive_all(found)
    ingest(found, about())
    return found


def kept() -> list[ArchiveFile]:
    with tenant_context(ALL):
        files = ArchiveFile.objects.filter(state=ArchiveState.KEPT).select_related("installation__tenant")
        return list(files.order_by("id"))


def words_in(directory: Path) -> str:
    """All that lies in the archive, whatever its name; but for the log of erasures, which keeps the person away."""
    found = []
    for path in directory.rglob("*"):
        if "erasures" in path.parts:
            continue
        if path.suffix == ".parquet":
            found += [str(row) for row in duckdb.execute(f"SELECT * FROM '{path}'").fetchall()]  # noqa: S608
        elif path.is_file():
            found.append(path.read_text())
    return "\n".join(found)


def test_nothing_of_the_person_is_left_in_the_archives_files(shop: Installation, archive: Path) -> None:
    names = [PERSON, *pseudonyms_of(shop.tenant)]
    before = words_in(archive)
    assert [name for name in names if name not in before] == []

    [request] = enter(shop.tenant)
    assert request.found == [
        ["archive", shop.pk, "shop.order", 3],
        ["store", shop.pk, "shop.order", 1],
        ["tallies", shop.pk, "shop.order", 3],
    ]
    confirm(request)
    finish(request)

    assert request.state == ErasureState.DONE
    assert (request.erased, request.left) == (request.found, [])
    after = words_in(archive)
    assert [name for name in names if name in after] == []
    assert [(file.rows, file_problems(file, shop)) for file in kept()] == [(1, []), (1, [])]
    assert stored() == 0
    assert archived_counts(shop) == {**archived_counts(shop), "archived": 2, "erased": 4}


def test_a_file_of_the_person_alone_is_gone(archive: Path) -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    archive_all(shop)

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert (request.state, kept(), list(archive.rglob("*.parquet"))) == (ErasureState.DONE, [], [])


def test_a_hold_keeps_archived_events_until_it_is_lifted(shop: Installation, archive: Path) -> None:
    [request] = enter(shop.tenant)
    confirm(request)
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12", subject=PERSON)
    finish(request)
    assert request.state == ErasureState.HELD
    assert [file.rows for file in kept()] == [3, 2]

    with tenant_context(ALL):
        lift_hold(actor=SYSTEM, hold=hold, because="Settled")
    finish(request, after=timedelta(minutes=10))
    assert request.state == ErasureState.DONE
    assert [file.rows for file in kept()] == [1, 1]


def test_a_worker_that_dies_after_a_file_was_swapped_counts_it_once(
    shop: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    [request] = enter(shop.tenant)
    confirm(request)

    def die() -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archives, "remove_leftovers", die)
        with pytest.raises(KeyboardInterrupt):
            finish(request)

    finish(request, after=timedelta(minutes=10))
    assert (request.state, request.erased) == (ErasureState.DONE, request.found)


def test_a_storage_that_fails_is_waited_for(shop: Installation, archive: Path) -> None:
    [request] = enter(shop.tenant)
    confirm(request)
    with archive_in(archive, fault="save"):
        finish(request)
        assert request.state == ErasureState.ERASING
        assert request.trouble
    assert FailingArchive.fault == ""
    with archive_in(archive):
        finish(request, after=timedelta(minutes=10))

    assert (request.state, request.erased) == (ErasureState.DONE, request.found)


def test_a_disk_that_is_full_is_waited_for_and_no_file_is_lost(shop: Installation, archive: Path) -> None:
    [request] = enter(shop.tenant)
    confirm(request)
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}

    # Room for the log of erasures, not for a file of the archive.
    with files_up_to(2_500):
        finish(request)

    assert (request.state, request.trouble) == (
        ErasureState.ERASING,
        "the archive's storage cannot be read (OSError)",
    )
    assert {path: content for path in before if (content := path.read_bytes()) != before[path]} == {}
    finish(request, after=timedelta(minutes=10))
    assert (request.state, request.erased, request.left) == (ErasureState.DONE, request.found, [])


def test_an_export_holds_what_is_archived(shop: Installation) -> None:
    with tenant_context(ALL):
        [export] = request_access(actor=SYSTEM, subjects=[PERSON], tenants=[shop.tenant])

    while collect(export.pk):
        pass

    with tenant_context(ALL):
        export.refresh_from_db()
    assert (export.state, export.events) == ("ready", 4)


def test_a_file_that_was_damaged_is_told_of_and_never_taken_for_clean(shop: Installation, archive: Path) -> None:
    [request] = enter(shop.tenant)
    confirm(request)
    path = next(iter(archive.rglob("*.parquet")))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))

    finish(request)

    assert request.state == ErasureState.ERASING
    assert request.trouble
