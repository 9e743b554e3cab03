"""Merging tallies: many rows per minute become one, and days are summed up; nothing is lost or counted twice."""

# ruff: noqa: S608 - statements are made of constants of this module

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from telemetry.models.event_tally import TallyCounts
from telemetry.stores.tallies import TallyRow, add_tallies
from telemetry.tallies.detail import decode_detail, encode_detail
from telemetry.tallies.merging import merge_details
from tenants.context import ALL, set_tenant_context

__all__ = ["SLICE", "merge_tallies", "wait_for_merging"]

# A batch may still be on its way to its commit when its minute is over. One that takes longer is merged later.
SETTLED_AFTER: Final = timedelta(minutes=2)
# Rows at once: about a second of work, and some 20 MB.
SLICE: Final = 5_000

# One at a time: two would wait for each other's rows.
LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('studio_merge_tallies', 0))"
WAIT: Final = "SELECT pg_advisory_xact_lock(hashtextextended('studio_merge_tallies', 0))"
LAST_MINUTE: Final = """
SELECT max(received_minute) FROM (
    SELECT received_minute FROM telemetry_eventtally
    WHERE NOT is_merged AND received_minute < %s ORDER BY received_minute LIMIT %s
) AS slice
"""
COUNTS: Final = TallyCounts._fields
# Those of a ``TallyRow``, whose counts come last.
COLUMNS: Final = (*TallyRow._fields[:-1], *COUNTS)
# What is taken out is what is put in again: a row that is committed in between is not seen, and stays for next time.
TAKE: Final = f"""
DELETE FROM telemetry_eventtally WHERE NOT is_merged AND received_minute <= %s RETURNING {", ".join(COLUMNS)}
"""
ADD_DAYS: Final = f"""
INSERT INTO telemetry_eventday AS day
    (tenant_id, installation_id, day, name, version, last_received_at, {", ".join(COUNTS)})
VALUES (%s, %s, %s, %s, %s, %s, {", ".join(["%s"] * len(COUNTS))})
ON CONFLICT (installation_id, day, name, version) DO UPDATE SET
    last_received_at = greatest(day.last_received_at, excluded.last_received_at),
    {", ".join(f"{each} = day.{each} + excluded.{each}" for each in COUNTS)}
"""


def merge_tallies(*, now: datetime | None = None) -> int:
    """Tallies of minutes that are over are merged, a slice of the oldest ones; how many rows there were.

    One row for each installation, event, minute of happening and minute of receipt, and ``EventDay`` counts them too.
    One transaction: it is done as a whole, or not at all. 0 when nothing is left, and when somebody else is at it.
    """
    settled = (now or timezone.now()) - SETTLED_AFTER
    with transaction.atomic(), connection.cursor() as cursor:
        set_tenant_context(ALL)
        cursor.execute(LOCK)
        (is_ours,) = cursor.fetchone()
        if not is_ours:
            return 0
        cursor.execute(LAST_MINUTE, [settled, SLICE])
        (last_minute,) = cursor.fetchone()
        if last_minute is None:
            return 0
        cursor.execute(TAKE, [last_minute])
        rows = [_row(columns) for columns in cursor.fetchall()]
        add_tallies([_merged(group) for group in _grouped(rows, _key_of)])
        cursor.executemany(ADD_DAYS, sorted(_day_of(group) for group in _grouped(rows, _day_key_of)))
    return len(rows)


def wait_for_merging() -> None:
    """From here to the end of the transaction that is open, no tallies are merged."""
    with connection.cursor() as cursor:
        cursor.execute(WAIT)


def _row(columns: Sequence[Any]) -> TallyRow:
    first_count = len(COLUMNS) - len(COUNTS)
    return TallyRow._make((*columns[:first_count], TallyCounts._make(columns[first_count:])))


def _grouped(rows: Iterable[TallyRow], key_of: Callable[[TallyRow], object]) -> Iterable[list[TallyRow]]:
    groups: dict[object, list[TallyRow]] = {}
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return groups.values()


def _key_of(row: TallyRow) -> tuple[object, ...]:
    return row.installation_id, row.name, row.version, row.minute, row.received_minute


def _day_key_of(row: TallyRow) -> tuple[object, ...]:
    return row.installation_id, row.name, row.version, row.received_minute.astimezone(UTC).date()


def _merged(rows: Sequence[TallyRow]) -> TallyRow:
    details = [decode_detail(row.detail) for row in rows if row.detail is not None]
    return rows[0]._replace(
        last_received_at=max(row.last_received_at for row in rows),
        is_merged=True,
        detail=encode_detail(merge_details(details)) if details else None,
        counts=_sum(rows),
    )


def _day_of(rows: Sequence[TallyRow]) -> tuple[Any, ...]:
    first = rows[0]
    day = first.received_minute.astimezone(UTC).date()
    last = max(row.last_received_at for row in rows)
    return first.tenant_id, first.installation_id, day, first.name, first.version, last, *_sum(rows)


def _sum(rows: Sequence[TallyRow]) -> TallyCounts:
    return TallyCounts(*map(sum, zip(*(row.counts for row in rows), strict=True)))
