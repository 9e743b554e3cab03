"""The event store in the studio's own PostgreSQL."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from telemetry.models import StoredEvent
from telemetry.stores import arrays, moving, rescrubbing
from telemetry.stores.arrays import Array, execute
from telemetry.stores.base import (
    EventGroup,
    EventWindow,
    RemovedRows,
    RestoredRow,
    RowChange,
    RowsDigest,
    RowSelection,
    ScannedRow,
    StoredRow,
    StoredSize,
)
from telemetry.stores.counts import ADD_BATCH, SLOT, size_of

__all__ = ["PostgresEventStore"]

# One statement for all rows, see ``telemetry.stores.arrays``. What the events of a group share travels once, with what
# they come to together, and so does a context that several have: reading JSON is half of what a row costs. Unlike
# ``FROM unnest(...)``, several in a list give rows that are not kept anywhere first.
WRITE: Final = f"""
WITH batch AS (SELECT %s::bigint AS tenant_id, %s::bigint AS installation_id, %s::timestamptz AS received_at),
shared AS NOT MATERIALIZED (
    SELECT * FROM batch, unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) WITH ORDINALITY AS shared (
        name, version, expires_at, retention_class, privacy, source, app_version, inclusion_probability,
        config_revision, rows, size_bytes, number
    )
),
counted AS (
    {ADD_BATCH}
    SELECT {SLOT.format(day="(received_at AT TIME ZONE 'UTC')::date")},
        tenant_id, installation_id, retention_class, (received_at AT TIME ZONE 'UTC')::date, name, version,
        sum(rows), sum(size_bytes), received_at, received_at, min(expires_at), max(expires_at)
    FROM shared WHERE retention_class > 0
    GROUP BY tenant_id, installation_id, received_at, retention_class, name, version
)
INSERT INTO telemetry_storedevent (
    id, tenant_id, installation_id, name, version, received_at, occurred_at, expires_at, retention_class, privacy,
    source, app_version, inclusion_probability, config_revision, properties, context, size_bytes
)
SELECT event.id, shared.tenant_id, shared.installation_id, shared.name, shared.version, shared.received_at,
    event.occurred_at, shared.expires_at, shared.retention_class, shared.privacy, shared.source, shared.app_version,
    shared.inclusion_probability, shared.config_revision, event.properties, context.content, event.size_bytes
FROM (
    SELECT unnest(%s) AS group_number, unnest(%s) AS id, unnest(%s) AS occurred_at, unnest(%s) AS properties,
        unnest(%s) AS context_number, unnest(%s) AS size_bytes
) AS event
JOIN shared ON shared.number = event.group_number
JOIN unnest(%s) WITH ORDINALITY AS context (content, number) ON context.number = event.context_number
"""

SIZES: Final = """
SELECT class.relname, coalesce(sum(greatest(part.reltuples, 0)), 0)::bigint,
    coalesce(sum(pg_total_relation_size(part.oid)), 0)::bigint
