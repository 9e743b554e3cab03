"""``studio import`` and ``studio export``: files in, files out, each with its loss report."""

import io
import json
import sys
from pathlib import Path

import pytest

from telemetry.core.codec import decode_spec
from telemetry.formats.catalogue import FORMATS
from tests.cli.conftest import SIGIL, Studio
from tests.formats.samples import SAMPLES

PLAN = SAMPLES["segment"][1][0].data


def test_a_plan_becomes_a_spec_with_a_report_of_each_part_that_did_not_fit(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)

    called = studio("import", "plan.json", "--from", "segment", "--output", "spec.yaml", "--report", "report.json")

    spec = decode_spec((tmp_path / "spec.yaml").read_bytes())
    report = json.loads((tmp_path / "report.json").read_text())
    assert (called.code, called.out) == (0, "")
    assert [event.name for event in spec.events] == ["Order Placed", "Nested", "identify"]
    assert (report["format"], report["sources"], report["specs"]) == ("segment", ["plan.json"], ["shop_plan"])
    assert sum(report["counts"].values()) == len(report["losses"])
    assert {
        "action": "renamed",
        "path": "/rules/0/jsonSchema/properties/1st",
        "kind": "object",
        "reason": "the name is not one that a property may have here",
        "target": "events[0].properties._1st_2",
        "name": "1st",
        "became": "_1st_2",
    } in report["losses"]


def test_the_format_is_guessed_and_findings_are_those_of_lint(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)

    called = studio("import", "plan.json", "--output", "spec.yaml")

    findings = studio("lint", "spec.yaml").out.splitlines()
    assert called.err.splitlines()[0] == "plan.json: Segment tracking plans, of both APIs, 3 events -> spec.yaml"
    assert called.err.splitlines()[-len(findings) :] == findings
    assert len(findings) > 3


def test_lint_decides_the_exit_code_when_asked(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)

    assert studio("import", "plan.json", "--output", "spec.yaml").code == 0
    assert studio("import", "plan.json", "--output", "spec.yaml", "--fail-on", "info").code == 1


def test_standard_input_becomes_standard_output(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAN)))

    called = studio("import", "-")

    assert decode_spec(called.out).meta.name == "shop_plan"


def test_what_is_said_about_the_spec_wins_over_the_source(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)

    called = studio(
        *("import", "plan.json", "--name", "shop.orders", "--version", "3", "--owner", "@shop", "--privacy", "pii")
    )

    spec = decode_spec(called.out)
    assert (spec.meta.name, spec.meta.version, spec.meta.owners) == ("shop.orders", 3, ("@shop",))
    assert {event.privacy for event in spec.events} == {"pii"}


def test_a_name_that_breaks_the_rules_is_refused(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)

    called = studio("import", "plan.json", "--name", "Shop Orders")

    assert (called.code, called.out) == (2, "")
    assert "meta.name: must be lower-case words joined by dots" in called.err


def test_files_of_a_folder_belong_together_and_strangers_are_reported(studio: Studio, tmp_path: Path) -> None:
    for file in SAMPLES["rudderstack, project"][1]:
        (tmp_path / "project").mkdir(exist_ok=True)
        (tmp_path / "project" / file.name).write_bytes(file.data)
    (tmp_path / "project" / "README.md").write_text("# Hello")
    (tmp_path / "project" / ".hidden").write_text("{}")

    called = studio("import", "project", "--output", "spec.yaml", "--report", "report.json")

    report = json.loads((tmp_path / "report.json").read_text())
    assert called.code == 0
    assert report["sources"] == ["README.md", "events.yaml", "plan.yaml", "properties.yaml", "types.yaml"]
    assert [loss["reason"] for loss in report["losses"] if loss["file"] == "README.md"] == [
        "the file is of another format"
    ]


def test_more_files_are_what_the_first_one_refers_to(studio: Studio, tmp_path: Path) -> None:
    events, properties, types, plan = SAMPLES["rudderstack, project"][1]
    for file in (events, properties, types, plan):
        (tmp_path / file.name).write_bytes(file.data)

    called = studio(
        *("import", "plan.yaml", "--also", "events.yaml", "--also", "properties.yaml", "--also", "types.yaml")
    )

    assert decode_spec(called.out).events[0].properties["Total"].description == "In euros"


def test_several_plans_need_a_folder(studio: Studio, tmp_path: Path) -> None:
    plan = json.loads(PLAN)
    (tmp_path / "plans.json").write_text(json.dumps({"data": [plan, {**plan, "name": "Another"}]}))
    (tmp_path / "taken.yaml").write_text("")

    refused = studio("import", "plans.json", "--output", "taken.yaml")
    called = studio("import", "plans.json", "--output", "specs/")

    assert refused.code == 2
    assert "must be a folder: there are 2 files" in refused.err
    assert called.code == 0
    assert sorted(path.name for path in (tmp_path / "specs").iterdir()) == [
        "another.telemetry.yaml",
        "shop_plan.telemetry.yaml",
    ]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("{", (), "is of no format that is known"),
        ("{}", ("--from", "segment"), "rules: must be a tracking plan"),
        ("{", ("--from", "segment"), "is not valid JSON"),
        ("{}", ("--from", "word"), "must be one of python, contractspec,"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    studio: Studio, tmp_path: Path, content: str, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "plan.json").write_text(content)

    called = studio("import", "plan.json", *arguments)

    assert (called.code, called.out) == (2, "")
    assert message in " ".join(called.err.replace("│", " ").split())


@pytest.mark.parametrize("name", FORMATS)
def test_a_spec_is_exported_and_imported_again(studio: Studio, tmp_path: Path, name: str) -> None:
    exported = studio("export", SIGIL, "--to", name, "--output", "out/", "--report", "report.json")
    called = studio("import", "out", "--output", "again.yaml")

    report = json.loads((tmp_path / "report.json").read_text())
    assert (exported.code, exported.out, called.code) == (0, "", 0)
    assert (report["format"], report["sources"], report["specs"]) == (name, [str(SIGIL)], ["sigil.telemetry"])
    again = decode_spec((tmp_path / "again.yaml").read_bytes())
    assert again.events[0].name.endswith("workflow_step")


def test_an_export_says_what_it_loses(studio: Studio) -> None:
    called = studio("export", SIGIL, "--to", "segment")

    assert json.loads(called.out)["rules"][0]["key"] == "sigil.telemetry.workflow_step"
    assert "dropped       a tracking plan has no place for it" in called.err


def test_several_files_need_a_folder(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(
        SIGIL.read_text() + "  - {name: b, version: 1, semantics: {what: B}, privacy: public}\n"
    )

    called = studio("export", "two.yaml", "--to", "iglu")

    assert (called.code, called.out) == (2, "")
    assert "must be a folder: there are 2 files" in called.err
