"""Archived files go when their time is over, unless somebody may still need what is in them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import ArchiveFile, Receipt
from telemetry.services.archiving import writing
from telemetry.services.archiving.expiring import expire_files, remove_leftovers
from telemetry.services.holds import lift_hold, place_hold
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.archives import NOW, archive_all, archive_in, archived_counts, store_events

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=30 + 731)


def states() -> list[str]:
    with tenant_context(ALL):
        return list(ArchiveFile.objects.order_by("id").values_list("state", flat=True))


def kinds() -> list[str]:
    with tenant_context(ALL):
        return list(Receipt.objects.order_by("sequence").values_list("kind", flat=True))


@pytest.fixture
def file(installation: Installation, archive: Path) -> ArchiveFile:
    store_events(installation, 3)
    (file,) = archive_all(installation)
    return file


def test_a_file_goes_at_its_time_and_not_before(installation: Installation, archive: Path, file: ArchiveFile) -> None:
    assert expire_files(now=NOW + timedelta(days=30 + 729)) == 0

    assert expire_files(now=LATER) == 1
    assert expire_files(now=LATER) == 0

    assert states() == ["expired"]
    assert kinds() == ["archive", "archive_expired"]
    assert archived_counts(installation) == {"purged": 3, "archived": 0, "erased": 0}
    assert remove_leftovers() == 1
    assert [each for each in archive.rglob("*") if each.is_file()] == []


def test_how_long_is_for_the_operator_to_say(installation: Installation, archive: Path, settings: Settings) -> None:
    settings.STUDIO_ARCHIVE_DAYS = 5
    store_events(installation, 1)
    archive_all(installation)

    assert expire_files(now=NOW + timedelta(days=34)) == 0
    assert expire_files(now=NOW + timedelta(days=36)) == 1


@pytest.mark.parametrize("narrowed", [{}, {"event_name": "sigil.telemetry.workflow_step"}, {"starts_at": NOW}])
def test_a_legal_hold_keeps_it(
    installation: Installation, archive: Path, file: ArchiveFile, narrowed: dict[str, Any]
) -> None:
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="case 7", **narrowed)

    assert expire_files(now=LATER) == 0
    assert states() == ["kept"]

    with tenant_context(ALL):
        lift_hold(actor=SYSTEM, hold=hold, because="settled")
    assert expire_files(now=LATER) == 1


@pytest.mark.parametrize(
    "narrowed", [{"event_name": "other"}, {"subject": "somebody"}, {"ends_at": NOW - timedelta(hours=1)}]
)
def test_a_hold_on_something_else_keeps_nothing(
    installation: Installation, archive: Path, file: ArchiveFile, narrowed: dict[str, Any]
) -> None:
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=installation.tenant, reason="case 7", **narrowed)

    assert expire_files(now=LATER) == 1


def test_a_file_that_nobody_can_read_stays_while_a_hold_may_concern_it(
    installation: Installation, archive: Path, file: ArchiveFile
) -> None:
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=installation.tenant, reason="case 7", subject="somebody")
    (path,) = archive.rglob("*.parquet")
    path.unlink()

    assert expire_files(now=LATER) == 0


def test_a_storage_that_does_not_delete_is_asked_again(installation: Installation, tmp_path: Path) -> None:
    with archive_in(tmp_path / "archive"):
        store_events(installation, 1)
        archive_all(installation)
        expire_files(now=LATER)

    with archive_in(tmp_path / "archive", fault="delete"):
        assert remove_leftovers() == 0
    with archive_in(tmp_path / "archive"):
        assert remove_leftovers() == 1


def test_what_was_never_finished_is_gone_after_an_hour(
    installation: Installation, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_events(installation, 1)
    monkeypatch.setattr(writing, "_verified", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        archive_all(installation)
    (archive / "unfinished").mkdir(exist_ok=True)
    (archive / "unfinished" / f"{'0' * 32}.parquet").write_bytes(b"half")

    assert remove_leftovers() == 0
    assert states() == ["writing"]
    assert len(list(archive.rglob("*.parquet"))) == 1

    assert remove_leftovers(now=timezone.now() + timedelta(hours=2)) == 1
    assert states() == ["discarded"]
    assert [each for each in archive.rglob("*") if each.is_file()] == []


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
