"""How long it takes to remove what is due, beside a plain ``DELETE`` and beside a bare ``DROP`` of the same rows.

``python benchmarks/purge.py`` starts a PostgreSQL of its own, durable as in production, and stores millions of events
of several tenants with mixed retention, counted as ingest counts them: half of them are due. The same rows stand in
plain tables, with the same index.

First, all that is due fills partitions that are over. Each way is measured once, after a checkpoint:

- the **purge** is everything that retention does about these rows: adding up what ingest counted and sealing each
  partition (in production in the hour after each midnight before), plan, counts for run and balance, drop, a signed
  receipt for each tenant, and looking for what else there is. ``count_seconds`` of it are for adding up and sealing,
  which is done here for the rows that stay as well;
- **naive** is ``DELETE ... WHERE expires_at <= ...`` and ``VACUUM`` of one table;
- **bare** drops copies of the same partitions, and does nothing else.

Then events are added that are kept for less long than others in their partition, a twentieth as many, half of them due:
they go row by row, beside the naive way. Then more is stored, and purged while events come in through ingest.

The last line is one JSON object. ``vs_delete``: how many times faster than naive; ``wal_ratio``: how many times less
write-ahead log; ``vs_bare_drop``: how many times slower than bare; ``row_by_row_vs_delete``, ``row_by_row_wal_ratio``:
the same of what goes row by row; ``ingest_while_purging``: the rate of ingest during a purge, as a part of that before;
``preview_seconds``: how long the preview of the next run takes on all rows; ``preview_equals_result``: whether it was
right to the row, for each event of each tenant, both times; ``partitions_read``: how many had to be read to be counted.
"""

# ruff: noqa: S608 - statements are made of names of our own

import json
import logging
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import set_up_django, temporary_servers

TENANTS = 4


class Share(NamedTuple):
    """Events that are kept for ``days``, those that came so many days ago; as parts of all rows."""

    name: str
    days: int
    due: tuple[int, ...]
    kept: tuple[int, ...]
    part: float


SHARES = (
    Share("page_seen", 7, (8, 9, 10), (2, 3, 4), 0.50),
    Share("order_placed", 30, (31, 32), (21, 22), 0.30),
    Share("order_paid", 90, (91, 92), (60, 61), 0.20),
)
# What is kept for 20 days lies in the class of 30, beside events that stay: it goes row by row.
SOONER = (Share("search_done", 20, (21,), (10,), 0.05),)
# Events of one name in one batch, which ingest counts together: a batch of a few hundred has several names.
COUNTED_TOGETHER = 50
COLUMNS = """
id, tenant_id, installation_id, name, version, received_at, occurred_at, expires_at, retention_class, privacy, source,
app_version, inclusion_probability, config_revision, properties, context, size_bytes
"""
# The same, but the last.
NAMES = COLUMNS.replace(", size_bytes", "")
ROWS = """
SELECT *, 128 + octet_length(name) + octet_length(properties::text) + octet_length(context::text)
FROM (SELECT gen_random_uuid(), (1 + number % {tenants}), (1 + number % {tenants}), '{name}', 1, instant, instant,
    instant + make_interval(days => {days}), {retention_class}, 'internal', 'batch', '1.2.3', 1, 7,
    jsonb_build_object('workflow', 'deploy', 'step', 'build ' || number, 'durationMs', number % 1000,
        'path', repeat('abcdefgh', 16), 'ok', true),
    jsonb_build_object('userId', 'p1_' || md5((number / 10)::text), 'channel', 'web')
FROM generate_series(1, {count}) AS number,
    LATERAL (SELECT '{day}'::timestamptz + number * interval '86399 seconds' / {count} AS instant) AS at
) AS event ({columns})
"""
# Rows, and what ingest would have counted of them.
FILL = """
WITH written AS (INSERT INTO {partition} ({columns}) {rows} RETURNING *),
batch AS (
    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY received_at) / {together} AS number FROM written
)
{add}
SELECT {slot}, tenant_id, installation_id, retention_class, '{day}', name, version, count(*), sum(size_bytes),
    min(received_at), max(received_at), min(expires_at), max(expires_at)
FROM batch GROUP BY tenant_id, installation_id, retention_class, name, version, number
"""


