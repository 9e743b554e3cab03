"""Going through an installation's stored events and changing what they show; statements of ``PostgresEventStore``."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from telemetry.stores import arrays
from telemetry.stores.base import RowChange, ScannedRow, StoredRow
from telemetry.stores.counts import SIZE, StoredChange, change_counts, size_of
from telemetry.stores.removals import HELD

__all__ = ["change_rows", "names_stored", "scan_rows"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode

# By the index of names, partition by partition; what is past its day is there as long as nobody removed it.
_SCAN: Final = f"""
SELECT {", ".join(f"event.{name}" for name in StoredRow._fields[:-2])},
    event.properties::text, event.context::text, {HELD}
FROM telemetry_storedevent AS event
WHERE event.installation_id = %(installation)s AND event.name = %(name)s
    AND (event.received_at, event.id) > (%(received_at)s, %(id)s)
ORDER BY event.received_at, event.id LIMIT %(limit)s
"""
# From each name to the next one by the index of names: rows are not counted through.
_NAMES: Final = """
WITH RECURSIVE names AS (
    (SELECT name FROM telemetry_storedevent WHERE installation_id = %s ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (
        SELECT following.name FROM telemetry_storedevent following
        WHERE following.installation_id = %s AND following.name > names.name ORDER BY following.name LIMIT 1
    ) FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL
"""
# A class and a span of time name the partitions; the index of names the rows. ``known`` is the row as it was.
_CHANGE: Final = f"""
WITH known AS (
    SELECT event.tableoid AS part, event.ctid AS place, {SIZE} AS size_before, changed.*
    FROM unnest(%(ids)s, %(instants)s, %(properties)s, %(contexts)s, %(privacy)s, %(sizes)s)
        AS changed (id, received_at, properties, context, privacy, size_bytes)
    JOIN telemetry_storedevent AS event ON event.received_at = changed.received_at AND event.id = changed.id
    WHERE event.installation_id = %(installation)s AND event.name = %(name)s AND event.retention_class = %(class)s
        AND event.received_at >= %(first)s AND event.received_at <= %(last)s
)
UPDATE telemetry_storedevent AS event
SET properties = known.properties, context = known.context, privacy = known.privacy, size_bytes = known.size_bytes
FROM known
WHERE event.installation_id = %(installation)s AND event.name = %(name)s AND event.retention_class = %(class)s
    AND event.received_at >= %(first)s AND event.received_at <= %(last)s
    AND event.received_at = known.received_at AND event.id = known.id
    AND event.tableoid = known.part AND event.ctid = known.place
RETURNING event.id, event.tenant_id, (event.received_at AT TIME ZONE 'UTC')::date, event.version,
    known.size_bytes - known.size_before
"""


def names_stored(installation_id: int) -> list[str]:
    """The names of what is stored of the installation, sorted; one query, which jumps from name to name."""
    return [name for (name,) in arrays.execute(_NAMES, [installation_id, installation_id])]


def scan_rows(installation_id: int, name: str, *, after: tuple[datetime, UUID], limit: int) -> list[ScannedRow]:
    """The next events of this name after an instant and id, in their order, past their day or not; one query."""
    received_at, last_id = after
    parameters: dict[str, Any] = {
        "installation": installation_id,
        "name": name,
        "received_at": received_at,
        "id": last_id,
        "limit": limit,
    }
    rows = arrays.execute(_SCAN, parameters)
    return [
        ScannedRow(StoredRow._make((*row, _decode(properties), _decode(context))), is_held)
        for *row, properties, context, is_held in rows
    ]


def change_rows(installation_id: int, changes: Sequence[RowChange]) -> set[UUID]:
    """The events, which have one name, show what the changes say once the transaction commits; ids of those there.

    One statement for each class, and one for each day and version in it, whose rows have other sizes now.
    """
    changed: set[UUID] = set()
    by_class = sorted(changes, key=attrgetter("row.retention_class"))
    for retention_class, group in groupby(by_class, key=attrgetter("row.retention_class")):
        changed |= _change(installation_id, retention_class, list(group))
    return changed


def _change(installation_id: int, retention_class: int, changes: Sequence[RowChange]) -> set[UUID]:
    instants, name = [change.row.received_at for change in changes], changes[0].row.name
    parameters: dict[str, Any] = {
        "ids": arrays.uuids([change.row.id.bytes for change in changes]),
        "instants": arrays.instants(instants),
        "properties": arrays.jsonb([change.properties for change in changes]),
        "contexts": arrays.jsonb([change.context for change in changes]),
        "privacy": arrays.texts([change.privacy.value for change in changes]),
        "sizes": arrays.integers([size_of(name, change.properties, change.context) for change in changes]),
        "installation": installation_id,
        "name": name,
        "class": retention_class,
        "first": min(instants),
        "last": max(instants),
    }
    changed, grown = set[UUID](), Counter[tuple[int, date, int]]()
    for event_id, tenant_id, day, version, growth in arrays.execute(_CHANGE, parameters):
        changed.add(event_id)
        grown[tenant_id, day, version] += growth
    change_counts(
        StoredChange(tenant_id, installation_id, retention_class, day, name, version, 0, growth)
        for (tenant_id, day, version), growth in sorted(grown.items())
    )
    return changed
