"""``studio diff``: the changes of the core, with lines, classes and exit codes."""

from pathlib import Path

import pytest

from telemetry.core.codec import decode_spec
from telemetry.core.diff import diff_specs
from tests.cli.conftest import SIGIL, Studio


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Sigil's spec with a breaking change on line 38, a risky one on 31, and safe ones."""
    text = SIGIL.read_text()
    text = text.replace("privacy: internal", "privacy: pii").replace(
        "type: number", "type: number\n        required: true"
    )
    file = tmp_path / "changed.yaml"
    file.write_text(text.replace("title: Sigil telemetry", "title: Sigil"))
    return file


def test_changes_are_those_of_the_core(studio: Studio, changed: Path) -> None:
    expected = diff_specs(decode_spec(SIGIL.read_bytes()), decode_spec(changed.read_bytes()))

    called = studio("diff", SIGIL, changed, "--format", "json")

    found = [(each["rule"], each["severity"], each["path"]) for each in called.json["findings"]]
    assert found[:-1] == [(each.rule, each.severity.value, each.path) for each in expected.changes]
    assert found[-1] == ("unversioned_break", "breaking", "events[0].properties.durationMs.required")
    assert len(found) == 4


def test_each_change_has_the_line_of_its_place_in_the_new_file(studio: Studio, changed: Path) -> None:
    called = studio("diff", SIGIL, changed, "--format", "json")

    lines = changed.read_text().splitlines()
    words = {each["rule"]: lines[each["line"] - 1].split()[0] for each in called.json["findings"]}
    assert words == {
        "wording_changed": "title:",
        "privacy_raised_to_personal": "privacy:",
        "became_required": "required:",
        "unversioned_break": "required:",
    }


@pytest.mark.parametrize(
    ("fail_on", "code"), [("never", 0), ("unversioned", 1), ("breaking", 1), ("risky", 1), ("safe", 1)]
)
def test_the_exit_code_follows_the_class(studio: Studio, changed: Path, fail_on: str, code: int) -> None:
    assert studio("diff", SIGIL, changed, "--fail-on", fail_on).code == code


def test_a_risky_change_passes_unless_asked(studio: Studio, changed: Path) -> None:
    changed.write_text(SIGIL.read_text().replace("privacy: internal", "privacy: pii"))

    assert studio("diff", SIGIL, changed).code == 0
    assert studio("diff", SIGIL, changed, "--fail-on", "unversioned").code == 0
    assert studio("diff", SIGIL, changed, "--fail-on", "risky").code == 1


def test_nothing_changed(studio: Studio) -> None:
    called = studio("diff", SIGIL, SIGIL, "--fail-on", "safe")

    assert (called.code, called.out) == (0, "0 breaking, 0 risky, 0 safe\n")


def test_an_event_that_is_gone_stands_at_the_list_of_events(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").write_text(SIGIL.read_text().split("\nevents:")[0] + "\nevents: []\n")

    called = studio("diff", SIGIL, "gone.yaml", "--format", "github")

    line = len((tmp_path / "gone.yaml").read_text().splitlines())
    assert called.out.startswith(f"::error file=gone.yaml,line={line},col=1,title=event_removed::")


def test_a_file_that_is_no_spec_ends_the_call(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("[]")

    called = studio("diff", SIGIL, "broken.yaml")

    assert called.code == 2
    assert (
        called.err
        == "studio: the telemetry spec in broken.yaml breaks 1 rule\n  must be an object, that is keys with values\n"
    )
