"""Jobs about refused events and what was wrong with them; each may run twice."""

from pathlib import Path

import pytest

from telemetry.models import ArchiveFile, HeldEvent, RescrubRun
from telemetry.services.rescrubbing.runs import ask_for_count
from telemetry.tasks import (
    expire_archive,
    forget_what_is_mended,
    notice_what_is_stored_openly,
    purge_quarantine,
    rescrub,
)
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.telemetry.archives import STEP, archive_all, archive_in, store_events
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import held, make_holding_spec

pytestmark = pytest.mark.django_db


def test_held_events_past_their_days_go_once() -> None:
    make_published(make_holding_spec())
    ingest(make_installation(), make_incoming(name="unknown"), make_incoming(properties={}))
    with tenant_context(ALL):
        HeldEvent.objects.filter(event_name="unknown").update(expires_at=held()[0].received_at)

    purge_quarantine()
    after = everything_stored()
    purge_quarantine()

    assert everything_stored() == after
    assert len(held()) == 1


def test_what_was_seen_lately_is_not_forgotten() -> None:
    make_published()
    ingest(make_installation(), make_incoming(properties={"extra": "alice@example.com"}))
    before = everything_stored()

    forget_what_is_mended()

    assert everything_stored() == before


def test_archived_files_past_their_time_go_once(tmp_path: Path) -> None:
    installation = make_installation()
    with archive_in(tmp_path / "archive"):
        store_events(installation, 2)
        (file,) = archive_all(installation)
        with tenant_context(ALL):
            ArchiveFile.objects.update(expires_at=file.created_at)

        expire_archive()
        after = everything_stored()
        expire_archive()

        assert everything_stored() == after
        assert [each for each in (tmp_path / "archive").rglob("*") if each.is_file()] == []


def test_what_is_stored_openly_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published()
    installation = make_installation()
    store_events(installation, 2, properties=b'{"userId":"ada"}')
    with tenant_context(ALL):
        ask_for_count(actor=SYSTEM, installation=installation)
    monkeypatch.setattr(rescrub, "apply_async", rescrub)

    rescrub()
    notice_what_is_stored_openly()
    after = everything_stored()
    rescrub()
    notice_what_is_stored_openly()

    assert everything_stored() == after
    with tenant_context(ALL):
        assert RescrubRun.objects.get().found == {"store": {f"{STEP}@1": 2}}
