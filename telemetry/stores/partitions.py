"""The partitions that events need from now on: which there should be, which there are, and adding one."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db import connection

from telemetry.core.retention import RetentionClass, Span

__all__ = ["AHEAD", "Partition", "add_partition", "existing_partitions", "wanted_partitions"]

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
    AND parent.relname LIKE 'telemetry\\_%%'
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


def table_of(retention_class: RetentionClass) -> str:
    """The table that holds the class's partitions."""
    word = "hold" if retention_class is RetentionClass.HOLD else f"d{int(retention_class)}"
    return f"telemetry_storedevent_{word}"


def existing_partitions() -> dict[str, set[date]]:
    """The first days of the partitions that there are, by parent; one query."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING.replace("%%", "%"))
        found: dict[str, set[date]] = {}
        for parent, starts_on in cursor.fetchall():
            found.setdefault(parent, set()).add(starts_on)
    return found


def add_partition(partition: Partition) -> bool:
    """The partition exists; whether this call made it. Raises ``OperationalError`` when a lock is not to be had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT studio_add_partition(%s, %s, %s)", list(partition))
        (is_new,) = cursor.fetchone()
    return bool(is_new)


def _spans(parent: str, span: Span, first: date, last: date) -> Iterator[Partition]:
    starts_on = span.start_of(first)
    while starts_on <= last:
        ends_on = span.after(starts_on)
        yield Partition(parent, starts_on, ends_on)
        starts_on = ends_on
