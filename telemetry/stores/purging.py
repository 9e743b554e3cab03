"""Removing what is due: whole partitions, or rows a chunk at a time; each call is one step within a transaction."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from telemetry.core.retention import HOLD, retention_class
from telemetry.stores.counts import ADD, SIZE, fold_deltas
from telemetry.stores.due import DUE_ROW, DueGroup, Term, class_of_table, midnight, name_of, partition_of
from telemetry.stores.partitions import Partition, add_partition
from telemetry.stores.removals import HELD, Removed, lower_counts

__all__ = ["close_partitions", "delete_due", "drop_events", "move_held", "seal_partition", "shorten"]

COUNT: Final = f"""
INSERT INTO telemetry_storedday (
    partition, retention_class, day, tenant_id, installation_id, name, version, rows, size_bytes,
    first_received_at, last_received_at, first_expires_at, last_expires_at
)
SELECT %(name)s, event.retention_class, (event.received_at AT TIME ZONE 'UTC')::date, event.tenant_id,
    event.installation_id, event.name, event.version, count(*), sum({SIZE}),
    min(event.received_at), max(event.received_at), min(event.expires_at), max(event.expires_at)
FROM telemetry_storedevent AS event
WHERE event.retention_class = %(class)s AND event.received_at >= %(starts_at)s AND event.received_at < %(ends_at)s
GROUP BY 2, 3, 4, 5, 6, 7
"""
FORGET: Final = "DELETE FROM telemetry_storedday WHERE partition = ANY (%s)"
READ: Final = "DELETE FROM telemetry_uncountedpartition WHERE name = ANY (%s)"
CLOSE: Final = """
SELECT studio_close_events(part.parent, part.starts_on)
FROM unnest(%s::text[], %s::date[]) WITH ORDINALITY AS part (parent, starts_on, number) ORDER BY part.number
"""
DROP: Final = """
SELECT count(*) FILTER (WHERE studio_drop_events(part.parent, part.starts_on))
FROM unnest(%s::text[], %s::date[]) AS part (parent, starts_on)
"""
SEAL: Final = "INSERT INTO telemetry_sealedpartition (name, sealed_at) VALUES (%s, clock_timestamp())"

# Rows of one event on one day are in one partition, where a ``ctid`` names one row. By the index, in its order, from
# where the last chunk ended: what was deleted before is not walked over again.
OF_GROUP: Final = """
event.retention_class = %(class)s AND event.installation_id = %(installation)s AND event.name = %(name)s
    AND event.version = %(version)s AND event.received_at >= %(starts_at)s AND event.received_at < %(ends_at)s
"""
DELETE: Final = f"""
WITH gone AS (
    DELETE FROM telemetry_storedevent AS event
    WHERE event.retention_class = %(class)s AND event.received_at >= %(starts_at)s AND event.received_at < %(ends_at)s
        AND event.ctid = ANY (ARRAY(
            SELECT event.ctid FROM telemetry_storedevent AS event
            WHERE {OF_GROUP} AND {DUE_ROW.format(days="%(days)s::int")} AND NOT {HELD}
            ORDER BY event.received_at LIMIT %(limit)s
        ))
    RETURNING event.received_at, {SIZE} AS size
)
SELECT count(*), coalesce(sum(size), 0)::bigint, max(received_at) FROM gone
"""
# Changing its class moves a row to another partition.
MOVE_HELD: Final = f"""
WITH moved AS (
    UPDATE telemetry_storedevent AS event SET retention_class = 0
    WHERE event.retention_class = %(class)s AND event.received_at >= %(starts_at)s AND event.received_at < %(ends_at)s
        AND event.installation_id = %(installation)s AND event.name = %(name)s AND event.version = %(version)s
        AND {HELD}
    RETURNING {SIZE} AS size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM moved
"""
SHORTEN: Final = f"""
WITH changed AS (
    UPDATE telemetry_storedevent AS event
    SET expires_at = event.received_at + make_interval(hours => 24 * %(days)s), retention_class = %(new_class)s
    WHERE event.retention_class = %(class)s AND event.received_at >= %(starts_at)s AND event.received_at < %(ends_at)s
        AND event.ctid = ANY (ARRAY(
            SELECT event.ctid FROM telemetry_storedevent AS event
            WHERE {OF_GROUP} AND event.expires_at > event.received_at + make_interval(hours => 24 * %(days)s)
            ORDER BY event.received_at LIMIT %(limit)s
        ))
    RETURNING event.tenant_id, {SIZE} AS size, event.received_at, event.expires_at
),
sums AS (
    SELECT tenant_id, count(*) AS rows, sum(size)::bigint AS size_bytes, min(received_at) AS first_received_at,
        max(received_at) AS last_received_at, min(expires_at) AS first_expires_at, max(expires_at) AS last_expires_at
    FROM changed GROUP BY 1
),
counted AS (
    {ADD}
    SELECT tenant_id, %(installation)s, %(new_class)s, %(day)s, %(name)s, %(version)s,
        CASE WHEN %(is_moved)s THEN rows ELSE 0 END, CASE WHEN %(is_moved)s THEN size_bytes ELSE 0 END,
        first_received_at, last_received_at, first_expires_at, last_expires_at
    FROM sums
    WHERE %(new_class)s > 0
        AND (%(is_moved)s OR NOT EXISTS (SELECT FROM telemetry_sealedpartition WHERE name = %(partition)s))
)
SELECT coalesce(sum(rows), 0)::bigint, coalesce(sum(size_bytes), 0)::bigint FROM sums
"""
SHORTENED: Final = """
UPDATE telemetry_storedday SET
    first_expires_at = least(first_expires_at, first_received_at + make_interval(hours => 24 * %(days)s)),
    last_expires_at = CASE WHEN %(is_all)s
        THEN least(last_expires_at, last_received_at + make_interval(hours => 24 * %(days)s)) ELSE last_expires_at END
WHERE partition = %(partition)s AND installation_id = %(installation)s AND day = %(day)s AND name = %(name)s
    AND version = %(version)s
"""


class Deleted(NamedTuple):
    """How many rows of a group are gone, their bytes, and when the last of them came."""

    rows: int
    size_bytes: int
    last_received_at: datetime | None


def close_partitions(partitions: Sequence[Partition]) -> list[Partition]:
    """Until the transaction ends nothing is written into the partitions, and what comes later takes their seal away.

    Those that are there; one query. Raises ``OperationalError`` when a lock is not to be had in time.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, _columns(partitions))
        return [partition for partition, (is_there,) in zip(partitions, cursor.fetchall(), strict=True) if is_there]


