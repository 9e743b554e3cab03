"""Outages, kills, forks and ends of processes that send to the studio, seen from outside."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer

PREAMBLE = """
import os, sys, time
from tests.sdk.builders import make_accepted
from telemetry.sdk.provider import DeliveryStats
from telemetry.sdk.providers import InternalProvider
from telemetry.sdk.queue import QueueSettings
from tests.sdk.studios import API_KEY

PATIENCE = 60.0
provider = InternalProvider(sys.argv[1], API_KEY, buffer_path=sys.argv[2], settings=QueueSettings(
    batch_size=500, linger=0.1, first_retry=0.05, longest_retry=0.2))
"""

WARNINGS = ("-W", "error", "-W", "ignore::DeprecationWarning")


def start(program: str, server: ScriptedServer, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *WARNINGS, "-c", PREAMBLE + program, server.url, str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )


def run(program: str, server: ScriptedServer, path: Path) -> str:
    with start(program, server, path) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return output


def _reports(asked: Asked) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(gzip.decompress(asked.body))["reports"]
    return found


def collect(server: ScriptedServer) -> Counter[str]:
    """Answer well from now on; returns a counter of the events that came, which fills up."""
    taken: Counter[str] = Counter()

    def answer(asked: Asked) -> Reply:
        taken.update(report["id"] for report in _reports(asked))
        return Reply(200, b"{}")

    server.answer = answer
    return taken


def test_an_interpreter_that_ends_sends_what_waits(server: ScriptedServer, tmp_path: Path) -> None:
    taken = collect(server)

    run("for number in range(1000): provider.take(make_accepted(str(number)))", server, tmp_path)

    assert taken == {str(number): 1 for number in range(1000)}


def test_an_interpreter_that_ends_in_an_outage_leaves_it_to_the_next(server: ScriptedServer, tmp_path: Path) -> None:
    server.always(Reply(503, headers={"Retry-After": "3600"}))
    run("for number in range(1000): provider.take(make_accepted(str(number)))", server, tmp_path)
    taken = collect(server)

    run("assert provider.flush(PATIENCE)", server, tmp_path)

    assert taken == {str(number): 1 for number in range(1000)}
    assert not list(tmp_path.rglob("*.events"))


@pytest.mark.parametrize("round", range(3))
def test_a_killed_process_loses_no_more_than_the_last_second(
    server: ScriptedServer,
    tmp_path: Path,
    round: int,  # noqa: A002  the number of the try
) -> None:
    server.always(Reply(503))
    program = """
for number in range(1_000_000):
    provider.take(make_accepted(str(number)))
    print(number, time.time(), flush=True)
    time.sleep(0.001)
"""
    with start(program, server, tmp_path) as process:
        assert process.stdout is not None
        tracked: list[tuple[str, float]] = []
        # Long enough that there are events from before the last second.
        while not tracked or tracked[-1][1] - tracked[0][1] < 1.5 + 0.3 * round:
            number, moment = process.stdout.readline().split()
            tracked.append((number, float(moment)))
        os.kill(process.pid, signal.SIGKILL)
        killed_at = time.time()
        tracked += [
            (number, float(moment)) for number, moment in (line.split() for line in process.stdout if line.count(" "))
        ]
    taken = collect(server)

    run("assert provider.flush(PATIENCE)", server, tmp_path)

    early = {number for number, moment in tracked if moment < killed_at - 1.0}
    assert early
    assert early <= set(taken)
    assert set(taken.values()) == {1}


def test_a_child_sends_its_own_events_and_none_of_its_parents(server: ScriptedServer, tmp_path: Path) -> None:
    server.always(Reply(503))
    program = """
provider.take(make_accepted("parent, before"))
provider.flush(0.3)
child = os.fork()
if child == 0:
    assert provider.delivery() == DeliveryStats()
    provider.take(make_accepted("child"))
    provider.flush(0.3)
    assert provider.delivery() == DeliveryStats(waiting=1), provider.delivery()
    # As a kill would.
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
provider.take(make_accepted("parent, after"))
provider.flush(0.3)
assert provider.delivery() == DeliveryStats(waiting=2)
os._exit(0)
"""
    run(program, server, tmp_path)
    taken = collect(server)

    run("assert provider.flush(PATIENCE)", server, tmp_path)

    assert taken == {"parent, before": 1, "parent, after": 1, "child": 1}
