"""What runs know of what they have removed; each call is part of the transaction that removes it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection

from telemetry.stores.removals import Removed

__all__ = ["add_to_items", "add_to_runs"]

ITEMS: Final = """
UPDATE telemetry_purgeitem AS item SET rows = item.rows + gone.rows, size_bytes = item.size_bytes + gone.size_bytes,
    archived_rows = item.archived_rows + gone.archived_rows, archived_bytes = item.archived_bytes + gone.archived_bytes
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS gone (run_id, installation_id, name, version, rows, size_bytes, archived_rows, archived_bytes)
WHERE item.run_id = gone.run_id AND item.installation_id = gone.installation_id AND item.name = gone.name
    AND item.version = gone.version
"""
RUNS: Final = """
UPDATE telemetry_purgerun AS run SET partitions = run.partitions + gone.partitions
FROM unnest(%s::bigint[], %s::int[]) AS gone (id, partitions)
WHERE run.id = gone.id
"""


def add_to_items(removed: Iterable[tuple[int, Removed]], *, is_archived: bool) -> None:
    """The items of the runs, given by id, say that these rows are gone, for good or into the archive. One query."""
    sums: dict[tuple[int, int, str, int], list[int]] = {}
    for run_id, each in removed:
        item = sums.setdefault((run_id, each.installation_id, each.name, each.version), [0, 0])
        item[0] += each.rows
        item[1] += each.size_bytes
    none = (0, 0)
    _execute(ITEMS, [(*key, *none, *item) if is_archived else (*key, *item, *none) for key, item in sums.items()])


def add_to_runs(partitions: Mapping[int, int]) -> None:
    """The runs, given by id, say that so many partitions more have gone as a whole. One query."""
    _execute(RUNS, list(partitions.items()))


def _execute(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