def seal_partition(partition: Partition) -> bool:
    """The rows of a partition that is over are counted by reading them, once the transaction commits.

    Whether it was there. In the context of all tenants, after ``lock_removals``.
    """
    if not close_partitions([partition]):
        return False
    fold_deltas(datetime.now(UTC).date())
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [[name_of(partition)]])
        cursor.execute(COUNT, {"name": name_of(partition), **_range(partition)})
        cursor.execute(READ, [[name_of(partition)]])
        cursor.execute(SEAL, [name_of(partition)])
    return True


def delete_due(group: DueGroup, *, cutoff: datetime, since: datetime | None, limit: int) -> Deleted:
    """At most ``limit`` rows of the group that are due and not held are gone, those from ``since`` on, oldest first.

    What calls this counts them (``removals.count_removed``).
    """
    start = midnight(group.day)
    parameters = {
        **_of_group(group),
        "starts_at": since or start,
        "ends_at": start + timedelta(days=1),
        "days": group.days,
        "cutoff": cutoff,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(DELETE, parameters)
        return Deleted(*cursor.fetchone())


def move_held(group: DueGroup) -> int:
    """The rows of the group that a hold keeps are where holds keep them, so that their partition can go; how many."""
    start = midnight(group.day)
    with connection.cursor() as cursor:
        add_partition(partition_of(HOLD, group.day))
        cursor.execute(MOVE_HELD, {**_of_group(group), "starts_at": start, "ends_at": start + timedelta(days=1)})
        rows, size_bytes = cursor.fetchone()
    _lower(group, rows, size_bytes)
    return int(rows)


def drop_events(partitions: Sequence[Partition]) -> int:
    """The partitions are gone with all that is counted in them; how many were there.

    What calls this has accounted for every row, and has closed the partitions. Raises ``OperationalError`` when a lock
    is not to be had in time: readers of the same class hold it up.
    """
    names = [name_of(each) for each in partitions]
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [names])
        cursor.execute(READ, [names])
        cursor.execute(DROP, _columns(partitions))
        (dropped,) = cursor.fetchone()
    return int(dropped)


def shorten(term: Term, partition: Partition, day: date, *, tenant_id: int, limit: int) -> int:
    """At most ``limit`` events of that day end when the term says, and lie where such events lie; how many did not.

    Less than ``limit`` says that none is left.
    """
    current, start = class_of_table(partition.parent), midnight(day)
    fitting = current if current is HOLD else retention_class(term.days)
    if fitting is not current:
        add_partition(partition_of(fitting, day))
    parameters: dict[str, Any] = {
        "class": int(current),
        "new_class": int(fitting),
        "installation": term.installation_id,
        "name": term.name,
        "version": term.version,
        "starts_at": start,
        "ends_at": start + timedelta(days=1),
        "days": term.days,
        "limit": limit,
        "partition": name_of(partition),
        "day": day,
        "is_moved": fitting is not current,
    }
    with connection.cursor() as cursor:
        cursor.execute(SHORTEN, parameters)
        rows, size_bytes = cursor.fetchone()
        cursor.execute(SHORTENED, {**parameters, "is_all": rows < limit})
    if fitting is not current:
        event = (tenant_id, term.installation_id, day, term.name, term.version)
        lower_counts([Removed(*event, rows, int(current), size_bytes)])
    return int(rows)


def _columns(partitions: Sequence[Partition]) -> list[Any]:
    return [[each.parent for each in partitions], [each.starts_on for each in partitions]]


def _lower(group: DueGroup, rows: int, size_bytes: int) -> None:
    event = (group.tenant_id, group.installation_id, group.day, group.name, group.version)
    lower_counts([Removed(*event, rows, group.retention_class, size_bytes)])


def _of_group(group: DueGroup) -> dict[str, Any]:
    return {
        "class": group.retention_class,
        "installation": group.installation_id,
        "name": group.name,
        "version": group.version,
    }


def _range(partition: Partition) -> dict[str, Any]:
    return {
        "class": int(class_of_table(partition.parent)),
        "starts_at": midnight(partition.starts_on),
        "ends_at": midnight(partition.ends_on),
    }
