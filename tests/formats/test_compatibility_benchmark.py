"""The benchmark that compares our verdicts with the version bumps of the authors of real schemas."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.formats.schemas import IGLU

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "compatibility.py"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The script, called as its documentation says, from a directory that is not the project's."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def write(directory: Path, version: str, **keywords: Any) -> None:
    file = directory / "com.acme" / "order" / "jsonschema" / version
    file.parent.mkdir(parents=True, exist_ok=True)
    identity = {"vendor": "com.acme", "name": "order", "format": "jsonschema", "version": version}
    file.write_text(json.dumps({"self": identity, "type": "object", **keywords}))


def test_each_disagreement_is_printed_with_its_reason(tmp_path: Path) -> None:
    text, number = {"a": {"type": "string"}}, {"a": {"type": "number"}}
    write(tmp_path, "1-0-0")
    write(tmp_path, "1-0-1", properties=text)
    write(tmp_path, "1-1-0", properties=number)
    write(tmp_path, "2-0-0", properties=number, required=["a"])
    write(tmp_path, "10-0-0", properties=number)

    result = run(str(tmp_path), cwd=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    # Versions are numbers: 10 comes after 2.
    assert lines[:9] == [
        "com.acme/order 1-0-1 -> 1-1-0",
        "  authors: raised the revision; we: breaking, a new version",
        '    a.type: "string" became "number" (type_removed)',
        '    a.type: "string" became "number" (type_added)',
        "",
        "com.acme/order 2-0-0 -> 10-0-0",
        "  authors: raised the model; we: risky, no new version",
        "  every event that was taken is still taken, and no stored type changes; what differs:",
        "    a: became optional (became_optional)",
    ]
    assert lines[-3:] == [
        "SchemaVer by the letter, three parts: 2 of 4 agree",
        "types and required properties alone: 2 of 4 agree",
        '{"agree": 2, "total": 4}',
    ]


@pytest.mark.parametrize("arguments", [(), ("nowhere",), (".", ".")])
def test_what_it_needs_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert result.stdout.startswith("usage: python benchmarks/compatibility.py DIR")


def test_a_file_that_is_no_schema_is_named(tmp_path: Path) -> None:
    write(tmp_path, "1-0-0", properties=[])

    result = run(str(tmp_path), cwd=tmp_path)

    assert result.returncode == 1
    assert "order/jsonschema/1-0-0: the JSON schema breaks 1 rule: properties: must be an object" in result.stderr


def test_a_file_in_the_wrong_place_is_named(tmp_path: Path) -> None:
    write(tmp_path, "1-0-0")
    place = tmp_path / "com.acme" / "order" / "jsonschema"
    (place / "1-0-0").rename(place / "1-0-1")

    result = run(str(tmp_path), cwd=tmp_path)

    assert result.returncode == 1
    assert "1-0-1: the schema says that it is SchemaIdentity(vendor='com.acme'" in result.stderr


@pytest.mark.skipif(not IGLU.is_dir(), reason="there are no schemas beside the checkout")
def test_most_verdicts_on_real_schemas_are_those_of_their_authors(tmp_path: Path) -> None:
    result = run(str(IGLU), cwd=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    figures = json.loads(result.stdout.splitlines()[-1])
    assert list(figures) == ["agree", "total"]
    disagreements = result.stdout.count("  authors: raised the ")
    assert figures["total"] - figures["agree"] == disagreements
    assert figures["agree"] > figures["total"] / 2
