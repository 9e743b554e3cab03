"""The hooks for pre-commit: they install what the command line needs, and name commands that exist."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from telemetry.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_installs_what_the_command_line_needs(hook: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert hook["additional_dependencies"] == project["optional-dependencies"]["cli"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_calls_a_command_that_exists(hook: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = hook["entry"].split()

    assert program == "studio"
    assert run([words[0], "--help"]) == 0
    said = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in said] == []
