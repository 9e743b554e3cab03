"""Archived files by DuckDB: made of rows, and read again."""

# ruff: noqa: S608 - statements are made of constants of this package, and of paths of files that this process made

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from telemetry.stores.archive.manifest import ArchivedEvent, Contents
from telemetry.stores.base import RowsDigest
from telemetry.stores.digests import COLUMNS, DUCKDB_DIGEST, NAMES

__all__ = ["open_duckdb", "read_contents", "read_rows", "write_parquet"]

# A worker has other work too; what does not fit spills to the directory of the file.
MEMORY: Final = "512MB"
# Rows that are read at once when somebody filters or changes them one by one.
PORTION: Final = 2_000
# The largest line: properties and context of one event, and room for quotes.
LINE_BYTES: Final = 67_108_864

# As PostgreSQL writes it: an empty field is null, an empty text stands in quotes.
_READ_CSV: Final = (
    "read_csv({path}, header=false, auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='', "
    f"allow_quoted_nulls=false, parallel=false, max_line_size={LINE_BYTES}, buffer_size={2 * LINE_BYTES}, "
    "columns={{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}})"
)
_CONTENTS: Final = """
SELECT min(received_at), max(received_at), max(expires_at), list(DISTINCT config_revision ORDER BY config_revision)
FROM rows
"""

_EVENTS: Final = "SELECT name, version, CAST(received_at AS DATE), count(*) FROM rows GROUP BY ALL ORDER BY ALL"


@contextmanager
def open_duckdb(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that fetches nothing from anywhere and writes what does not fit to ``spill``."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY,
        "threads": "2",
        "temp_directory": str(spill),
    }
    connection = duckdb.connect(config=config)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def write_parquet(lines: Path, target: Path) -> None:
    """``target`` holds the rows of the CSV file ``lines``, by event and time; raises ``duckdb.Error`` and ``OSError``.

    Sorted, because values of one event are alike: files get smaller, and whoever asks for one event reads less.
    """
    with open_duckdb(target.parent) as database:
        database.execute(
            f"COPY (SELECT * FROM {_READ_CSV.format(path=_quoted(lines))} ORDER BY name, version, received_at, id) "
            f"TO {_quoted(target)} (FORMAT parquet, COMPRESSION zstd)"
        )


def read_contents(file: Path) -> Contents:
    """What the file holds, by reading every value of it; raises ``duckdb.Error`` for what is no such file."""
    with open_duckdb(file.parent) as database:
        database.execute(f"CREATE VIEW rows AS SELECT {', '.join(NAMES)} FROM read_parquet({_quoted(file)})")
        rows = RowsDigest(*_one(database, f"SELECT {DUCKDB_DIGEST.format(rows='rows')}"))
        first, last, expires_at, revisions = _one(database, _CONTENTS)
        events = database.execute(_EVENTS).fetchall()
    return Contents(
        rows=rows,
        events=tuple(
            ArchivedEvent(name=name, version=version, day=day, rows=count) for name, version, day, count in events
        ),
        received_from=first,
        received_until=last,
        last_expires_at=expires_at,
        config_revisions=tuple(revisions or ()),
    )


def read_rows(file: Path, *, portion: int = PORTION) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in portions, as tuples in the order of ``NAMES``; JSON as text. Raises ``duckdb.Error``."""
    with open_duckdb(file.parent) as database:
        found = database.execute(f"SELECT {', '.join(NAMES)} FROM read_parquet({_quoted(file)})")
        while rows := found.fetchmany(portion):
            yield rows


def _one(database: duckdb.DuckDBPyConnection, statement: str) -> tuple[Any, ...]:
    row = database.execute(statement).fetchone()
    if row is None:
        raise duckdb.InvalidInputException("no answer")
    return tuple(row)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
