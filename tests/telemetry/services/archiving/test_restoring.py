"""Restoring: archived events are in the store again, once, until they end anew."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from telemetry.core.errors import ArchiveFailed, Conflict, InvalidDocument, NotAllowed
from telemetry.core.retention import RetentionClass
from telemetry.models import ArchiveFile, ArchiveState, StoredEvent
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.archiving.restoring import class_of, restore_file
from telemetry.stores.base import EventWindow
from telemetry.stores.chosen import EVENT_STORE
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.telemetry.archives import NOW, archive_all, archived_counts, selection_of, store_events, stored_ids
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db


def archived(installation: Installation, count: int = 3) -> ArchiveFile:
    store_events(installation, count)
    (file,) = archive_all(installation)
    return file


def test_restored_events_are_what_they_were_until_they_end_anew(installation: Installation, archive: Path) -> None:
    ids = store_events(installation, 2, properties=b'{"text": "\\u00e4 \\"q\\"", "list": [1, null]}')
    window = EventWindow(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    with tenant_context([installation.tenant_id]):
        before = EVENT_STORE.read(installation.pk, window)
    (file,) = archive_all(installation)

    restored = restore_file(actor=SYSTEM, file=file, days=7)

    with tenant_context([installation.tenant_id]):
        after = EVENT_STORE.read(installation.pk, window)
    assert restored == 2
    assert stored_ids(installation) == set(ids)
    ends = {row.expires_at for row in after}
    assert len(ends) == 1
    assert abs(ends.pop() - (timezone.now() + timedelta(days=7))) < timedelta(minutes=5)
    unchanged = [row._replace(expires_at=NOW, retention_class=0) for row in after]
    assert sorted(unchanged) == sorted(row._replace(expires_at=NOW, retention_class=0) for row in before)


def test_a_file_is_restored_once_and_then_gone(installation: Installation, archive: Path) -> None:
    file = archived(installation)
    restore_file(actor=SYSTEM, file=file, days=7)

    with pytest.raises(Conflict):
        restore_file(actor=SYSTEM, file=file, days=7)

    assert len(stored_ids(installation)) == 3
    assert archived_counts(installation) == {"purged": 0, "archived": 0, "erased": 0}
    assert remove_leftovers() == 1
    assert [each for each in archive.rglob("*") if each.is_file()] == []
    assert remove_leftovers() == 0


def test_what_is_there_already_does_not_come_a_second_time(installation: Installation, archive: Path) -> None:
    file = archived(installation)
    with tenant_context(ALL):
        ArchiveFile.objects.filter(pk=file.pk).update(state=ArchiveState.KEPT)
    restore_file(actor=SYSTEM, file=file, days=7)
    with tenant_context(ALL):
        ArchiveFile.objects.filter(pk=file.pk).update(state=ArchiveState.KEPT)

    # The balance refuses to count them back a second time; whatever it says, no event is there twice.
    with pytest.raises(Exception, match="archived"):
        restore_file(actor=SYSTEM, file=file, days=7)

    assert len(stored_ids(installation)) == 3


def test_restored_events_can_be_archived_again(installation: Installation, archive: Path) -> None:
    file = archived(installation)
    restore_file(actor=SYSTEM, file=file, days=20)
    with tenant_context(ALL):
        (held_in,) = set(StoredEvent.objects.values_list("retention_class", flat=True))

    (again,) = archive_all(installation, **selection_of(installation, retention_class=held_in)._asdict())

    assert again.rows == 3
    assert stored_ids(installation) == set()
    assert archived_counts(installation)["archived"] == 3


def test_events_of_years_ago_have_a_place_again(installation: Installation, archive: Path) -> None:
    file = archived(installation, 1)
    long_ago = datetime(2019, 3, 9, 12, tzinfo=UTC)

    chosen = class_of(long_ago, timezone.now() + timedelta(days=7))

    assert chosen is RetentionClass.CENTURY
    assert class_of(NOW, NOW + timedelta(days=6)) is RetentionClass.WEEK
    assert class_of(NOW, NOW + timedelta(days=7)) is RetentionClass.MONTH
    with tenant_context(ALL):
        from telemetry.services.archiving.restoring import _make_room

        _make_room({long_ago.date()}, timezone.now() + timedelta(days=7))
        store_events(installation, 1, received_at=long_ago, retention_class=chosen, expires_at=NOW + timedelta(days=7))
    assert len(stored_ids(installation)) == 1
    assert file.rows == 1


def test_a_damaged_file_restores_nothing(installation: Installation, archive: Path) -> None:
    file = archived(installation)
    (path,) = archive.rglob("*.parquet")
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))

    with pytest.raises(ArchiveFailed, match="damaged"):
        restore_file(actor=SYSTEM, file=file, days=7)

    assert stored_ids(installation) == set()
    with tenant_context(ALL):
        assert ArchiveFile.objects.get().state == ArchiveState.KEPT


@pytest.mark.parametrize("days", [0, -1, 366, 10**9])
def test_days_are_between_one_and_a_year(installation: Installation, archive: Path, days: int) -> None:
    file = archived(installation, 1)

    with pytest.raises(InvalidDocument, match="days: must be a whole number from 1 to 365"):
        restore_file(actor=SYSTEM, file=file, days=days)


def test_only_who_protects_personal_data_may_restore(installation: Installation, archive: Path) -> None:
    file = archived(installation, 1)

    for role in (Role.VIEWER, Role.ANALYST, Role.PUBLISHER):
        with pytest.raises(NotAllowed):
            restore_file(actor=make_actor(role), file=file, days=7)
    assert restore_file(actor=make_actor(Role.PRIVACY_OFFICER), file=file, days=7) == 1

    with tenant_context(ALL):
        entry = AuditEntry.objects.get(action="archive.restored")
    assert entry.details["rows"] == 1
    assert entry.tenant_id == installation.tenant_id
