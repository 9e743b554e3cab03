"""Events per second through the HTTP batch API, beside bare COPY and beside Django REST framework with ``bulk_create``.

Run with ``python benchmarks/ingest.py``. It starts a PostgreSQL, durable as in production, and the web server itself.
All three store the same rows in the same table, a transaction per batch of 500; rounds are interleaved. COPY gets its
rows in binary form, made beforehand, on one connection: it is the limit of the database. The two over HTTP run as the
image runs them, two processes with two threads each, and are asked on twice as many connections as they have threads.

The last line is one JSON object: ``http_vs_copy`` and ``http_vs_bulk_create`` are ratios of events per second, the
medians of the ratios within a round; ``http_vs_copy_one_connection`` is the first with a single client that waits for
each answer. On two cores, web server, database and client share what COPY has to itself: ``cpu_microseconds`` tells,
for one event, what each of them used.
"""

import http.client
import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple, ParamSpec
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import HOST, WebServer, set_up_django, temporary_servers

P = ParamSpec("P")

BATCH = 500
# Twice as many as two processes with two threads each can answer at once: connections are not shared out evenly.
CONNECTIONS = 8
# What happens to a batch inside the service, by the names of its functions there.
STAGES = {
    "read the config": ("config_at_ingest",),
    "claim ids": ("_mark_duplicates",),
    "count and sketch": ("tally_batch", "add_tallies"),
    "store": ("groups_to_store",),
    "violations, findings, live view": ("record_violations", "record_findings", "publish_live"),
}


class Sender:
    """Sends bodies to one address, on one connection for each thread."""

    def __init__(self, port: int, path: str, key: str = "") -> None:
        self._port = port
        self._path = path
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def send(self, bodies: Sequence[bytes], connections: int) -> float:
        """Events per second when all bodies are sent on so many connections at once, each on the next that is free."""
        waiting = iter(bodies)
        begin = time.perf_counter()
        with ThreadPoolExecutor(connections) as pool:
            # One iterator for all threads: it gives each body once.
            list(pool.map(self._send_all, [waiting] * connections))
        return len(bodies) * BATCH / (time.perf_counter() - begin)

    def _send_all(self, bodies: Iterator[bytes]) -> None:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=60)
        for body in bodies:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != http.HTTPStatus.OK or answer["stored"] != BATCH:
                raise RuntimeError(f"a batch was not stored: {response.status}")
        connection.close()


