"""``studio lint``: the findings of the core, with lines, levels and exit codes."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from telemetry.core.codec import decode_spec
from telemetry.core.lint import lint_spec
from telemetry.formats.event_specs import read_event_spec
from tests.cli.conftest import POOR, SIGIL, Called, Studio


@pytest.fixture
def poor(tmp_path: Path) -> Path:
    file = tmp_path / "poor.yaml"
    file.write_text(POOR)
    return file


def test_findings_are_those_of_the_core(studio: Studio) -> None:
    expected = lint_spec(decode_spec(SIGIL.read_bytes()), today=datetime.now(UTC).date())

    called = studio("lint", SIGIL, "--format", "json")

    found = [(each["rule"], each["severity"], each["path"], each["message"]) for each in called.json["findings"]]
    assert found == [(each.rule, each.severity.value, each.path, each.message) for each in expected]
    assert len(found) == 5


def test_each_finding_has_the_line_of_its_place(studio: Studio, poor: Path) -> None:
    called = studio("lint", poor, "--format", "json")

    lines = {each["rule"]: (each["line"], each["column"]) for each in called.json["findings"]}
    assert lines["provider_secret"] == (8, 32)
    assert lines["sampling_too_low"] == (11, 16)


@pytest.mark.parametrize(
    ("fail_on", "code"), [("never", 0), ("error", 0), ("warning", 1), ("info", 1)], ids=lambda each: str(each)
)
def test_the_exit_code_follows_the_severity(studio: Studio, poor: Path, fail_on: str, code: int) -> None:
    # Given a spec whose worst finding is a warning.
    poor.write_text(POOR.replace("phc_0123456789abcdefghijABCDEFGHIJ", "${POSTHOG_KEY}"))

    called = studio("lint", poor, "--fail-on", fail_on)

    assert called.code == code


def test_an_error_fails_unless_nothing_does(studio: Studio, poor: Path) -> None:
    assert studio("lint", poor).code == 1
    assert studio("lint", poor, "--fail-on", "never").code == 0


def test_no_message_repeats_a_secret(studio: Studio, poor: Path) -> None:
    for format_ in ("text", "json", "sarif", "github"):
        assert "phc_" not in studio("lint", poor, "--format", format_).out


def test_sarif_names_rule_level_place_and_help(studio: Studio, poor: Path) -> None:
    called = studio("lint", poor, "--format", "sarif")

    log = called.json
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    [result] = [each for each in run["results"] if each["ruleId"] == "sampling_too_low"]
    assert log["version"] == "2.1.0"
    assert rules[result["ruleIndex"]]["id"] == "sampling_too_low"
    assert rules[result["ruleIndex"]]["help"]["text"]
    assert result["level"] == "warning"
    place = result["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == str(poor)
    assert place["physicalLocation"]["region"] == {"startLine": 11, "startColumn": 16}
    assert place["logicalLocations"] == [{"fullyQualifiedName": "events[0].sampling.rate"}]


def test_sarif_writes_the_name_of_a_file_as_an_address(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "größe und mehr.yaml").write_text(POOR)

    [run] = studio("lint", "größe und mehr.yaml", "--format", "sarif").json["runs"]

    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert uris == {"gr%C3%B6%C3%9Fe%20und%20mehr.yaml"}


def test_github_gets_one_command_per_finding(studio: Studio, poor: Path) -> None:
    called = studio("lint", poor, "--format", "github")

    lines = called.out.splitlines()
    [warning] = [line for line in lines if "sampling_too_low" in line]
    assert warning.startswith(f"::warning file={poor},line=11,col=16,title=sampling_too_low::events[0].sampling.rate: ")
    assert all(line.startswith("::") for line in lines[:-1])


def test_people_read_a_line_per_finding_and_a_sum(studio: Studio, poor: Path) -> None:
    called = studio("lint", poor, SIGIL)

    lines = called.out.splitlines()
    assert lines[0] == str(poor)
    assert any(line.split()[:3] == ["11:16", "warning", "sampling_too_low"] for line in lines)
    assert lines[-1].startswith("2 files: 1 error, ")


def test_every_broken_rule_of_an_invalid_document_is_said_and_other_files_are_linted(
    studio: Studio, poor: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("meta: {name: A, version: 0}\nevents: 3\n")

    called = studio("lint", "broken.yaml", poor, "--format", "json")

    found = called.json["findings"]
    assert called.code == 2
    assert [each["path"] for each in found if each["file"] == "broken.yaml"] == [
        "meta.name",
        "meta.version",
        "meta.title",
        "events",
    ]
    assert "provider_secret" in {each["rule"] for each in found}


def test_a_broken_rule_has_the_line_of_its_place(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(
        "meta: {name: a, version: 1, title: A}\nevents:\n  - name: ''\n    sampling: {rate: 7}\n"
    )
    (tmp_path / "torn.json").write_text('{"meta":\n  {"name" 1}}')

    called = studio("lint", "broken.yaml", "torn.json", "--format", "json")

    places = {each["path"]: (each["line"], each["column"]) for each in called.json["findings"]}
    assert places["events[0].sampling.rate"] == (4, 16)
    assert places[""] == (2, 11)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(studio: Studio, name: str) -> None:
    called = studio("lint", name)

    assert called.code == 2
    assert called.out.splitlines()[0] == name
    assert "unreadable" in called.out


def test_standard_input_is_a_file(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(POOR.encode())))

    called = studio("lint", "-", "--format", "json")

    assert {each["file"] for each in called.json["findings"]} == {"-"}
    assert called.code == 1


def test_the_published_version_is_compared(studio: Studio, poor: Path, tmp_path: Path) -> None:
    # Given a draft that leaves out an event which is published and not deprecated.
    (tmp_path / "draft.yaml").write_text(POOR.replace("shop.orders.placed", "shop.orders.paid"))

    called = studio("lint", "draft.yaml", "--published", poor, "--format", "json")

    assert "removed_without_deprecation" in {each["rule"] for each in called.json["findings"]}


def test_a_published_version_that_is_broken_ends_the_call(studio: Studio, poor: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("meta: {}\n")

    called = studio("lint", poor, "--published", "broken.yaml")

    assert (called.code, called.out) == (2, "")
    assert called.err.splitlines()[:2] == [
        "studio: the telemetry spec in broken.yaml breaks 3 rules",
        "  meta.name: is required",
    ]


def test_what_is_printed_cannot_steer_the_terminal(studio: Studio, tmp_path: Path) -> None:
    name = "a\x1b[2Jb.json"
    (tmp_path / name).write_text(json.dumps({"meta": {"\x1b[31m": 1}}))

    called = studio("lint", name)

    assert "\x1b" not in called.out
    assert "\ufffd[2J" in called.out


def test_a_wrong_call_is_explained(studio: Studio) -> None:
    called = studio("lint", SIGIL, "--fail-on", "nothing")

    assert called.code == 2
    assert "nothing" in called.err


# EventSpecs

CONTRACT = """\
meta: {name: shop.orders.placed, version: 1, domain: ""}
payload:
  type: object
  required: [total]
  properties:
    total: {type: number}
    mail: {type: string}
