"""How the command line is started, and how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, SIGIL, Studio


def test_the_module_runs_from_the_checkout() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "telemetry.cli", "lint", str(SIGIL)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("1 file: 0 errors, 0 warnings, 5 info\n")


def test_the_script_runs_from_anywhere(tmp_path: Path) -> None:
    ended = subprocess.run(
        [ROOT / "bin" / "studio", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "lint" in ended.stdout


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m telemetry.cli lint {SIGIL} --format sarif | head -1; exit ${{PIPESTATUS[0]}}"

    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["lint", "--help"]])
def test_help_and_version_are_no_error(studio: Studio, arguments: list[str]) -> None:
    called = studio(*arguments)

    assert (called.code, called.err) == (0, "")
    assert "studio" in called.out


def test_an_unknown_command_is_a_wrong_call(studio: Studio) -> None:
    called = studio("lnt")

    assert called.code == 2
    assert "lnt" in called.err
