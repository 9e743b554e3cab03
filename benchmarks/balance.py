"""What is lost, stored twice or miscounted while everything that can be killed is killed.

Run with ``python benchmarks/balance.py``. For a minute, several processes send batches over HTTP, repeat some of them
at random, and send again whatever was not answered. Meanwhile the web server, PostgreSQL (a durable cluster of its own)
and the job that merges tallies are killed with ``kill -9`` at random and started again. In the end every acknowledged
event is looked for, and every count is added up.

The last line is one JSON object. ``acknowledged`` counts the events whose batch was answered with 200 and that were
kept; ``lost`` those of them that are not there; ``duplicated`` ids that are there more than once; ``unbalanced`` events
for which the counts of outcomes, of stored rows or of what the senders were told do not add up.
"""

import http.client
import json
import multiprocessing
import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import HOST, WebServer, set_up_django, studio_environment
from studio.embedded import POSTGRESQL_SYSTEM_USER, EmbeddedServer, postgresql_server, valkey_server
from studio.processes import start_process, stop_process

BATCH = 20
SENDERS = 3
KILLED = ("web server", "PostgreSQL", "merging job")
# Seconds that a sender waits for an answer, and that it goes on trying at the end.
PATIENCE = 10
LAST_TRIES = 60


class Plan(NamedTuple):
    """For how many seconds at least, and how often, is killed, and the longest pause between two kills in seconds."""

    seconds: float
    kills: int
    pause: float


class Result(NamedTuple):
    """The figures of the last line, and what happened on the way."""

    acknowledged: int
    lost: int
    duplicated: int
    unbalanced: int


