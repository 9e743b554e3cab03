"""Going through all stored events of some installations, slice by slice, and removing single ones for good."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from math import ceil
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from telemetry.core.retention import RetentionClass
from telemetry.models import StoredEvent
from telemetry.stores import arrays
from telemetry.stores.counts import SIZE
from telemetry.stores.partitions import SPANS, table_of
from telemetry.stores.removals import Removed, count_removed

__all__ = ["FoundEvent", "Slice", "erase_events", "events_in", "slices_after", "subjects_in"]

# Rows of a slice, about: what a worker goes through in some seconds, at a sixth of a millisecond each.
SLICE_ROWS: Final = 50_000
# Less than any stored event takes, so that a table without statistics is cut too finely rather than too coarsely.
ROW_BYTES: Final = 250
PORTION: Final = 2_000

# A partition without a page holds no row, and there are hundreds of them ahead.
FILLED: Final = """
SELECT parent.relname, to_date(right(part.relname, 8), 'YYYYMMDD'),
    greatest(part.reltuples::bigint, pg_relation_size(part.oid) / %s)
FROM pg_inherits
JOIN pg_class part ON part.oid = inhrelid
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_inherits of_parent ON of_parent.inhrelid = parent.oid
WHERE of_parent.inhparent = 'telemetry_storedevent'::regclass AND pg_relation_size(part.oid) > 0
"""

ERASE: Final = f"""
WITH gone AS (
    DELETE FROM telemetry_storedevent AS event
    WHERE event.retention_class = %(retention_class)s AND event.received_at >= %(start)s AND event.received_at < %(end)s
        AND event.installation_id = %(installation)s AND event.name = %(name)s AND event.version = %(version)s
        AND event.received_at = ANY (%(instants)s) AND event.id = ANY (%(ids)s)
    RETURNING {SIZE} AS size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM gone
"""


class Slice(NamedTuple):
    """Events of one retention class that were received within [start, end)."""

    retention_class: int
    start: datetime
    end: datetime


class FoundEvent(NamedTuple):
    """One stored event: where it is, and what legal holds go by; ``subjects`` are the pseudonyms in its context."""

    installation_id: int
    name: str
    version: int
    received_at: datetime
    occurred_at: datetime
    id: UUID
    subjects: tuple[str, ...]


def slices_after(last: Slice | None = None) -> Iterator[Slice]:
    """The slices that together hold every stored event, in order, from behind ``last`` on; one query."""
    for whole, rows in _filled():
        start = whole.start
        if last is not None:
            if (whole.retention_class, whole.end) <= (last.retention_class, last.end):
                continue
            if whole.retention_class == last.retention_class:
                start = max(start, last.end)
        width = (whole.end - whole.start) / max(1, ceil(rows / SLICE_ROWS))
        while start < whole.end:
            # Two ends of a microsecond's difference are one: a width is rounded.
            end = whole.end if whole.end - start < 1.5 * width else start + width
            yield Slice(whole.retention_class, start, end)
            start = end


def events_in(
    part: Slice, installation_ids: Collection[int], is_wanted: Callable[[str, str], bool]
) -> Iterator[FoundEvent]:
    """The installations' events in the slice, past their day or not, whose properties and context are wanted.

    ``is_wanted`` gets both as JSON text. Read as a stream: in a transaction, and in a context that shows them.
    """
    rows = _rows_of(part).filter(installation_id__in=installation_ids).order_by()
    texts = rows.annotate(shown=Cast("properties", TextField()), around=Cast("context", TextField()))
    columns = (*FoundEvent._fields[:-1], "shown", "around")
    for *found, shown, around in texts.values_list(*columns).iterator(PORTION):
        if is_wanted(shown, around):
            yield FoundEvent._make((*found, subjects_in(msgspec.json.decode(around))))


def erase_events(tenant_id: int, part: Slice, events: Sequence[FoundEvent]) -> int:
    """These events of the slice, all the tenant's, are gone once the transaction commits; how many were there.

    Counted as erased in the balance. One query for each day of each version of an event, after ``lock_removals``.
    """
    groups: dict[tuple[int, date, str, int], list[FoundEvent]] = {}
    for event in events:
        day = event.received_at.astimezone(UTC).date()
        groups.setdefault((event.installation_id, day, event.name, event.version), []).append(event)
    removed: list[Removed] = []
    for (installation_id, day, name, version), group in groups.items():
        instants = {event.received_at for event in group}
        parameters: dict[str, Any] = {
            **part._asdict(),
            "installation": installation_id,
            "name": name,
            "version": version,
            "instants": arrays.instants(sorted(instants)),
            "ids": arrays.uuids([event.id.bytes for event in group]),
        }
        ((count, size_bytes),) = arrays.execute(ERASE, parameters)
        counted = (tenant_id, installation_id, day, name, version)
        removed.append(Removed(*counted, count, part.retention_class, size_bytes))
    count_removed(removed, "erased")
    return sum(each.rows for each in removed)


def subjects_in(context: Mapping[str, Any]) -> tuple[str, ...]:
    """The pseudonyms that an event's context names people by."""
    named = (context.get(name) for name in ("userId", "sessionId", "deviceId", "actor"))
    return tuple(each for each in named if isinstance(each, str))


def _rows_of(part: Slice) -> QuerySet[StoredEvent]:
    return StoredEvent.with_expired.filter(
        retention_class=part.retention_class, received_at__gte=part.start, received_at__lt=part.end
    )


def _filled() -> list[tuple[Slice, int]]:
    """The partitions that hold something, in order, and about how many rows."""
    classes = {table_of(each): each for each in RetentionClass}
    with connection.cursor() as cursor:
        cursor.execute(FILLED, [ROW_BYTES])
        found = [(classes[table], first, rows) for table, first, rows in cursor.fetchall()]
    return sorted((_slice_of(kind, first), rows) for kind, first, rows in found)


def _slice_of(kind: RetentionClass, first: date) -> Slice:
    return Slice(int(kind), _midnight(first), _midnight(SPANS[kind].after(first)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
