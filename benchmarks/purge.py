"""How long it takes to remove what is due, beside a plain ``DELETE`` and beside a bare ``DROP`` of the same rows.

``python benchmarks/purge.py`` starts a PostgreSQL of its own, durable as in production, and stores millions of events
of several tenants with mixed retention: half of them are due. Most of these fill partitions that are over; a part ends
sooner than its class and goes row by row. The same rows stand in plain tables, with the same index.

- the **purge** is all that the hourly job does once a day: plan, remove, count, sign a receipt for each tenant. What it
  did in the hour after each midnight before, counting a partition that is over, is timed apart (``seal_seconds``);
- **naive** is ``DELETE ... WHERE expires_at <= ...`` and ``VACUUM`` of one table;
- **bare** drops the same partitions and deletes the same rows, and does nothing else.

Then some more is stored, and purged while events come in through the ingest service.

The last line is one JSON object. ``vs_delete`` and ``vs_delete_with_seal``: how many times faster than naive, the
second with the counting of what is removed; ``wal_ratio``: how many times less write-ahead log; ``vs_bare_drop``: how
many times slower than bare; ``ingest_while_purging``: the rate of ingest during a purge, as a share of that before;
``preview_seconds``: how long the preview of the next run takes on all rows; ``preview_equals_result``: whether it was
right to the row, for each event of each tenant.
"""

# ruff: noqa: S608 - statements are made of names of our own

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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


# What is kept for 20 days lies in the class of 30, beside events that stay: it goes row by row.
SHARES = (
    Share("page_seen", 7, (8, 9, 10), (2, 3, 4), 0.45),
    Share("order_placed", 30, (31, 32), (21, 22), 0.30),
    Share("order_paid", 90, (91, 92), (60, 61), 0.20),
    Share("search_done", 20, (21,), (10,), 0.05),
)
COLUMNS = """
id, tenant_id, installation_id, name, version, received_at, occurred_at, expires_at, retention_class, privacy, source,
app_version, inclusion_probability, config_revision, properties, context
"""
ROWS = """
SELECT gen_random_uuid(), (1 + number % {tenants}), (1 + number % {tenants}), '{name}', 1, instant, instant,
    instant + make_interval(days => {days}), {retention_class}, 'internal', 'batch', '1.2.3', 1, 7,
    jsonb_build_object('workflow', 'deploy', 'step', 'build ' || number, 'durationMs', number % 1000,
        'path', repeat('abcdefgh', 16), 'ok', true),
    jsonb_build_object('userId', 'p1_' || md5((number / 10)::text), 'channel', 'web')
FROM generate_series(1, {count}) AS number,
    LATERAL (SELECT '{day}'::timestamptz + number * interval '86399 seconds' / {count} AS instant) AS at
"""


