"""Questions about archived events in SQL: asked of copies of the files, with no way to anything else."""

# ruff: noqa: S608 - the view is made of paths of files that this process made

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.stores.archive.parquet import open_duckdb
from telemetry.stores.digests import NAMES

__all__ = ["Answer", "ask"]

# Rows that an answer has at most, unless somebody asks for more.
PORTION: Final = 1_000


class Answer(NamedTuple):
    """The names of the columns, and the rows as they are fetched."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def ask(files: Sequence[Path], question: str, *, spill: Path) -> Iterator[Answer]:
    """The answer of one ``SELECT`` over the view ``events``, which has the files' rows and no others.

    Nothing but these files can be read, and nothing written; what does not fit into memory goes to ``spill``. Raises
    ``InvalidDocument`` for anything that is not one ``SELECT`` or that DuckDB refuses.
    """
    with open_duckdb(spill) as database:
        _prepare(database, files)
        try:
            statements = database.extract_statements(question)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise _refused("must be one SELECT over the view events")
            found = database.execute(statements[0])
        except duckdb.Error as error:
            raise _refused(_reason(error)) from None
        yield Answer(tuple(column[0] for column in found.description or ()), _rows(found))


def _prepare(database: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    paths = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    source = (
        f"read_parquet([{paths}])"
        if files
        else "(SELECT {})".format(", ".join(f"NULL AS {name}" for name in NAMES)) + " WHERE false"
    )
    database.execute(f"CREATE VIEW events AS SELECT {', '.join(NAMES)} FROM {source}")
    database.execute(f"SET allowed_paths = [{paths}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    try:
        while portion := found.fetchmany(PORTION):
            yield from portion
    except duckdb.Error as error:
        raise _refused(_reason(error)) from None


def _reason(error: duckdb.Error) -> str:
    """The first line of what DuckDB says, which is about the question."""
    return str(error).partition("\n")[0][:300]


def _refused(reason: str) -> InvalidDocument:
    return InvalidDocument([FieldError("invalid_query", "sql", reason)], what="query")