FROM pg_inherits of_class
JOIN pg_class class ON class.oid = of_class.inhrelid
LEFT JOIN pg_inherits of_part ON of_part.inhparent = class.oid
LEFT JOIN pg_class part ON part.oid = of_part.inhrelid
WHERE of_class.inhparent = 'telemetry_storedevent'::regclass
GROUP BY class.relname
"""


class PostgresEventStore:
    """Keeps events in ``telemetry_storedevent``, in the transaction that is open."""

    def write(
        self, *, tenant_id: int, installation_id: int, received_at: datetime, groups: Sequence[EventGroup]
    ) -> None:
        """The events are kept once the transaction commits; one statement."""
        rows = [row for group in groups for row in group.rows]
        if not rows:
            return
        numbers = [number for number, group in enumerate(groups, start=1) for _ in group.rows]
        sizes = [_sizes(group) for group in groups]
        ids, instants, properties, contexts = zip(*rows, strict=True)
        context_numbers: dict[bytes, int] = {}
        of_events = [
            *(arrays.integers(numbers), arrays.uuids(ids), arrays.instants(instants), arrays.jsonb(properties)),
            arrays.integers([context_numbers.setdefault(context, len(context_numbers) + 1) for context in contexts]),
            arrays.integers(list(chain.from_iterable(sizes))),
        ]
        of_groups = [
            *_shared(groups),
            *(arrays.bigints([len(each) for each in sizes]), arrays.bigints([sum(each) for each in sizes])),
        ]
        execute(WRITE, [tenant_id, installation_id, received_at, *of_groups, *of_events, arrays.jsonb(context_numbers)])

    def read(self, installation_id: int, window: EventWindow) -> list[StoredRow]:
        """The installation's events in the window, the newest first; one query."""
        rows = _matching(installation_id, window).order_by("-received_at", "-occurred_at", "id")
        return [StoredRow(*row) for row in rows.values_list(*StoredRow._fields)[: window.limit]]

    def fetch(
        self, installation_id: int, received_at: datetime, names: Sequence[str], ids: Sequence[UUID]
    ) -> list[StoredRow]:
        """The installation's events with these ids, by its index of names; one query."""
        rows = StoredEvent.objects.filter(
            installation_id=installation_id, name__in=names, received_at=received_at, id__in=ids
        )
        found = {row[0]: StoredRow(*row) for row in rows.order_by().values_list(*StoredRow._fields)}
        return [found[each] for each in ids if each in found]

    def counts(self, installation_id: int, start: datetime, end: datetime) -> dict[tuple[str, int], int]:
        """By name and version, how many events received in [start, end) are there; one query."""
        rows = StoredEvent.with_expired.filter(
            installation_id=installation_id, received_at__gte=start, received_at__lt=end
        )
        counted = rows.order_by().values_list("name", "version").annotate(rows=Count("*"))
        return {(name, version): count for name, version, count in counted}

    def digest(self, selection: RowSelection) -> RowsDigest:
        """Number and digest of the selected rows; one query."""
        return moving.digest_rows(selection)

    def part_ends(self, selection: RowSelection, *, most: int) -> list[datetime]:
        """Where to cut the selection; one query."""
        return moving.part_ends(selection, most=most)

    def export(self, selection: RowSelection, *, installation: UUID, target: Path) -> None:
        """``target`` holds the selected rows as CSV; one statement."""
        moving.export_rows(selection, installation=installation, target=target)

    def remove(self, selection: RowSelection) -> RemovedRows:
        """The selected rows are gone once the transaction commits; one statement."""
        return moving.remove_rows(selection)

    def restore(
        self, *, tenant_id: int, installation_id: int, expires_at: datetime, rows: Sequence[RestoredRow]
    ) -> dict[tuple[str, int], int]:
        """Those of the rows that are not there are kept; one statement."""
        return moving.restore_rows(
            tenant_id=tenant_id, installation_id=installation_id, expires_at=expires_at, rows=rows
        )

    def names(self, installation_id: int) -> list[str]:
        """The names of what is there of the installation; one query."""
        return rescrubbing.names_stored(installation_id)

    def scan(self, installation_id: int, name: str, *, after: tuple[datetime, UUID], limit: int) -> list[ScannedRow]:
        """The next events of this name; one query."""
        return rescrubbing.scan_rows(installation_id, name, after=after, limit=limit)

    def change(self, installation_id: int, changes: Sequence[RowChange]) -> set[UUID]:
        """The events show what the changes say; one statement for each class."""
        return rescrubbing.change_rows(installation_id, changes)

    def sizes(self) -> list[StoredSize]:
        """What each class holds, by the statistics of the database; one query."""
        with connection.cursor() as cursor:
            cursor.execute(SIZES)
            sizes = [StoredSize(_class_of(name), rows, size) for name, rows, size in cursor.fetchall()]
        return sorted(sizes, key=lambda each: each.retention_class or float("inf"))


def _sizes(group: EventGroup) -> list[int]:
    least = size_of(group.name)
    return [least + len(properties) + len(context) for _, _, properties, context in group.rows]


def _shared(groups: Sequence[EventGroup]) -> list[Array]:
    return [
        arrays.texts([group.name for group in groups]),
        arrays.integers([group.version for group in groups]),
        arrays.instants([group.expires_at for group in groups]),
        arrays.integers([group.retention_class for group in groups]),
        arrays.texts([group.privacy for group in groups]),
        arrays.texts([group.source for group in groups]),
        arrays.texts([group.app_version for group in groups]),
        arrays.doubles([group.inclusion_probability for group in groups]),
        arrays.bigints([group.config_revision for group in groups]),
    ]


def _matching(installation_id: int, window: EventWindow) -> QuerySet[StoredEvent]:
    found = StoredEvent.objects.filter(
        installation_id=installation_id, received_at__gte=window.start, received_at__lt=window.end
    )
    chosen: dict[str, Any] = {"name": window.name, "version": window.version}
    return found.filter(**{field: value for field, value in chosen.items() if value is not None})


def _class_of(table: str) -> int:
    word = table.rpartition("_")[2]
    return 0 if word == "hold" else int(word.removeprefix("d"))
