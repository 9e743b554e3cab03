"""The example app, run as people run it, against a studio that answers as the demo workspace does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from telemetry.core.codec import decode_spec, encode_document
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import RedactionStrategy
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Redaction
from tests.core.builders import make_installation
from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer
from tests.sdk.studios import WORKFLOW_STEP

ROOT = Path(__file__).parents[2]
OVERRIDES = {
    "acme": EventOverride(sampling_rate=1.0),
    "globex": EventOverride(sampling_rate=0.25, redaction={"userId": Redaction(strategy=RedactionStrategy.DROP)}),
    "initech": EventOverride(enabled=False),
}


def answer_as_demo(server: ScriptedServer) -> None:
    """Answer each tenant's key with that tenant's config."""
    spec = decode_spec((ROOT / "examples" / "sigil.telemetry.yaml").read_bytes())
    bodies = {
        f"Bearer tgs_{tenant}": encode_document(
            resolve_config(
                spec,
                override=TenantOverride(events={WORKFLOW_STEP: override}),
                installation=make_installation(tenant=tenant, sampling_salt=f"salt of {tenant}"),
                revision=2,
            )
        )
        for tenant, override in OVERRIDES.items()
    }

    def answer(asked: Asked) -> Reply:
        body = bodies.get(asked.headers["authorization"])
        return Reply(401) if body is None else Reply(200, body, {"ETag": 'W/"2"'})

    server.answer = answer


def run_example(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "examples/workflow.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "STUDIO_DATA_DIR": str(directory), **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def write_credentials(directory: Path, **api_keys: str) -> None:
    (directory / "credentials.json").write_text(json.dumps({"api_keys": api_keys}))


def test_the_tenants_differ_as_their_overrides_say_and_no_raw_user_id_is_sent(
    server: ScriptedServer, tmp_path: Path
) -> None:
    answer_as_demo(server)
    write_credentials(tmp_path, **{tenant: f"tgs_{tenant}" for tenant in OVERRIDES})

    ended = run_example(tmp_path, STUDIO_URL=server.url)

    assert (ended.returncode, ended.stderr) == (0, "")
    # Of each tenant: tracked, sent, sampled out, switched off, rejected.
    found = re.findall(r"^  (\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) ", ended.stdout, re.MULTILINE)
    rows = {tenant: tuple(map(int, counts)) for tenant, *counts in found}
    assert rows["acme"] == (50, 48, 0, 0, 2)
    assert rows["initech"] == (50, 0, 0, 48, 2)
    tracked, sent, sampled_out, switched_off, rejected = rows["globex"]
    assert (tracked, sent + sampled_out, switched_off, rejected) == (50, 48, 0, 2)
    assert 0 < sent < 48
    # A person as a whole: four steps each.
    assert sent % 4 == 0
    assert f"{48 + sent} events were sent, and none of the 12 raw user ids is in any of them." in ended.stdout
    assert re.search(r"userId +user-\S+@example.com +REDACTED", ended.stdout)
    assert re.search(r"userId +user-\S+@example.com +\(left out\)", ended.stdout)
    assert max(map(len, ended.stdout.splitlines())) <= 100


def test_without_a_running_studio_it_says_what_to_do(tmp_path: Path) -> None:
    missing = run_example(tmp_path)
    write_credentials(tmp_path, acme="tgs_acme")
    # Port 1 is closed to everybody.
    closed = run_example(tmp_path, STUDIO_URL="", STUDIO_PORT="1")

    assert (missing.returncode, closed.returncode) == (1, 1)
    assert "There are no demo credentials" in missing.stderr
    assert closed.stderr == (
        "The studio does not answer at http://127.0.0.1:1. Start it with `make run` in another terminal.\n"
    )


def test_a_key_of_another_studio_is_named_as_the_cause(server: ScriptedServer, tmp_path: Path) -> None:
    answer_as_demo(server)
    write_credentials(tmp_path, acme="tgs_of_yesterday")

    ended = run_example(tmp_path, STUDIO_URL=server.url)

    assert ended.returncode == 1
    assert ended.stderr == "The studio refused the API key. Is STUDIO_DATA_DIR that of the running studio?\n"
    assert "tgs_of_yesterday" not in ended.stdout
