"""Calling the command line, in a directory of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from telemetry.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
SIGIL = ROOT / "examples" / "sigil.telemetry.yaml"
# A rate that is too low on line 11 (a warning), a secret on line 8 (an error).
POOR = """\
meta:
  name: shop.orders
  version: 1
  title: Shop orders
  owners: ['@shop']
config:
  providers:
    - {type: posthog, config: {projectApiKey: "phc_0123456789abcdefghijABCDEFGHIJ"}}
events:
  - name: shop.orders.placed
    sampling: {rate: 0.01}
    version: 1
    semantics: {what: Order placed, who: A customer, why: To count orders}
    privacy: internal
"""


class Called(msgspec.Struct):
    """What one call of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)


Studio = Callable[..., Called]


@pytest.fixture
def studio(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Calls ``studio`` with the arguments, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: object) -> Called:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return call
