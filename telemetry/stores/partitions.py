"""The partitions that events need from now on: which there should be, which there are, and adding one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db import IntegrityError, connection
from psycopg.errors import CheckViolation

from telemetry.core.retention import RetentionClass, Span

__all__ = [
    "AHEAD",
    "EXISTING",
    "Partition",
    "add_partition",
    "drop_partition",
    "existing_partitions",
    "group_partitions",
    "is_missing_partition",
    "outlived_partitions",
    "wanted_partitions",
]

# So long can the job that makes partitions fail before an event has no place.
AHEAD: Final = timedelta(days=14)

# Longer classes have longer partitions, so that all of them together stay around a few hundred.
SPANS: Final = {
    RetentionClass.WEEK: Span.DAY,
    RetentionClass.MONTH: Span.DAY,
    RetentionClass.QUARTER: Span.DAY,
    RetentionClass.HALF_YEAR: Span.WEEK,
    RetentionClass.YEAR: Span.MONTH,
    RetentionClass.TWO_YEARS: Span.MONTH,
    RetentionClass.CENTURY: Span.MONTH,
    RetentionClass.HOLD: Span.MONTH,
}

EXISTING: Final = """
SELECT parent.relname, to_date(right(part.relname, 8), 'YYYYMMDD')
FROM pg_inherits
JOIN pg_class part ON part.oid = inhrelid
JOIN pg_class parent ON parent.oid = inhparent
WHERE part.relkind = 'r' AND parent.relkind = 'p' AND parent.relnamespace = current_schema()::regnamespace
    AND starts_with(parent.relname, 'telemetry_') AND part.relname ~ '_[0-9]{8}$'
"""


class Partition(NamedTuple):
    """Part of the table ``parent``: the days [starts_on, ends_on), UTC."""

    parent: str
    starts_on: date
    ends_on: date


def wanted_partitions(today: date, *, maximum_age: timedelta) -> Iterator[Partition]:
    """What has to exist today: for events and tallies from now on, for ids as far back as they are accepted.

    Yesterday too, because a batch may have been received just before midnight.
    """
    since, until = today - timedelta(days=1), today + AHEAD
    for retention_class, span in SPANS.items():
        yield from _spans(table_of(retention_class), span, since, until)
    yield from _spans("telemetry_eventtally", Span.WEEK, since, until)
    yield from _spans("telemetry_eventclaim", Span.DAY, since - maximum_age, until)
    # An id without a day is filed under the month before as well.
    yield from _spans("telemetry_undatedclaim", Span.MONTH, Span.MONTH.start_of(today) - timedelta(days=1), until)


def outlived_partitions(today: date, existing: Mapping[str, Iterable[date]], *, tally_days: int) -> Iterator[Partition]:
    """Which of the existing partitions of ids and tallies nobody needs any more."""
    memory = {
        # Ids are taken for four weeks, and a day ahead; those without a day for the month after theirs as well.
        "telemetry_eventclaim": (Span.DAY, 30),
        "telemetry_undatedclaim": (Span.MONTH, 31),
        "telemetry_eventtally": (Span.WEEK, tally_days),
    }
    for parent, (span, days) in memory.items():
        for starts_on in sorted(existing.get(parent, ())):
            ends_on = span.after(starts_on)
            if ends_on + timedelta(days=days) <= today:
                yield Partition(parent, starts_on, ends_on)


def table_of(retention_class: RetentionClass) -> str:
    """The table that holds the class's partitions."""
    word = "hold" if retention_class is RetentionClass.HOLD else f"d{int(retention_class)}"
    return f"telemetry_storedevent_{word}"


def existing_partitions() -> dict[str, set[date]]:
    """The first days of the partitions that there are, by parent; one query."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING)
        return group_partitions(cursor.fetchall())


def group_partitions(rows: Iterable[tuple[str, date]]) -> dict[str, set[date]]:
    """What the statement ``EXISTING`` gives, by parent."""
    found: dict[str, set[date]] = {}
    for parent, starts_on in rows:
        found.setdefault(parent, set()).add(starts_on)
    return found


def add_partition(partition: Partition) -> bool:
    """The partition exists; whether this call made it. Raises ``OperationalError`` when a lock is not to be had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT studio_add_partition(%s, %s, %s)", list(partition))
        (is_new,) = cursor.fetchone()
    return bool(is_new)


def is_missing_partition(error: IntegrityError) -> bool:
    """Whether a row was refused because its table has no partition for it, rather than by a rule on its values."""
    cause = error.__cause__
    return isinstance(cause, CheckViolation) and cause.diag.constraint_name is None


def drop_partition(partition: Partition) -> bool:
    """The partition is gone; whether this call dropped it. Raises ``OperationalError`` when a lock is not to be had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT studio_drop_partition(%s, %s)", [partition.parent, partition.starts_on])
        (was_there,) = cursor.fetchone()
    return bool(was_there)


def _spans(parent: str, span: Span, first: date, last: date) -> Iterator[Partition]:
    starts_on = span.start_of(first)
    while starts_on <= last:
        ends_on = span.after(starts_on)
        yield Partition(parent, starts_on, ends_on)
        starts_on = ends_on
