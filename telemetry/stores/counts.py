"""What is stored, counted by whoever writes it: bytes of a row, what is added to the counts, and what they add up to.

Each statement that writes, changes or removes events appends to ``StoredDelta`` in its transaction what it did, or
lowers the counts of a partition that is sealed. So a partition that is over is sealed by adding up, not by reading.
"""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from django.db import connection

from telemetry.core.retention import Span
from telemetry.stores.partitions import SPANS

__all__ = [
    "ADD",
    "ADD_BATCH",
    "SIZE",
    "SLOT",
    "StoredChange",
    "change_counts",
    "fold_deltas",
    "seal_counted",
    "size_of",
]

# Besides what differs in length: a header of 24, a line pointer of 4, and 100 in columns of fixed length, ends, and
# short texts.
_REST: Final = 128
# The bytes of a row ``event``, which it was counted with. Rows from before this was kept: as they lie on disk.
SIZE: Final = f"""
coalesce(event.size_bytes,
    {_REST} + octet_length(event.name) + pg_column_size(event.properties) + pg_column_size(event.context))
"""
_KEY: Final = "tenant_id, installation_id, retention_class, day, name, version"
_BOUNDS: Final = "first_received_at, last_received_at, first_expires_at, last_expires_at"
# To be followed by what selects these columns, in the statement that writes the rows. What holds keep is not counted:
# it is read, and little.
ADD: Final = f"INSERT INTO telemetry_storeddelta ({_KEY}, rows, size_bytes, {_BOUNDS})"
# The same for what comes in, after the slot of its day (``SLOT``).
_SLOTS: Final = 14
ADD_BATCH: Final = ADD.replace("(", "(slot, ", 1)
SLOT: Final = f"({{day}} - DATE '2000-01-01') %% {_SLOTS}"
# A partition takes its seal back when a row comes into it (``studio_reopen_events``), so what is sealed has all that
# is removed from it in its counts. Elsewhere it may not be there yet.
CHANGE: Final = f"""
WITH changed AS (
    UPDATE telemetry_storedday AS stored SET rows = rows + %(rows)s, size_bytes = size_bytes + %(size_bytes)s
    FROM telemetry_sealedpartition AS sealed
    WHERE sealed.name = stored.partition AND stored.retention_class = %(retention_class)s
        AND stored.installation_id = %(installation_id)s AND stored.day = %(day)s AND stored.name = %(name)s
        AND stored.version = %(version)s
    RETURNING 1
)
INSERT INTO telemetry_storeddelta ({_KEY}, rows, size_bytes)
SELECT %(tenant_id)s, %(installation_id)s, %(retention_class)s, %(day)s, %(name)s, %(version)s, %(rows)s, %(size_bytes)s
WHERE %(retention_class)s > 0 AND NOT EXISTS (SELECT FROM changed)
"""


def _classes_of(span: Span) -> str:
    return ", ".join(str(int(each)) for each, its_span in SPANS.items() if its_span is span)