pii: [mail]
"""


def contracts_of(tmp_path: Path, *documents: str) -> str:
    folder = tmp_path / "contracts"
    folder.mkdir()
    for number, document in enumerate(documents):
        (folder / f"{number}.yaml").write_text(document)
    return "contracts"


def rules_in(called: Called) -> set[str]:
    return {each["rule"] for each in called.json["findings"] if each["rule"].startswith("event_spec")}


def test_events_are_compared_with_their_contracts_as_in_a_studio(studio: Studio, poor: Path, tmp_path: Path) -> None:
    poor.write_text(POOR.replace("version: 1\n    sem", "version: 1\n    properties: {mail: {type: string}}\n    sem"))
    contract = read_event_spec(CONTRACT)
    expected = lint_spec(decode_spec(poor.read_bytes()), today=datetime.now(UTC).date(), event_specs=[contract])

    called = studio(
        "lint", poor, "--event-specs", contracts_of(tmp_path, CONTRACT), "--format", "json", "--fail-on", "never"
    )

    assert {each.rule for each in expected if each.rule.startswith("event_spec")} == rules_in(called)
    assert len(rules_in(called)) >= 2
    assert rules_in(studio("lint", poor, "--format", "json", "--fail-on", "never")) == set()


def test_an_event_without_its_contract_is_found_once_the_domain_has_one(
    studio: Studio, poor: Path, tmp_path: Path
) -> None:
    other, foreign = (
        CONTRACT.replace("shop.orders.placed", "shop.orders.paid"),
        CONTRACT.replace('domain: ""', "domain: x"),
    )
    folder = contracts_of(tmp_path, other)
    (tmp_path / "foreign.yaml").write_text(foreign)

    missing = studio("lint", poor, "--event-specs", folder, "--format", "json", "--fail-on", "never")
    elsewhere = studio("lint", poor, "--event-specs", "foreign.yaml", "--format", "json", "--fail-on", "never")

    assert rules_in(missing) == {"event_spec_missing"}
    assert rules_in(elsewhere) == set()


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        (["meta: []"], "EventSpec in 0.yaml"),
        ([CONTRACT, CONTRACT], "name and version of another"),
        ([], "has no files"),
    ],
)
def test_contracts_that_cannot_be_read_are_named(
    studio: Studio, poor: Path, tmp_path: Path, documents: list[str], said: str
) -> None:
    called = studio("lint", poor, "--event-specs", contracts_of(tmp_path, *documents))

    assert (called.code, called.out) == (2, "")
    assert said in called.err


def test_an_import_is_compared_with_contracts_too(studio: Studio, poor: Path, tmp_path: Path) -> None:
    studio("export", poor, "--to", "csv", "-o", "plan.csv")
    folder = contracts_of(tmp_path, CONTRACT)

    called = studio("import", "plan.csv", "-o", "x.yaml", "--event-specs", folder, "--fail-on", "warning")

    assert called.code == 1
    assert "event_spec" in called.err