class Round(NamedTuple):
    """Events per second of one round."""

    copy: float
    http: float
    http_one: float
    bulk_create: float


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured")
    parser.add_argument("--batches", type=int, default=144, help="batches of 500 events in a round")
    parser.add_argument("--workers", type=int, default=2, help="processes of each of the two web servers")
    arguments = parser.parse_args()
    with temporary_servers() as environment, ExitStack() as stack:
        set_up_django(environment)
        from benchmarks.ingest_workspace import make_batch, make_workspace

        workspace = make_workspace()
        random = Random(1)  # noqa: S311 - events, no secrets

        def bodies() -> list[bytes]:
            return [make_batch(random, BATCH) for _ in range(arguments.batches)]

        plain = {**environment, "DJANGO_SETTINGS_MODULE": "benchmarks.plain_settings"}
        servers = (
            WebServer(environment, workers=arguments.workers),
            WebServer(plain, "benchmarks.plain_wsgi:application", probe="/nothing", workers=arguments.workers),
        )
        for server in servers:
            server.start()
            stack.callback(server.stop)
        ours = Sender(servers[0].port, "/api/v1/events/batch", workspace.key)
        theirs = Sender(servers[1].port, f"/events?installation={workspace.installation.pk}")
        for sender in (ours, theirs):
            for _ in range(2 * arguments.workers):
                sender.send(bodies()[:CONNECTIONS], CONNECTIONS)
        url = environment["DATABASE_URL"]
        rounds = []
        for number in range(arguments.rounds):
            http_rate = settled(url, ours.send, bodies(), CONNECTIONS)
            http_one = settled(url, ours.send, bodies(), 1)
            bulk = settled(url, theirs.send, bodies()[: max(CONNECTIONS, arguments.batches // 4)], CONNECTIONS)
            copy = settled(url, copy_batches, url, last_batches(url, arguments.batches))
            rounds.append(Round(copy, http_rate, http_one, bulk))
            print(f"round {number + 1}: " + ", ".join(f"{k} {v:,.0f}/s" for k, v in rounds[-1]._asdict().items()))
        used = cpu_of_ingest(environment, servers[0], ours, bodies())
        print_stages(workspace, bodies(), median(each.http_one for each in rounds))
        print_result(rounds, used)


def settled(url: str, measure: Callable[P, float], *arguments: P.args, **named: P.kwargs) -> float:
    """The measure, taken when nothing is left to do in the background about the rows of what was measured before."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE, SKIP_LOCKED) telemetry_storedevent, telemetry_eventclaim")
        connection.execute("CHECKPOINT")
    return measure(*arguments, **named)


def cpu_of_ingest(
    environment: Mapping[str, str], server: WebServer, sender: Sender, bodies: Sequence[bytes]
) -> dict[str, float]:
    """CPU microseconds per event of the web server, of PostgreSQL and of the client while the bodies are sent."""
    assert server.process is not None
    database = int((Path(environment["BENCHMARK_DIRECTORY"]) / "postgresql" / "postmaster.pid").read_text().split()[0])
    roots = {"web": server.process.pid, "postgresql": database}
    before, here = {name: cpu_seconds(pid) for name, pid in roots.items()}, time.process_time()
    sender.send(bodies, CONNECTIONS)
    used = {name: cpu_seconds(pid) - before[name] for name, pid in roots.items()}
    used["client"] = time.process_time() - here
    return {name: round(seconds / len(bodies) / BATCH * 1e6, 1) for name, seconds in used.items()}


def cpu_seconds(pid: int) -> float:
    """What the process and its children have used so far, those that have ended as well: PostgreSQL's come and go."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    # utime, stime, cutime and cstime. Source: proc_pid_stat(5).
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = (each.read_text().split() for each in Path(f"/proc/{pid}/task").glob("*/children"))
    return own + sum(cpu_seconds(int(child)) for several in children for child in several)


def print_result(rounds: Sequence[Round], used: Mapping[str, float]) -> None:
    """Medians, and the line of ratios."""
    copy, http_rate, http_one, bulk = (median(column) for column in zip(*rounds, strict=True))
    print(f"\nbare COPY{copy:>12,.0f} events/s\nHTTP{http_rate:>17,.0f} events/s on {CONNECTIONS} connections")
    print(f"HTTP{http_one:>17,.0f} events/s on one\nbulk_create{bulk:>10,.0f} events/s over HTTP, with serializers")
    ratios: dict[str, object] = {
        "http_vs_copy": round(median(each.http / each.copy for each in rounds), 3),
        "http_vs_bulk_create": round(median(each.http / each.bulk_create for each in rounds), 3),
        "http_vs_copy_one_connection": round(median(each.http_one / each.copy for each in rounds), 3),
        "cpu_microseconds": dict(used),
    }
    print(json.dumps(ratios))


def last_batches(database_url: str, count: int) -> list[bytes]:
    """The batches that came in last over HTTP, each as COPY writes it in binary form."""
    import psycopg

    with psycopg.connect(database_url) as connection:
        instants = connection.execute(
            "SELECT received_at FROM telemetry_storedevent WHERE tenant_id <> 0 "
            "GROUP BY 1 HAVING count(*) = %s ORDER BY 1 DESC LIMIT %s",
            [BATCH, count],
        ).fetchall()
        found = []
        for (instant,) in instants:
            query = "COPY (SELECT * FROM telemetry_storedevent WHERE received_at = %s) TO STDOUT (FORMAT binary)"
            with connection.cursor().copy(query, [instant]) as copy:
                found.append(b"".join(bytes(part) for part in copy))
    return found


def copy_batches(database_url: str, batches: Sequence[bytes]) -> float:
    """Events per second when the batches are copied into the table, each committed by itself."""
    import psycopg

    with psycopg.connect(database_url) as connection:
        begin = time.perf_counter()
        for batch in batches:
            with connection.cursor().copy("COPY telemetry_storedevent FROM STDIN (FORMAT binary)") as copy:
                copy.write(batch)
            connection.commit()
        return len(batches) * BATCH / (time.perf_counter() - begin)


def print_stages(workspace: Any, bodies: Sequence[bytes], http_one: float) -> None:
    """Where the time of a batch goes, in this process; the rest of an HTTP request is what surrounds it."""
    from django.utils import timezone

    from studio.api.v1.batch import views
    from telemetry.services.ingest import judging, service
    from telemetry.stores.chosen import EVENT_STORE
    from tenants.config_lease import PROCESS_LEASE, ConfigLease

    # As a web server does, so that it knows without asking whether the config is still the same.
    PROCESS_LEASE.lease = ConfigLease()
    while PROCESS_LEASE.current() is None:
        time.sleep(0.05)
    spent: dict[str, float] = {"decode": 0.0}
    with ExitStack() as stack:
        for stage, functions in STAGES.items():
            for function in functions:
                stack.enter_context(timed(service, function, stage, spent))
        stack.enter_context(timed(judging.Judge, "judge_all", "validate, sample, redact", spent))
        stack.enter_context(timed(EVENT_STORE, "write", "store", spent))
        begin = time.perf_counter()
        for body in bodies:
            before = time.perf_counter()
            batch, events = views._reader.read(body)
            incoming = views._incoming(batch, events)
            spent["decode"] += time.perf_counter() - before
            service.ingest_batch(installation=workspace.installation, events=incoming, received_at=timezone.now())
        whole = time.perf_counter() - begin
    PROCESS_LEASE.lease.stop()
    spent["transaction, commit and answer"] = whole - sum(spent.values())
    request = len(bodies) * BATCH / http_one
    spent["HTTP, key, throttle"] = max(0.0, request - whole)
    total = sum(spent.values())
    print("\nshare of the time of a request, one after the other")
    for stage, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        per_event = seconds / len(bodies) / BATCH * 1e6
        print(f"  {stage:<34}{seconds / total:>7.1%}{per_event:>8.1f} microseconds per event")


@contextmanager
def timed(owner: Any, name: str, stage: str, spent: dict[str, float]) -> Iterator[None]:
    """Within the block, the time in ``owner.name`` is added to the stage."""
    function: Callable[..., Any] = getattr(owner, name)

    def measured(*arguments: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - begin

    with patch.object(owner, name, measured):
        yield


if __name__ == "__main__":
    main()