class Watch(NamedTuple):
    """What something took: seconds, and bytes of the write-ahead log."""

    seconds: float
    wal_bytes: int


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=5_200_000, help="events that are stored, half of them due")
    parser.add_argument("--when-told", action="store_true", help="be the worker that purges beside ingest")
    arguments = parser.parse_args()
    if arguments.when_told:
        purge_when_told()
        return
    with temporary_servers() as environment:
        environment["STUDIO_PURGE_APPROVAL_ROWS"] = "0"
        set_up_django(environment)
        load_code()
        make_tenants()
        # The job runs each hour: its process is not new.
        purge_all()
        owner = Owner(environment["DATABASE_URL"])
        parts = owner.fill(arguments.rows, SHARES)
        owner.copy()
        print(f"{owner.stored:,} events in {len(parts)} parts, {sum(count for *_, count in parts) // 2:,} of them due")
        result = measure_whole(owner, parts)
        result |= measure_rows(owner, owner.fill(arguments.rows, SOONER))
        result |= measure_ingest(owner, arguments.rows // 5, environment)
        print(json.dumps({name: round(value, 3) for name, value in result.items()}))


class Owner:
    """Statements of the owner of the tables, each in a transaction of its own."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET max_parallel_maintenance_workers = 0")
        self.stored = 0

    def run(self, statement: str) -> Any:
        """The first column of the first row, if there is one."""
        cursor = self._connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def watch(self, deed: Callable[[], object]) -> Watch:
        """What the deed took, whoever does it: nobody else is at work."""
        self.run("CHECKPOINT")
        before, begin = self.run("SELECT pg_current_wal_insert_lsn()"), time.perf_counter()
        deed()
        seconds = time.perf_counter() - begin
        return Watch(seconds, int(self.run(f"SELECT pg_current_wal_insert_lsn() - '{before}'::pg_lsn")))

    def fill(self, rows: int, shares: Sequence[Share]) -> list[tuple[Share, int, int]]:
        """These shares of so many events are stored: each share, day (ago) and count."""
        from telemetry.core.retention import retention_class
        from telemetry.stores.counts import ADD_BATCH, SLOT
        from telemetry.stores.due import name_of, partition_of

        found = []
        for share in shares:
            days = (*share.due, *share.kept)
            for ago in days:
                day, chosen = datetime.now(UTC).date() - timedelta(days=ago), retention_class(share.days)
                partition = partition_of(chosen, day)
                self.run(
                    f"SELECT studio_add_partition('{partition.parent}', '{partition.starts_on}', '{partition.ends_on}')"
                )
                count = int(rows * share.part / len(days))
                facts = {"tenants": TENANTS, "name": share.name, "days": share.days, "day": day}
                values = ROWS.format(**facts, retention_class=int(chosen), count=count, columns=NAMES)
                self.run(
                    FILL.format(
                        partition=name_of(partition),
                        columns=COLUMNS,
                        rows=values,
                        together=COUNTED_TOGETHER,
                        add=ADD_BATCH,
                        slot=SLOT.format(day=f"DATE '{day}'").replace("%%", "%"),
                        day=day,
                    )
                )
                found.append((share, ago, count))
                self.stored += count
        # What the database itself has counted is told to others within a second or so.
        self.run("SELECT pg_stat_force_next_flush()")
        return found

    def copy(self) -> None:
        """The same rows stand in a plain table, and those of partitions with something due in plain partitions."""
        self.run("CREATE TABLE naive (LIKE telemetry_storedevent)")
        self.run("INSERT INTO naive SELECT * FROM telemetry_storedevent")
        self.run("CREATE INDEX ON naive (installation_id, name, received_at)")
        for name in self.touched():
            # The index grows with the rows, as it did in the partition.
            self.run(f"CREATE TABLE bare_{name} (LIKE {name})")
            self.run(f"CREATE INDEX ON bare_{name} (installation_id, name, received_at)")
            self.run(f"INSERT INTO bare_{name} SELECT * FROM {name}")
        self.run("VACUUM ANALYZE")

    def copy_again(self, share: Share) -> None:
        """What has come of this share stands in the plain table too."""
        self.run(f"INSERT INTO naive SELECT * FROM telemetry_storedevent WHERE name = '{share.name}'")
        self.run("VACUUM ANALYZE")

    def touched(self) -> list[str]:
        """The partitions in which something is due."""
        return [name for name in self._partitions() if self.run(f"SELECT EXISTS (SELECT FROM {name} WHERE {DUE})")]

    def _partitions(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^telemetry_storedevent_.*_' ORDER BY 1"
        )
        return [name for (name,) in rows.fetchall() if self.run(f"SELECT EXISTS (SELECT FROM {name})")]


DUE = "expires_at <= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"


def load_code() -> None:
    """What a worker loads once, when it starts, is loaded; with the archive's DuckDB it takes a tenth of a second."""
    import_module("telemetry.services.purging.service")
    import_module("telemetry.services.purging.previewing")


def make_tenants() -> None:
    """Tenants and installations 1 to ``TENANTS``; nothing is published, so each event keeps the end that it has."""
    from telemetry.core.enums import Environment
    from telemetry.services.blueprints import create_app
    from tenants.actors import SYSTEM
    from tenants.context import ALL, tenant_context
    from tenants.services.installations import create_installation
    from tenants.services.tenants import create_tenant

    with tenant_context(ALL):
        app = create_app(actor=SYSTEM, slug="shop", name="Shop", blueprint=None)
        for number in range(1, TENANTS + 1):
            tenant = create_tenant(actor=SYSTEM, slug=f"tenant-{number}", name=f"Tenant {number}")
            place = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
            if (tenant.pk, place.pk) != (number, number):
                raise RuntimeError("the database is not new")


def measure_whole(owner: Owner, parts: list[tuple[Share, int, int]]) -> dict[str, float]:
    """The purge, the naive way and the bare deed, each once on the same partitions."""
    due, names = due_of(parts), owner.touched()
    seconds: dict[str, float] = {}
    with reading() as read:
        expected: dict[tuple[int, str], int] = {}

        def everything() -> None:
            begin = time.perf_counter()
            seal()
            counted = time.perf_counter()
            expected.update(preview())
            shown = time.perf_counter()
            purge_all()
            seconds.update(count=counted - begin, preview=shown - counted)

        whole = owner.watch(everything)
        purging = Watch(whole.seconds - seconds["preview"], whole.wal_bytes)
    is_right = expected == purged() and sum(expected.values()) == due
    plain = owner.watch(lambda: naive(owner))
    least = owner.watch(lambda: [owner.run(f"DROP TABLE bare_{name}") for name in names])
    tell(purge=purging, naive=plain, bare=least)
    return {
        "rows": owner.stored,
        "due_rows": due,
        "vs_delete": plain.seconds / purging.seconds,
        "wal_ratio": plain.wal_bytes / max(1, purging.wal_bytes),
        "vs_bare_drop": purging.seconds / least.seconds,
        "count_seconds": seconds["count"],
        "preview_seconds": seconds["preview"],
        "preview_equals_result": float(is_right),
        "partitions_read": len(read),
    }


def measure_rows(owner: Owner, parts: list[tuple[Share, int, int]]) -> dict[str, float]:
    """The purge and the naive way, each once on rows that lie between others that stay."""
    owner.copy_again(parts[0][0])
    before = purged()
    expected: dict[tuple[int, str], int] = {}

    def everything() -> None:
        seal()
        expected.update(preview())
        purge_all()

    purging = owner.watch(everything)
    removed = {event: rows - before.get(event, 0) for event, rows in purged().items() if rows > before.get(event, 0)}
    is_right = expected == removed and sum(expected.values()) == due_of(parts)
    plain = owner.watch(lambda: naive(owner))
    tell(purge=purging, naive=plain)
    return {
        "row_by_row_rows": due_of(parts),
        "row_by_row_vs_delete": plain.seconds / purging.seconds,
        "row_by_row_wal_ratio": plain.wal_bytes / purging.wal_bytes,
        "row_by_row_preview_equals_result": float(is_right),
    }


def due_of(parts: list[tuple[Share, int, int]]) -> int:
    """How many of these events are due."""
    return sum(count for share, ago, count in parts if ago in share.due)


def naive(owner: Owner) -> None:
    """What is due is gone from the plain table, and its room is free."""
    owner.run(f"DELETE FROM naive WHERE {DUE}")
    owner.run("VACUUM naive")


def tell(**watches: Watch) -> None:
    """Print what each way took."""
    for name, watch in watches.items():
        print(f"{name:>8}: {watch.seconds:7.2f} s, {watch.wal_bytes / 2**20:9.2f} MiB of log")


def seal() -> None:
    """Partitions that are over are counted."""
    from telemetry.services.purging.sealing import seal_partitions

    seal_partitions()


def preview() -> dict[tuple[int, str], int]:
    """What the next run would remove of each event of each installation."""
    from telemetry.services.purging.previewing import preview_next_run
    from tenants.context import ALL, tenant_context
    from tenants.selectors import installations_in_context

    with tenant_context(ALL):
        items = preview_next_run(list(installations_in_context()), now=datetime.now(UTC)).items
    return {(item.installation_id, item.name): item.rows for item in items}


@contextmanager
def reading() -> Iterator[list[str]]:
    """The partitions that are read within the block, because their counts were not to be trusted."""
    found: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "purge.read":
                found.append(record.__dict__["partition"])

    logger, handler = logging.getLogger("telemetry.services.purging.sealing"), Noting()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield found
    finally:
        logger.removeHandler(handler)


def purge_all() -> None:
    """All that can be removed is gone."""
    from telemetry.services.purging.service import purge

    while purge():
        pass


def purged() -> dict[tuple[int, str], int]:
    """What the runs say that they removed."""
    from django.db.models import Sum

    from telemetry.models import PurgeItem
    from tenants.context import ALL, tenant_context

    with tenant_context(ALL):
        rows = PurgeItem.objects.order_by().values_list("installation_id", "name").annotate(Sum("rows"))
        return {(installation_id, name): total for installation_id, name, total in rows}


def measure_ingest(owner: Owner, rows: int, environment: dict[str, str]) -> dict[str, float]:
    """Ingest alone, before and after, and while another process purges more of the same."""
    from benchmarks.ingest_workspace import make_workspace

    workspace = make_workspace()
    owner.fill(rows, (*SHARES, *SOONER))
    # As the days before have left it: what was stored a minute ago is not on the disk yet, nor in the statistics.
    owner.run("VACUUM ANALYZE")
    owner.run("CHECKPOINT")
    command = [sys.executable, str(Path(__file__).resolve()), "--when-told"]
    worker = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    if told(worker) != "ready":
        raise RuntimeError("the worker did not start")
    with ingesting(workspace) as counts:
        time.sleep(2)
        before = rate_during(counts, lambda: time.sleep(5))
        counts[1] = 0
        begin = time.perf_counter()
        beside = rate_during(counts, lambda: finish(worker))
        seconds, slowest = time.perf_counter() - begin, counts[1]
        after = rate_during(counts, lambda: time.sleep(5))
    worker.wait()
    alone = (before + after) / 2
    print(f"ingest: {before:,.0f} events/s before, {beside:,.0f} during a purge of {seconds:.1f} s, {after:,.0f} after")
    return {"ingest_while_purging": beside / alone, "slowest_batch_seconds": slowest}


def told(worker: subprocess.Popen[str]) -> str:
    """The next line that the worker says."""
    return worker.stdout.readline().strip() if worker.stdout else ""


def finish(worker: subprocess.Popen[str]) -> None:
    """The worker has purged."""
    if worker.stdin:
        worker.stdin.write("now\n")
        worker.stdin.flush()
    if told(worker) != "done 0":
        raise RuntimeError("the purge failed, or had to read partitions to count them")


def rate_during(counts: list[float], deed: Callable[[], object]) -> float:
    """Events per second that came while the deed was done."""
    begin, before = time.perf_counter(), counts[0]
    deed()
    return (counts[0] - before) / (time.perf_counter() - begin)


def purge_when_told() -> None:
    """A worker that has run before, and does so again once a line comes."""
    import django

    django.setup()
    load_code()

    from tenants.context import ALL, tenant_context
    from tenants.selectors import installations_in_context

    with tenant_context(ALL):
        list(installations_in_context())
    print("ready", flush=True)
    sys.stdin.readline()
    with reading() as read:
        purge_all()
    print("done", len(read), flush=True)


@contextmanager
def ingesting(workspace: Any) -> Iterator[list[float]]:
    """Within the block a thread ingests without a pause: how many events, and the slowest batch's seconds."""
    from random import Random

    import msgspec
    from django.db import connection

    from benchmarks.ingest_workspace import make_batch
    from telemetry.core.enums import EventSource
    from telemetry.core.events import Envelope
    from telemetry.services.ingest.incoming import Incoming
    from telemetry.services.ingest.service import ingest_batch

    counts, over = [0.0, 0.0], Event()

    def work() -> None:
        random = Random(1)  # noqa: S311 - events, no secrets
        while not over.is_set():
            envelopes = msgspec.convert(json.loads(make_batch(random, 200))["events"], list[Envelope])
            events = [Incoming(envelope=envelope, source=EventSource.BATCH) for envelope in envelopes]
            begin = time.perf_counter()
            ingest_batch(installation=workspace.installation, events=events, received_at=datetime.now(UTC))
            counts[1] = max(counts[1], time.perf_counter() - begin)
            counts[0] += 200
        connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
