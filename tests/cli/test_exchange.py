"""``studio push``, ``pull`` and ``status`` against a studio that runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from telemetry.core.codec import checksum, decode_spec
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord, SpecVersion
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.cli.conftest import SIGIL, Studio
from tests.core.builders import make_event
from tests.studio.api.calls import caller_with_role
from tests.telemetry.factories import make_draft, make_published

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

FILE = "sigil.telemetry.yaml"


@pytest.fixture
def server(live_server: "LiveServer", monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a studio, whose key of an administrator is in the environment."""
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", 0)
    sign_in(monkeypatch, Role.ADMIN)
    monkeypatch.setenv("STUDIO_URL", live_server.url)
    return str(live_server.url)


def sign_in(monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    """The environment has a personal key of somebody with this role."""
    key = caller_with_role(role).headers["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("STUDIO_API_KEY", key)


def draft_of(name: str) -> TelemetrySpec:
    """What the draft says now."""
    with tenant_context(ALL):
        return spec_from_records(SpecRecord.objects.get(name=name))


def edit_draft() -> None:
    """Somebody adds an event in the browser."""
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("added_in_the_browser"))


def test_a_new_spec_is_created_and_the_file_knows_its_state(studio: Studio, server: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(SIGIL.read_bytes())

    called = studio("push", FILE)

    assert (called.code, called.out) == (0, "")
    assert called.err == f'{FILE} -> new spec sigil.telemetry, draft "1"\n'
    assert draft_of("sigil.telemetry") == decode_spec(SIGIL.read_bytes())
    text = (tmp_path / FILE).read_text()
    assert text.startswith(f'# pulled from {server}: draft "1", spec sha256:')
    assert text.split("\n", 1)[1] == SIGIL.read_text()


def test_a_draft_is_pulled_changed_and_pushed(studio: Studio, server: str, tmp_path: Path) -> None:
    make_draft()

    pulled = studio("pull", "sigil.telemetry")
    file = tmp_path / FILE
    file.write_text(file.read_text().replace("Workflow step executed", "A step was executed"))
    pushed = studio("push", FILE)

    assert (pulled.code, pushed.code) == (0, 0)
    assert pulled.err == f'draft "1" of sigil.telemetry -> {FILE}\n'
    assert pushed.err == f'{FILE} -> draft "2" of sigil.telemetry\n'
    assert draft_of("sigil.telemetry").events[0].semantics.what == "A step was executed"
    assert studio("push", FILE).err == f'{FILE}: draft "2" of sigil.telemetry says the same already\n'


def test_nobody_overwrites_what_they_have_not_seen(studio: Studio, server: str, tmp_path: Path) -> None:
    # Given a file, and a draft that somebody changed after it was pulled.
    make_draft()
    studio("pull", "sigil.telemetry")
    file = tmp_path / FILE
    file.write_text(file.read_text().replace("Workflow step executed", "A step was executed"))
    edit_draft()
    before = draft_of("sigil.telemetry")

    refused = studio("push", FILE)

    assert (refused.code, refused.out) == (2, "")
    assert "somebody changed the draft of sigil.telemetry: " in refused.err
    assert 'was made from "1", now it is "2"' in refused.err
    assert draft_of("sigil.telemetry") == before

    # When it is pulled into another file and merged, or the person insists.
    assert studio("pull", "sigil.telemetry", "--output", "theirs.yaml").code == 0
    assert "added_in_the_browser" in (tmp_path / "theirs.yaml").read_text()
    assert studio("push", FILE, "--force").code == 0
    assert [event.name for event in draft_of("sigil.telemetry").events] == ["sigil.telemetry.workflow_step"]


def test_a_file_that_was_never_pulled_overwrites_nothing(studio: Studio, server: str, tmp_path: Path) -> None:
    make_draft()
    (tmp_path / FILE).write_text(SIGIL.read_text().replace("Workflow step executed", "A step was executed"))

    refused = studio("push", FILE)

    assert refused.code == 2
    assert f"was not pulled from {server}, which has a draft of sigil.telemetry already" in refused.err


def test_a_file_with_changes_of_its_own_is_not_overwritten(studio: Studio, server: str, tmp_path: Path) -> None:
    make_draft()
    studio("pull", "sigil.telemetry")
    assert studio("pull", "sigil.telemetry").code == 0
    file = tmp_path / FILE
    file.write_text(file.read_text().replace("Workflow step executed", "Mine"))

    refused = studio("pull", "sigil.telemetry")

    assert refused.code == 2
    assert "has changes of its own" in refused.err
    assert "Mine" in file.read_text()
    assert studio("pull", "sigil.telemetry", "--force").code == 0
    assert "Mine" not in file.read_text()


def test_a_draft_is_published_with_what_was_pushed(studio: Studio, server: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(SIGIL.read_bytes())

    called = studio("push", FILE, "--publish", "First version")

    assert called.err.splitlines()[-1] == "sigil.telemetry version 1 is published"
    with tenant_context(ALL):
        assert SpecVersion.objects.get().change_summary == "First version"
    assert studio("pull", "sigil.telemetry", "--version", "1", "--output", "one.yaml").code == 0
    assert decode_spec((tmp_path / "one.yaml").read_bytes()) == decode_spec(SIGIL.read_bytes())


def test_code_is_compared_with_what_is_published(studio: Studio, server: str, tmp_path: Path) -> None:
    version = make_published()
    (tmp_path / "older.yaml").write_text(SIGIL.read_text().replace("title: Sigil", "title: Old Sigil"))
    studio("generate", "python", SIGIL, "--output", "new.py")
    studio("generate", "typescript", "older.yaml", "--output", "old.ts")

    same = studio("status", "new.py")
    called = studio("status", "new.py", "old.ts")

    assert version.checksum == checksum(decode_spec(SIGIL.read_bytes()))
    assert (same.code, same.out) == (0, f"new.py: sigil.telemetry is up to date with version 1 in {server}\n")
    assert (called.code, called.out.splitlines()[1]) == (
        1,
        f"old.ts: sigil.telemetry differs from version 1 in {server}",
    )


@pytest.mark.parametrize("command", [("pull", "nobody.knows"), ("status", "new.py")])
def test_what_the_studio_does_not_have_is_said(
    studio: Studio, server: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    studio("generate", "python", SIGIL, "--output", "new.py")

    called = studio(*command)

    assert (called.code, called.out) == (2, "")
    assert "has no spec nobody.knows" in called.err or "has no published version of sigil.telemetry" in called.err


def test_whoever_may_not_edit_is_told_so(
    studio: Studio, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, Role.VIEWER)
    (tmp_path / FILE).write_bytes(SIGIL.read_bytes())

    called = studio("push", FILE)

    assert called.code == 2
    assert "the studio answered 403" in called.err
    with tenant_context(ALL):
        assert not SpecRecord.objects.exists()


def test_findings_that_block_a_publication_are_listed(studio: Studio, server: str, tmp_path: Path) -> None:
    text = SIGIL.read_text().replace("${POSTHOG_KEY}", "phc_0123456789abcdefghijABCDEFGHIJ")
    (tmp_path / FILE).write_text(text)

    called = studio("push", FILE, "--publish", "First version")

    assert called.code == 2
    assert "the studio answered 400" in called.err
    assert "  config.providers[0].config.projectApiKey: " in called.err
    assert "phc_" not in called.err


def test_a_key_that_is_not_valid_is_refused(studio: Studio, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_API_KEY", "tgs_nobody_has_this")

    called = studio("pull", "sigil.telemetry")

    assert called.code == 2
    assert "the studio answered 401" in called.err
    assert "tgs_nobody" not in called.err
