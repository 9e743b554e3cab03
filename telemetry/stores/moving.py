"""Moving kept events in bulk: out to a file, away, and back in; statements of ``PostgresEventStore``."""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import connection

from telemetry.stores import arrays
from telemetry.stores.base import RemovedRows, RestoredRow, RowsDigest, RowSelection
from telemetry.stores.counts import ADD, SIZE, size_of
from telemetry.stores.digests import NAMES, POSTGRESQL_DIGEST
from telemetry.stores.removals import HELD, Removed

__all__ = ["digest_rows", "export_rows", "part_ends", "remove_rows", "restore_rows"]

_MATCHING: Final = f"""
    installation_id = %(installation_id)s AND retention_class = %(retention_class)s
    AND received_at >= %(start)s AND received_at < %(end)s
    AND (%(expires_by)s::timestamptz IS NULL OR expires_at <= %(expires_by)s)
    AND (
        %(names)s::text[] IS NULL
        OR (name, version) IN (SELECT * FROM unnest(%(names)s::text[], %(versions)s::integer[]))
    )
    AND NOT ({HELD})
"""
_ROWS: Final = f"(SELECT * FROM telemetry_storedevent event WHERE {_MATCHING}) matching"
_DIGEST: Final = f"SELECT {POSTGRESQL_DIGEST.format(rows=_ROWS)}"
# What is deleted is what the digest says, whatever happened since somebody else looked.
_REMOVE: Final = f"""
WITH removed AS (DELETE FROM telemetry_storedevent event WHERE {_MATCHING} RETURNING *)
SELECT NULL, NULL, NULL, NULL, NULL, digest.* FROM (SELECT {POSTGRESQL_DIGEST.format(rows="removed")}) AS digest
UNION ALL
SELECT tenant_id, (received_at AT TIME ZONE 'UTC')::date, name, version, sum({SIZE})::bigint, count(*), NULL
FROM removed AS event GROUP BY 1, 2, 3, 4
"""
_COLUMNS: Final = ", ".join("%(public_id)s::uuid" if name == "installation" else name for name in NAMES)
_EXPORT: Final = f"COPY (SELECT {_COLUMNS} FROM telemetry_storedevent event WHERE {_MATCHING}) TO STDOUT (FORMAT csv)"
# Events of one batch share their instant: they stay together.
_PART_ENDS: Final = f"""
SELECT DISTINCT received_at FROM (
    SELECT received_at, row_number() OVER (ORDER BY received_at) AS place
    FROM telemetry_storedevent event WHERE {_MATCHING}
) placed WHERE place %% %(most)s = 0 AND received_at > %(start)s ORDER BY received_at
"""
# By the index of names: an event that is there, restored or never gone, does not come a second time.
_RESTORE: Final = f"""
WITH restored AS (
    INSERT INTO telemetry_storedevent (
        id, tenant_id, installation_id, name, version, received_at, occurred_at, expires_at, retention_class, privacy,
        source, app_version, inclusion_probability, config_revision, properties, context, size_bytes
    )
    SELECT DISTINCT ON (event.id) event.id, %s, %s, event.name, event.version, event.received_at, event.occurred_at, %s,
        event.retention_class, event.privacy, event.source, event.app_version, event.inclusion_probability,
        event.config_revision, event.properties, event.context, event.size_bytes
    FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS event (
        id, name, version, received_at, occurred_at, retention_class, privacy, source, app_version,
        inclusion_probability, config_revision, properties, context, size_bytes
    )
    WHERE NOT EXISTS (
        SELECT FROM telemetry_storedevent known
        WHERE known.installation_id = %s AND known.name = event.name AND known.received_at = event.received_at
            AND known.id = event.id
    )
    RETURNING tenant_id, installation_id, retention_class, (received_at AT TIME ZONE 'UTC')::date AS day, name, version,
        size_bytes, received_at, expires_at
),
counted AS (
    {ADD}
    SELECT tenant_id, installation_id, retention_class, day, name, version, count(*), sum(size_bytes),
        min(received_at), max(received_at), min(expires_at), max(expires_at)
    FROM restored WHERE retention_class > 0 GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT name, version, count(*) FROM restored GROUP BY name, version
"""


def digest_rows(selection: RowSelection) -> RowsDigest:
    """Number and digest of the selected rows, computed by PostgreSQL; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, _parameters(selection))
        return RowsDigest(*cursor.fetchone())


def remove_rows(selection: RowSelection) -> RemovedRows:
    """The selected rows are gone once the transaction commits; what is told is of exactly those. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, _parameters(selection))
        rows = cursor.fetchall()
    (digest,) = (RowsDigest(*row[5:]) for row in rows if row[6] is not None)
    counts = [
        Removed(tenant_id, selection.installation_id, day, name, version, count, selection.retention_class, size_bytes)
        for tenant_id, day, name, version, size_bytes, count, is_digest in rows
        if is_digest is None
    ]
    return RemovedRows(digest, tuple(sorted(counts)))


def export_rows(selection: RowSelection, *, installation: UUID, target: Path) -> None:
    """``target`` holds the selected rows as CSV, in the columns of ``telemetry.stores.digests``; one statement."""
    connection.ensure_connection()
    parameters = {**_parameters(selection), "public_id": installation}
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(_EXPORT, parameters) as lines,
        target.open("wb") as file,
    ):
        for block in lines:
            file.write(block)


def part_ends(selection: RowSelection, *, most: int) -> list[datetime]:
    """Where to cut the selection in time so that no part has many more than ``most`` rows; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_PART_ENDS, {**_parameters(selection), "most": most})
        return [instant for (instant,) in cursor.fetchall()]


def restore_rows(
    *, tenant_id: int, installation_id: int, expires_at: datetime, rows: Sequence[RestoredRow]
) -> dict[tuple[str, int], int]:
    """Those of the rows that are not there are kept; how many of each event that were. One statement."""
    if not rows:
        return {}
    columns = zip(*rows, strict=True)
    ids, names, versions, received, occurred, classes, privacy, sources, apps, kept, revisions, props, contexts = (
        columns
    )
    parameters: list[Any] = [tenant_id, installation_id, expires_at]
    parameters += [arrays.uuids([each.bytes for each in ids]), arrays.texts(names), arrays.integers(versions)]
    parameters += [arrays.instants(received), arrays.instants(occurred), arrays.integers(classes)]
    parameters += [arrays.texts(privacy), arrays.texts(sources), arrays.texts(apps), arrays.doubles(kept)]
    sizes = [size_of(each.name, each.properties, each.context) for each in rows]
    parameters += [arrays.bigints(revisions), arrays.jsonb(props), arrays.jsonb(contexts), arrays.integers(sizes)]
    parameters.append(installation_id)
    return {(name, version): count for name, version, count in arrays.execute(_RESTORE, parameters)}


def _parameters(selection: RowSelection) -> dict[str, Any]:
    names = None if selection.events is None else [name for name, _ in selection.events]
    versions = None if selection.events is None else [version for _, version in selection.events]
    fields = {name: value for name, value in selection._asdict().items() if name != "events"}
    return {**fields, "names": names, "versions": versions}
