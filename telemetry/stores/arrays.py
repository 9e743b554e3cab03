"""Columns of many rows as parameters of one statement: PostgreSQL's binary form of arrays, for ``unnest``.

Row-level security forbids COPY into a table, and psycopg writes an array element by element in Python: for a batch of
500 events that takes longer than the database needs to store them. This writes a column in one pass; storing it by
``unnest`` takes the database as long as COPY of the same rows (10.3 and 9.3 microseconds of CPU per event).

Source: PostgreSQL's ``array_recv``, and the ``recv`` function of each type.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy
import psycopg
from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, PyFormat
from psycopg.postgres import types
from psycopg.pq import Format

__all__ = [
    "Array",
    "bigints",
    "bytea",
    "dates",
    "doubles",
    "execute",
    "instants",
    "integers",
    "jsonb",
    "texts",
    "uuids",
]

_NULL: Final = struct.pack("!i", -1)
_length: Final = struct.Struct("!i").pack
_UUID_LENGTH: Final = _length(16)
# An element of an array: in network order, after its width in bytes.
_INTEGERS, _BIGINTS, _DOUBLES = (numpy.dtype([("width", ">i4"), ("number", form)]) for form in (">i4", ">i8", ">f8"))
# The only version of the binary form of jsonb, before the text.
_JSONB_VERSION: Final = b"\x01"
# Instants count microseconds from here, dates days.
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()


class Array:
    """A column in binary form; ``oid`` is the type of the array."""

    __slots__ = ("content", "oid")

    def __init__(self, type_name: str, count: int, body: bytes, *, has_nulls: bool = False) -> None:
        type_ = types[type_name]
        self.oid: int = type_.array_oid
        self.content = struct.pack("!iiIii", 1, has_nulls, type_.oid, count, 1) + body


class _ArrayDumper(Dumper):
    """Passes the bytes on as they are, under the array's own type."""

    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer | None:
        return obj.content

    def get_key(self, obj: Array, format: PyFormat) -> Any:  # noqa: A002, ARG002 - psycopg's signature
        return (Array, obj.oid)

    def upgrade(self, obj: Array, format: PyFormat) -> Dumper:  # noqa: A002, ARG002 - psycopg's signature
        dumper = type(self)(Array)
        dumper.oid = obj.oid
        return dumper


def execute(statement: str, parameters: Sequence[object] | Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Runs one statement in the transaction that is open, arrays in binary form; its rows, if it gives any.

    Django's own cursors write parameters into the text of the statement, which an array in binary form cannot be.
    Raises Django's database errors.
    """
    connection.ensure_connection()
    if connection.connection.prepare_threshold is None:
        # Django switches preparing off for its own cursors, which cannot; these statements are few and always the same.
        connection.connection.prepare_threshold = 5
        # Here and not for the whole process: Django's connections know only what was registered before the first one.
        connection.connection.adapters.register_dumper(Array, _ArrayDumper)
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description is not None else []


def uuids(values: Sequence[bytes]) -> Array:
    """A column of UUIDs, each given as its 16 bytes."""
    return Array("uuid", len(values), _UUID_LENGTH + _UUID_LENGTH.join(values) if values else b"")


def integers(values: Sequence[int]) -> Array:
    """A column of 32-bit integers."""
    return _numbers("int4", _INTEGERS, values)


def bigints(values: Sequence[int]) -> Array:
    """A column of 64-bit integers."""
    return _numbers("int8", _BIGINTS, values)


def doubles(values: Sequence[float]) -> Array:
    """A column of doubles."""
    return _numbers("float8", _DOUBLES, values)


def dates(ordinals: Sequence[int]) -> Array:
    """A column of dates, each given as its ordinal (``date.toordinal``)."""
    return _numbers("date", _INTEGERS, [ordinal - _EPOCH_DAY for ordinal in ordinals])


def instants(values: Sequence[datetime]) -> Array:
    """A column of aware instants."""
    since = [value - _EPOCH for value in values]
    microseconds = [(each.days * 86_400 + each.seconds) * 1_000_000 + each.microseconds for each in since]
    return _numbers("timestamptz", _BIGINTS, microseconds)


def booleans(values: Sequence[bool]) -> Array:
    """A column of booleans."""
    return _contents("bool", [b"\x01" if value else b"\x00" for value in values])


def texts(values: Iterable[str | None]) -> Array:
    """A column of texts."""
    return _contents("text", [None if value is None else value.encode() for value in values])


def bytea(values: Iterable[bytes | None]) -> Array:
    """A column of bytes."""
    return _contents("bytea", list(values))


def jsonb(values: Iterable[bytes]) -> Array:
    """A column of JSON documents, each given as UTF-8 text."""
    return _contents("jsonb", [_JSONB_VERSION + value for value in values])


def _numbers(type_name: str, element: "numpy.dtype[numpy.void]", values: Sequence[float]) -> Array:
    """Numbers of one width: each after its width."""
    elements = numpy.empty(len(values), element)
    elements["width"] = element["number"].itemsize
    elements["number"] = values
    return Array(type_name, len(values), elements.tobytes())


def _contents(type_name: str, values: Sequence[bytes | None]) -> Array:
    parts = [_NULL if value is None else _length(len(value)) + value for value in values]
    return Array(type_name, len(parts), b"".join(parts), has_nulls=None in values)