class Watch(NamedTuple):
    """What something took: seconds, and bytes of the write-ahead log."""

    seconds: float
    wal_bytes: int


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=5_200_000, help="events that are stored, half of them due")
    arguments = parser.parse_args()
    with temporary_servers() as environment:
        set_up_django({**environment, "STUDIO_PURGE_APPROVAL_ROWS": "0"})
        make_tenants()
        owner = Owner(environment["DATABASE_URL"])
        parts = owner.fill(arguments.rows)
        print(f"{owner.stored:,} events in {len(parts)} parts, {sum(count for *_, count in parts) // 2:,} of them due")
        result = measure_removal(owner, parts)
        result |= measure_ingest(owner, arguments.rows // 5)
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

    def fill(self, rows: int, *, with_copies: bool = True) -> list[tuple[Share, int, int]]:
        """Store so many events, and the same again in plain tables: each share, day (ago) and count of it."""
        from telemetry.core.retention import retention_class
        from telemetry.stores.due import name_of, partition_of

        found = []
        for share in SHARES:
            days = (*share.due, *share.kept)
            for ago in days:
                day, chosen = datetime.now(UTC).date() - timedelta(days=ago), retention_class(share.days)
                partition = partition_of(chosen, day)
                self.run(
                    f"SELECT studio_add_partition('{partition.parent}', '{partition.starts_on}', '{partition.ends_on}')"
                )
                count = int(rows * share.part / len(days))
                values = ROWS.format(
                    tenants=TENANTS, name=share.name, days=share.days, retention_class=int(chosen), count=count, day=day
                )
                self.run(f"INSERT INTO {name_of(partition)} ({COLUMNS}) {values}")
                found.append((share, ago, count))
                self.stored += count
        if with_copies:
            self._copy()
        return found

    def _copy(self) -> None:
        self.run("CREATE TABLE naive (LIKE telemetry_storedevent)")
        self.run("INSERT INTO naive SELECT * FROM telemetry_storedevent")
        self.run("CREATE INDEX ON naive (installation_id, name, received_at)")
        for name in self.touched():
            self.run(f"CREATE TABLE bare_{name} (LIKE {name})")
            self.run(f"INSERT INTO bare_{name} SELECT * FROM {name}")
            self.run(f"CREATE INDEX ON bare_{name} (installation_id, name, received_at)")
        self.run("VACUUM ANALYZE")

    def touched(self) -> list[str]:
        """The partitions in which something is due."""
        return [name for name in self._partitions() if self.run(f"SELECT EXISTS (SELECT FROM {name} WHERE {DUE})")]

    def is_whole(self, name: str) -> bool:
        """Whether all rows of a partition are due."""
        return not self.run(f"SELECT EXISTS (SELECT FROM {name} WHERE NOT {DUE})")

    def _partitions(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^telemetry_storedevent_.*_' ORDER BY 1"
        )
        return [name for (name,) in rows.fetchall() if self.run(f"SELECT EXISTS (SELECT FROM {name})")]


DUE = "expires_at <= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"


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


def measure_removal(owner: Owner, parts: list[tuple[Share, int, int]]) -> dict[str, float]:
    """The purge, the naive way and the bare deed, each once on the same rows."""
    from telemetry.services.purging.previewing import preview_next_run
    from telemetry.services.purging.sealing import seal_partitions
    from tenants.context import ALL, tenant_context
    from tenants.selectors import installations_in_context

    due = sum(count for share, ago, count in parts if ago in share.due)
    sealing = owner.watch(seal_partitions)
    begin = time.perf_counter()
    with tenant_context(ALL):
        preview = preview_next_run(list(installations_in_context()), now=datetime.now(UTC))
    preview_seconds = time.perf_counter() - begin
    names = owner.touched()
    whole = [name for name in names if owner.is_whole(name)]
    purging = owner.watch(purge_all)
    expected = {(item.installation_id, item.name): item.rows for item in preview.items}
    is_right = expected == purged() and sum(expected.values()) == due

    def naive() -> None:
        owner.run(f"DELETE FROM naive WHERE {DUE}")
        owner.run("VACUUM naive")

    def bare() -> None:
        for name in names:
            owner.run(f"DROP TABLE bare_{name}" if name in whole else f"DELETE FROM bare_{name} WHERE {DUE}")

    plain, least = owner.watch(naive), owner.watch(bare)
    for name, watch in {"seal": sealing, "purge": purging, "naive": plain, "bare": least}.items():
        print(f"{name:>8}: {watch.seconds:7.2f} s, {watch.wal_bytes / 2**20:9.2f} MiB of log")
    sealing_due = sealing.seconds * due / owner.stored
    return {
        "rows": owner.stored,
        "due_rows": due,
        "row_by_row_share": sum(count for share, ago, count in parts if share.days == 20 and ago in share.due) / due,
        "vs_delete": plain.seconds / purging.seconds,
        "vs_delete_with_seal": plain.seconds / (purging.seconds + sealing_due),
        "wal_ratio": plain.wal_bytes / max(1, purging.wal_bytes),
        "vs_bare_drop": purging.seconds / least.seconds,
        "seal_seconds": sealing.seconds,
        "preview_seconds": preview_seconds,
        "preview_equals_result": float(is_right),
    }


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


def measure_ingest(owner: Owner, rows: int) -> dict[str, float]:
    """Ingest alone, and while more of the same is purged."""
    from benchmarks.ingest_workspace import make_workspace

    workspace = make_workspace()
    owner.fill(rows, with_copies=False)
    with ingesting(workspace) as counts:
        time.sleep(2)
        begin, before = time.perf_counter(), counts[0]
        time.sleep(5)
        alone = (counts[0] - before) / (time.perf_counter() - begin)
        begin, before, counts[1] = time.perf_counter(), counts[0], 0
        purge_all()
        seconds = time.perf_counter() - begin
        beside, slowest = (counts[0] - before) / seconds, counts[1]
    print(f"ingest: {alone:,.0f} events/s alone, {beside:,.0f} during a purge of {seconds:.1f} s")
    return {"ingest_while_purging": beside / alone, "slowest_batch_seconds": slowest}


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