class Database:
    """A PostgreSQL that can be killed and comes back at the same address."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._process = server.process

    def kill(self) -> None:
        """The server is gone in the middle of whatever it did, and answers again."""
        self._process.kill()
        self._process.wait()
        user = POSTGRESQL_SYSTEM_USER if os.geteuid() == 0 else None
        while not self._answers():
            # Its children may live a moment longer, and then it refuses to start.
            if self._process.poll() is not None:
                self._process = start_process(
                    list(map(str, self._command())),
                    log=self._server.log,
                    directory=Path("/"),
                    user=user,
                    stop_signal=signal.SIGINT,
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """The server that was started last has ended."""
        stop_process(self._process, stop_signal=signal.SIGINT, patience_seconds=60)

    def _command(self) -> list[Any]:
        command = self._server.process.args
        assert isinstance(command, list)
        return command

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self._server.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def main() -> None:
    """Run and print."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long is sent and killed")
    parser.add_argument("--kills", type=int, default=0, help="how often is killed at least, however long it takes")
    parser.add_argument("--pause", type=float, default=4, help="how many seconds lie between two kills at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="what chance begins with")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    with TemporaryDirectory(prefix="studio-balance-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        with postgresql_server(directory / "postgresql") as server, valkey_server(directory / "valkey") as broker:
            database = Database(server)
            try:
                environment = studio_environment(server.url, broker.url, directory)
                set_up_django(environment)
                plan = Plan(arguments.seconds, arguments.kills, arguments.pause)
                result = run(database, environment, directory, plan, Random(arguments.seed))  # noqa: S311
            finally:
                database.stop()
    print(json.dumps(result._asdict()))


def run(database: Database, environment: dict[str, str], directory: Path, plan: Plan, random: Random) -> Result:
    """Send and kill for so long and so often, then count."""
    from django.db import connections

    from benchmarks.ingest_workspace import make_workspace

    workspace = make_workspace()
    connections.close_all()
    web = WebServer(environment)
    web.start()
    fork = multiprocessing.get_context("fork")
    over = fork.Event()
    logs = [directory / f"sender-{number}.log" for number in range(SENDERS)]
    senders = [
        fork.Process(target=send_until, args=(over, web.port, workspace.key, random.randrange(2**32), log))
        for log in logs
    ]
    merger = fork.Process(target=merge_for_ever)
    for process in (*senders, merger):
        process.start()
    kills: Counter[str] = Counter()
    ends_at = time.monotonic() + plan.seconds
    turns: list[str] = []
    while time.monotonic() < ends_at or kills.total() < plan.kills:
        time.sleep(random.uniform(plan.pause / 8, plan.pause))
        # Each in its turn, in an order of chance, so that none is left alone for long.
        turns = turns or random.sample(KILLED, len(KILLED))
        what = turns.pop()
        kills[what] += 1
        if what == "web server":
            kill_web(web)
        elif what == "PostgreSQL":
            database.kill()
        else:
            merger.kill()
            merger.join()
            merger = fork.Process(target=merge_for_ever)
            merger.start()
    over.set()
    for process in senders:
        process.join()
    merger.kill()
    merger.join()
    web.stop()
    print("killed: " + ", ".join(f"{what} {count} times" for what, count in sorted(kills.items())))
    return count_up(workspace.installation.pk, list(read_logs(logs)))


def kill_web(web: WebServer) -> None:
    """The web server and its worker are gone at once, and answer again."""
    assert web.process is not None
    os.killpg(web.process.pid, signal.SIGKILL)
    web.process.wait()
    while True:
        with suppress(RuntimeError):
            web.start()
            return


def send_until(over: Event, port: int, key: str, seed: int, log: Path) -> None:
    """Batches are sent until it is over; what was answered is in the log, a line per batch."""
    from benchmarks.ingest_workspace import make_batch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    random = Random(seed)  # noqa: S311 - chance, no secrets
    with log.open("w") as lines:
        while not over.is_set():
            events = json.loads(make_batch(random, BATCH))["events"]
            # One that nobody knows, one that is incomplete, and one that comes twice in its batch.
            events[3]["name"] = "nobody_knows_it"
            del events[5]["properties"]["step"]
            body = json.dumps({"events": [*events, events[0]]}).encode()
            answers: list[dict[str, Any]] = []
            ends_at = None
            # Again while nothing came back, and one time in five although something did.
            while not answers or random.random() < 0.2:
                answer = send(port, key, body)
                if answer is not None:
                    answers.append(answer)
                    continue
                time.sleep(random.uniform(0.01, 0.2))
                if over.is_set() and ends_at is None:
                    ends_at = time.monotonic() + LAST_TRIES
                if ends_at is not None and time.monotonic() > ends_at:
                    break
            ids = [event["id"] for place, event in enumerate(events) if place not in (3, 5)]
            print(json.dumps({"ids": ids, "answers": answers}), file=lines, flush=True)


def send(port: int, key: str, body: bytes) -> dict[str, Any] | None:
    """The counts in the answer; ``None`` while the outcome is unknown."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        connection.request("POST", "/api/v1/events/batch", body, headers)
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"an answer that no batch of these should get: {response.status} {content!r}")
    answer = json.loads(content)
    return {name: answer[name] for name in ("received", "stored", "rejected", "duplicate")}


def merge_for_ever() -> None:
    """What the job does each minute, all the time, also with minutes that are not over."""
    from datetime import timedelta

    from django.db import Error, connection
    from django.utils import timezone

    from telemetry.services.tallies import merge_tallies

    while True:
        try:
            merge_tallies(now=timezone.now() + timedelta(minutes=3))
        except Error:
            connection.close()
        time.sleep(0.2)


def read_logs(logs: list[Path]) -> Iterator[dict[str, Any]]:
    """Each batch that was sent, with its answers."""
    for log in logs:
        for line in log.read_text().splitlines():
            yield json.loads(line)


def count_up(installation_id: int, batches: list[dict[str, Any]]) -> Result:
    """What was acknowledged beside what is there."""
    from datetime import timedelta

    from django.utils import timezone

    from telemetry.models import EventTally, StoredEvent
    from telemetry.models.event_tally import TallyCounts
    from telemetry.services.balance import draw_up_balance
    from tenants.context import ALL, tenant_context
    from tenants.models import Installation

    now = timezone.now()
    with tenant_context(ALL):
        there = Counter(str(key) for key in StoredEvent.with_expired.values_list("id", flat=True))
        installation = Installation.objects.get(pk=installation_id)
        start = (now - timedelta(hours=2)).replace(second=0, microsecond=0)
        balance = draw_up_balance(installation, start, start + timedelta(hours=3))
        tallies = EventTally.objects.values_list(*TallyCounts._fields)
        uneven = sum(received != sum(outcomes[:5]) for received, *outcomes in tallies)
    answered = [batch for batch in batches if batch["answers"]]
    acknowledged = {each for batch in answered for each in batch["ids"]}
    known = {each for batch in batches for each in batch["ids"]}
    strangers = len(there.keys() - known)
    unbalanced = sum(not each.is_balanced for each in balance.events) + uneven + strangers
    unbalanced += sum(each.gone != 0 for each in balance.events)
    unbalanced += balance.total.counts.stored != sum(there.values())
    print(f"sent {len(batches)} batches, {sum(len(b['answers']) for b in answered)} answers; {balance.total.counts}")
    return Result(
        acknowledged=len(acknowledged),
        lost=len(acknowledged - there.keys()),
        duplicated=sum(count > 1 for count in there.values()),
        unbalanced=unbalanced,
    )


if __name__ == "__main__":
    main()
