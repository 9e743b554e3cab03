"""Hiding after the fact: counted exactly, done on a person's word, everywhere, once, and proved."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from django.utils import timezone

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, NotAllowed
from telemetry.core.spec import TelemetrySpec
from telemetry.models import ArchiveFile, Receipt, RescrubRun, SpecRecord, StoredEvent
from telemetry.services.archiving.restoring import restore_file
from telemetry.services.holds import place_hold
from telemetry.services.publishing import publish_version
from telemetry.services.quarantine.sealed import open_envelope
from telemetry.services.rescrubbing import places, working
from telemetry.services.rescrubbing.runs import ask_for_count, cancel_run, start_run
from telemetry.services.rescrubbing.watching import notice_stricter_configs
from telemetry.services.rescrubbing.working import carry_on_runs, due_runs, work_on
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.archives import archive_all, archive_in, store_events
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import STEP, held, make_holding_spec
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db

NAME = "step"
OPEN = b'{"note":"ada@example.com","size":3}'


def spec(**email: Any) -> TelemetrySpec:
    properties = {"note": make_property(**email), "size": make_property("number")}
    other = {"note": make_property()}
    return make_spec(make_event(NAME, properties=properties), make_event("other", properties=other))


@pytest.fixture
def installation(archive: Path) -> Installation:
    """Its config lets ``note`` through."""
    make_published(spec())
    return make_installation()


def tighten(**email: Any) -> None:
    """A new version of the spec is in force, in which ``note`` is personal."""
    with tenant_context(ALL):
        changed = make_event(NAME, properties={"note": make_property(**email), "size": make_property("number")})
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=changed)
        record = SpecRecord.objects.get(name="sigil.telemetry")
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Email is personal"
        )


def work() -> None:
    """Workers have done all that can be done now."""
    for _ in range(200):
        if not carry_on_runs():
            return
    raise AssertionError("a run does not end")


def counted(installation: Installation) -> RescrubRun:
    with tenant_context(ALL):
        ask_for_count(actor=SYSTEM, installation=installation)
    work()
    return latest()


def latest() -> RescrubRun:
    with tenant_context(ALL):
        return RescrubRun.objects.select_related("installation__tenant").latest("id")


def done(installation: Installation) -> RescrubRun:
    run = counted(installation)
    with tenant_context(ALL):
        start_run(actor=SYSTEM, run=run)
    work()
    return latest()


def emails(installation: Installation) -> list[str]:
    with tenant_context(ALL):
        rows = StoredEvent.with_expired.filter(installation=installation).values_list("properties", flat=True)
        return sorted(str(row.get("note")) for row in rows)


def test_a_count_is_exact_and_changes_nothing(installation: Installation, archive: Path) -> None:
    store_events(installation, 4, name=NAME, properties=OPEN)
    archive_all(installation)
    store_events(installation, 3, name=NAME, properties=OPEN)
    store_events(installation, 1, name=NAME, properties=b'{"note":"REDACTED"}')
    store_events(installation, 2, name="other", properties=OPEN)
    tighten(pii=True)

    run = counted(installation)

    assert run.state == "ready"
    assert run.found == {"store": {"step@1": 3}, "archive": {"step@1": 4}}
    assert emails(installation) == ["REDACTED", *["ada@example.com"] * 5]


def test_on_a_persons_word_everything_is_hidden_and_a_receipt_says_so(
    installation: Installation, archive: Path
) -> None:
    store_events(installation, 4, name=NAME, properties=OPEN)
    (old,) = archive_all(installation)
    store_events(installation, 3, name=NAME, properties=OPEN)
    tighten(redaction=make_redaction("hash"))

    run = done(installation)

    assert run.state == "done"
    assert run.changed == run.found == {"store": {"step@1": 3}, "archive": {"step@1": 4}}
    assert run.left == {}
    assert {each[:3] for each in emails(installation)} == {"p1_"}
    with tenant_context(ALL):
        assert ArchiveFile.objects.get(pk=old.pk).state == "replaced"
        receipt = Receipt.objects.latest("sequence")
        actions = list(AuditEntry.objects.filter(action__startswith="rescrub").order_by("id"))
    (new,) = kept()
    assert new.rows == 4
    assert receipt.kind == "rescrub"
    assert receipt.facts["changed"] == run.changed
    assert receipt.facts["left"] == 0
    assert [entry.action for entry in actions] == ["rescrub.counted", "rescrub.started", "rescrub.done"]
    assert "ada@" not in str(receipt.facts) + str([entry.details for entry in actions])


def kept() -> list[ArchiveFile]:
    with tenant_context(ALL):
        return list(ArchiveFile.objects.filter(state="kept"))


def test_hidden_archives_are_verified_files_without_the_value(installation: Installation, archive: Path) -> None:
    store_events(installation, 2, name=NAME, properties=OPEN)
    archive_all(installation)
    tighten(pii=True)

    done(installation)

    (new,) = kept()
    (path,) = archive.rglob(f"{new.public_id.hex}.parquet")
    assert duckdb.execute(f"SELECT DISTINCT properties->>'$.note' FROM '{path}'").fetchall() == [("REDACTED",)]  # noqa: S608


def test_a_second_run_finds_nothing(installation: Installation) -> None:
    store_events(installation, 3, name=NAME, properties=OPEN)
    tighten(pii=True)
    done(installation)

    again = counted(installation)

    assert again.state == "nothing"
    assert again.found == {}


def test_a_level_that_became_sensitive_takes_the_subjects(installation: Installation) -> None:
    context = b'{"channel":"web","userId":"p1_AAAAAAAAAAAAAAAAAAAAAA"}'
    store_events(installation, 1, name=NAME, properties=OPEN, context=context)
    with tenant_context(ALL):
        properties = {"note": make_property(), "size": make_property("number")}
        sensitive = make_event(NAME, properties=properties, privacy=PrivacyLevel.SENSITIVE)
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=sensitive)
        record = SpecRecord.objects.get(name="sigil.telemetry")
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Now sensitive"
        )

    done(installation)

    with tenant_context(ALL):
        row = StoredEvent.objects.get()
    assert (row.properties, row.context) == ({"note": "REDACTED", "size": 0}, {"channel": "web"})
    assert row.privacy == "sensitive"


def test_what_a_legal_hold_keeps_stays_as_it_is_and_is_counted_apart(installation: Installation) -> None:
    store_events(installation, 2, name=NAME, properties=OPEN)
    archive_all(installation)
    store_events(installation, 1, name=NAME, properties=OPEN)
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=installation.tenant, reason="case 7", event_name=NAME)
    tighten(pii=True)

    run = counted(installation)

    assert run.state == "nothing"
    assert run.found == {"held": {"step@1": 3}}


def test_what_comes_while_it_runs_is_hidden_too(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "STEP_SECONDS", 0.0)
    store_events(installation, 2, name=NAME, properties=OPEN)
    (file,) = archive_all(installation)
    store_events(installation, 1, name=NAME, properties=OPEN)
    tighten(pii=True)
    run = counted(installation)
    with tenant_context(ALL):
        start_run(actor=SYSTEM, run=run)
    while latest().position.get("place", "store") == "store":
        work_on(run.pk)

    restore_file(actor=SYSTEM, file=file, days=7)
    work()

    assert latest().state == "done"
    assert latest().changed == {"store": {"step@1": 3}}
    assert emails(installation) == ["REDACTED"] * 3


def test_killed_at_any_step_it_is_carried_on_and_counted_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(places, "PORTION", 2)
    store_events(installation, 3, name=NAME, properties=OPEN)
    archive_all(installation)
    for second in range(4):
        store_events(
            installation, 1, name=NAME, properties=OPEN, received_at=timezone.now() + timedelta(microseconds=second)
        )
    tighten(pii=True)
    run = counted(installation)
    with tenant_context(ALL):
        start_run(actor=SYSTEM, run=run)
    real, calls = working._advance, 0

    def killed(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(working, "_advance", killed)
    now = timezone.now()
    while latest().state in ("running", "checking"):
        # Each worker that was killed holds the run for two minutes.
        now += timedelta(minutes=3)
        try:
            work_on(run.pk, now=now)
        except KeyboardInterrupt:
            continue

    assert calls > 10
    assert latest().state == "done"
    assert latest().changed == {"store": {"step@1": 4}, "archive": {"step@1": 3}}
    assert emails(installation) == ["REDACTED"] * 4


def test_two_workers_do_not_have_the_same_run(installation: Installation) -> None:
    store_events(installation, 1, name=NAME, properties=OPEN)
    tighten(pii=True)
    with tenant_context(ALL):
        run = ask_for_count(actor=SYSTEM, installation=installation)
        RescrubRun.objects.update(step_due_at=timezone.now() + timedelta(minutes=1))

    assert work_on(run.pk) is False
    assert due_runs(timezone.now()) == []


def test_a_storage_that_fails_is_asked_again_later(installation: Installation, tmp_path: Path) -> None:
    with archive_in(tmp_path / "archive"):
        store_events(installation, 2, name=NAME, properties=OPEN)
        archive_all(installation)
        tighten(pii=True)
        run = counted(installation)
        with tenant_context(ALL):
            start_run(actor=SYSTEM, run=run)

    with archive_in(tmp_path / "archive", fault="flip"):
        work()

    assert latest().state == "running"
    assert "archive" in latest().trouble
    with tenant_context(ALL):
        RescrubRun.objects.update(step_due_at=timezone.now())
    with archive_in(tmp_path / "archive"):
        work()
    assert latest().state == "done"
    assert latest().trouble == ""


def test_only_who_protects_personal_data_decides(installation: Installation) -> None:
    store_events(installation, 1, name=NAME, properties=OPEN)
    tighten(pii=True)
    for role in (Role.VIEWER, Role.ANALYST, Role.PUBLISHER):
        with tenant_context(ALL), pytest.raises(NotAllowed):
            ask_for_count(actor=make_actor(role), installation=installation)
    run = counted(installation)
    for deed in (start_run, cancel_run):
        with tenant_context(ALL), pytest.raises(NotAllowed):
            deed(actor=make_actor(Role.PUBLISHER), run=run)

    with tenant_context(ALL):
        cancel_run(actor=make_actor(Role.PRIVACY_OFFICER), run=run)

    assert latest().state == "cancelled"
    with tenant_context(ALL), pytest.raises(Conflict):
        start_run(actor=SYSTEM, run=run)
    assert emails(installation) == ["ada@example.com"]


def test_one_run_at_a_time(installation: Installation) -> None:
    with tenant_context(ALL):
        ask_for_count(actor=SYSTEM, installation=installation)

        with pytest.raises(Conflict, match="has a run already"):
            ask_for_count(actor=SYSTEM, installation=installation)


def test_a_stricter_config_is_noticed_once_and_a_looser_one_never(installation: Installation) -> None:
    store_events(installation, 2, name=NAME, properties=OPEN)
    assert notice_stricter_configs(now=timezone.now()) == 0

    tighten(pii=True)
    assert notice_stricter_configs(now=timezone.now()) == 1
    assert notice_stricter_configs(now=timezone.now()) == 0

    work()
    assert (latest().reason, latest().state, latest().found) == ("config", "ready", {"store": {"step@1": 2}})


def test_a_stricter_config_of_an_event_that_nobody_sent_is_no_matter(installation: Installation) -> None:
    store_events(installation, 2, name="other", properties=OPEN)
    assert notice_stricter_configs(now=timezone.now()) == 0

    tighten(pii=True)

    assert notice_stricter_configs(now=timezone.now()) == 0


def test_another_tenant_sees_nothing_of_a_run(installation: Installation) -> None:
    counted(installation)
    stranger = make_installation("globex")

    with tenant_context([stranger.tenant_id]):
        assert list(RescrubRun.objects.all()) == []
    assert msgspec.json.encode(latest().found) == b"{}"


def test_refused_events_that_are_held_are_masked_inside_their_seal(archive: Path) -> None:
    make_published(make_holding_spec())
    installation = make_installation()
    properties = {"userId": "ada@example.com", "durationMs": 3}
    ingest(installation, make_incoming(properties=properties))
    (row,) = held()
    assert b"ada" not in bytes(row.sealed)

    run = done(installation)

    (row,) = held()
    envelope = open_envelope(row.tenant_id, bytes(row.sealed))
    assert envelope is not None
    assert envelope.properties == {"userId": "REDACTED", "durationMs": 3}
    assert run.changed == run.found == {"quarantine": {STEP: 1}}
    assert counted(installation).state == "nothing"
