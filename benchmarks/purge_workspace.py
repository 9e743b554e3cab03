"""What is purged in ``purge.py``: millions of events with mixed retention, and copies of them in plain tables."""

# ruff: noqa: S608 - statements are made of names of our own

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["DUE", "SHARES", "SOONER", "Owner", "Share", "Watch", "make_tenants"]

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
        self._read_alike()

    def _read_alike(self) -> None:
        """Partitions and their copies are on the disk, and in the system's cache as if they had been read, not written.

        By how they were written the system took a quarter longer to drop the partitions than to drop their copies,
        whoever dropped them.
        """
        self.run("CHECKPOINT")
        directory = Path(self.run("SHOW data_directory"))
        names = "'^(bare_)?telemetry_storedevent_'"
        rows = self._connection.execute(
            f"SELECT pg_relation_filepath(oid) FROM pg_class WHERE relname ~ {names} AND relkind IN ('r', 'i')"
        )
        for path in (path for (name,) in rows.fetchall() for path in directory.glob(f"{name}*")):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while file.read(2**20):
                    pass

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
