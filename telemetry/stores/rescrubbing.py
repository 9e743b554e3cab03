"""Going through an installation's stored events and changing what they show; statements of ``PostgresEventStore``."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from telemetry.stores import arrays
from telemetry.stores.base import RowChange, ScannedRow, StoredRow
from telemetry.stores.removals import HELD, reopen_days

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
# A class and a span of time name the partitions; the index of names the rows.
_CHANGE: Final = """
UPDATE telemetry_storedevent AS event
SET properties = changed.properties, context = changed.context, privacy = changed.privacy
FROM unnest(%s, %s, %s, %s, %s) AS changed (id, received_at, properties, context, privacy)
WHERE event.installation_id = %s AND event.name = %s AND event.retention_class = %s
    AND event.received_at >= %s AND event.received_at <= %s
    AND event.received_at = changed.received_at AND event.id = changed.id
RETURNING event.id
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

    One statement for each class. What is stored of their days is counted anew by the next purge: rows have other sizes.
    """
    changed: set[UUID] = set()
    by_class = sorted(changes, key=attrgetter("row.retention_class"))
    for retention_class, group in groupby(by_class, key=attrgetter("row.retention_class")):
        changed |= _change(installation_id, retention_class, list(group))
    reopen_days({change.row.received_at.astimezone(UTC).date() for change in changes})
    return changed


def _change(installation_id: int, retention_class: int, changes: Sequence[RowChange]) -> set[UUID]:
    instants = [change.row.received_at for change in changes]
    columns = [
        arrays.uuids([change.row.id.bytes for change in changes]),
        arrays.instants(instants),
        arrays.jsonb([change.properties for change in changes]),
        arrays.jsonb([change.context for change in changes]),
        arrays.texts([change.privacy.value for change in changes]),
    ]
    name = changes[0].row.name
    rows = arrays.execute(_CHANGE, [*columns, installation_id, name, retention_class, min(instants), max(instants)])
    return {event_id for (event_id,) in rows}