# What ``due.partition_of`` and ``due.name_of`` say.
_PARTITION: Final = f"""
'telemetry_storedevent_d' || retention_class || '_' || to_char(
    CASE WHEN retention_class IN ({_classes_of(Span.WEEK)}) THEN date_trunc('week', day::timestamp)
        WHEN retention_class IN ({_classes_of(Span.MONTH)}) THEN date_trunc('month', day::timestamp)
        ELSE day::timestamp END,
    'YYYYMMDD'
)
"""
# Slots that ingest does not append to today, if there is anything in them and nobody else does.
CLOSE: Final = f"""
SELECT studio_close_deltas(array(
    SELECT slot FROM generate_series(0, {_SLOTS}) AS slot WHERE slot <> {SLOT.format(day="%(today)s::date")}
))
"""
# What is in closed slots, added up where it lies, and what is over of others, which are not to be emptied now. A delta
# that only removes has no bounds: the endless ones change nothing of those that are there.
FOLD: Final = f"""
WITH gone AS (
    DELETE FROM telemetry_storeddelta WHERE slot <> ALL (%(closed)s::int[]) AND day < %(today)s
    RETURNING {_KEY}, rows, size_bytes, {_BOUNDS}
),
taken AS (
    SELECT * FROM gone
    UNION ALL SELECT {_KEY}, sum(rows)::bigint, sum(size_bytes)::bigint, min(first_received_at), max(last_received_at),
        min(first_expires_at), max(last_expires_at)
    FROM telemetry_storeddelta WHERE slot = ANY (%(closed)s::int[]) GROUP BY {_KEY}
),
sums AS (
    SELECT {_PARTITION} AS partition, {_KEY}, sum(rows)::bigint AS rows, sum(size_bytes)::bigint AS size_bytes,
        coalesce(min(first_received_at), 'infinity') AS first_received_at,
        coalesce(max(last_received_at), '-infinity') AS last_received_at,
        coalesce(min(first_expires_at), 'infinity') AS first_expires_at,
        coalesce(max(last_expires_at), '-infinity') AS last_expires_at
    FROM taken GROUP BY {_KEY}
)
INSERT INTO telemetry_storedday AS stored (partition, {_KEY}, rows, size_bytes, {_BOUNDS})
SELECT partition, {_KEY}, rows, size_bytes, {_BOUNDS} FROM sums
WHERE partition NOT IN (SELECT name FROM telemetry_uncountedpartition)
ON CONFLICT (partition, installation_id, day, name, version) DO UPDATE SET
    rows = stored.rows + excluded.rows,
    size_bytes = stored.size_bytes + excluded.size_bytes,
    first_received_at = least(stored.first_received_at, excluded.first_received_at),
    last_received_at = greatest(stored.last_received_at, excluded.last_received_at),
    first_expires_at = least(stored.first_expires_at, excluded.first_expires_at),
    last_expires_at = greatest(stored.last_expires_at, excluded.last_expires_at)
"""
# PostgreSQL counts on its own account how many rows came into a table and left it (also those of transactions that were
# rolled back, and it forgets in a crash). Where it counted what the counts say, nobody wrote or removed past them.
SEAL: Final = """
INSERT INTO telemetry_sealedpartition (name, sealed_at)
SELECT part.name, clock_timestamp()
FROM unnest(%s::text[]) AS part (name)
CROSS JOIN LATERAL (SELECT to_regclass(part.name)::oid AS oid) AS known
CROSS JOIN LATERAL (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(min(least(rows, size_bytes)), 0) AS least
    FROM telemetry_storedday WHERE partition = part.name
) AS counted
WHERE part.name NOT IN (SELECT name FROM telemetry_uncountedpartition)
    AND part.name NOT IN (SELECT name FROM telemetry_sealedpartition)
    AND counted.least >= 0
    AND counted.rows = pg_stat_get_tuples_inserted(known.oid) - pg_stat_get_tuples_deleted(known.oid)
        + pg_stat_get_xact_tuples_inserted(known.oid) - pg_stat_get_xact_tuples_deleted(known.oid)
RETURNING name
"""


class StoredChange(NamedTuple):
    """So many rows and bytes more, or less, of the events of one name that came on one day and lie in one class."""

    tenant_id: int
    installation_id: int
    retention_class: int
    day: date
    name: str
    version: int
    rows: int
    size_bytes: int


def size_of(name: str, properties: bytes = b"", context: bytes = b"") -> int:
    """What a row counts for, in bytes: its texts as they are written, and about what the rest takes on disk."""
    return _REST + len(name.encode()) + len(properties) + len(context)


def change_counts(changes: Iterable[StoredChange]) -> None:
    """The counts are true with these changes, once the transaction commits that made them. One query for each."""
    rows = [each._asdict() for each in changes if each.rows or each.size_bytes]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(CHANGE, rows)


def fold_deltas(today: date) -> None:
    """Everything that was appended about the days before ``today`` is in ``StoredDay``.

    In the context of all tenants, after ``lock_removals``. What is of partitions that have to be read is dropped. Two
    queries, or three. Ingest does not wait for it, as long as it counts what came today.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, {"today": today})
        (closed,) = cursor.fetchone()
        cursor.execute(FOLD, {"closed": closed, "today": today})
        if closed:
            cursor.execute("SELECT studio_empty_deltas(%s)", [closed])


def seal_counted(names: Sequence[str]) -> set[str]:
    """Which of these partitions, closed and folded, are sealed now, because their counts agree with the database's own.

    In the context of all tenants. The others have to be read. One query.
    """
    if not names:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(SEAL, [list(names)])
        return {name for (name,) in cursor.fetchall()}
