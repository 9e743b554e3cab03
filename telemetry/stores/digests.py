"""The columns of an archived file, and what of a row goes into its digest: for both databases, and for outsiders."""

# ruff: noqa: S608 - statements are made of constants of this module

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any, Final

__all__ = ["COLUMNS", "DUCKDB_DIGEST", "NAMES", "POSTGRESQL_DIGEST", "digest_of_lines", "line_digest"]

# What is kept of a stored event, with DuckDB's types. The tenant is the file's.
COLUMNS: Final = {
    "id": "UUID",
    "installation": "UUID",
    "name": "VARCHAR",
    "version": "INTEGER",
    "received_at": "TIMESTAMPTZ",
    "occurred_at": "TIMESTAMPTZ",
    "expires_at": "TIMESTAMPTZ",
    "retention_class": "INTEGER",
    "privacy": "VARCHAR",
    "source": "VARCHAR",
    "app_version": "VARCHAR",
    "inclusion_probability": "DOUBLE",
    "config_revision": "BIGINT",
    "properties": "JSON",
    "context": "JSON",
}
NAMES: Final = tuple(COLUMNS)

# Every column once, as text that both databases write alike: instants in microseconds since 1970, the probability as a
# multiple of 2**-62, an absent version of the app as a character that no version has. The database that has the rows
# and the one that reads the file compute the digest each by itself, so neither the way between them nor the file's
# format has to be trusted.
_LINE: Final = """concat_ws(chr(31), id::{text}, name, version::{text}, {received}, {occurred}, {expires},
    retention_class::{text}, privacy, source, coalesce(app_version, chr(30)),
    floor(inclusion_probability * 4611686018427387904)::bigint::{text}, config_revision::{text},
    properties::{text}, context::{text})"""


def _line(text: str, instant: str) -> str:
    names = {"received": "received_at", "occurred": "occurred_at", "expires": "expires_at"}
    return _LINE.format(text=text, **{word: f"{instant.format(column)}::{text}" for word, column in names.items()})


# Over rows of ``telemetry_storedevent``: their number and digest.
POSTGRESQL_DIGEST: Final = """count(*),
    encode(sha256(convert_to(coalesce(string_agg(line, '' ORDER BY line COLLATE "C"), ''), 'UTF8')), 'hex')
FROM (SELECT encode(sha256(convert_to({line}, 'UTF8')), 'hex') AS line FROM {{rows}}) lines
""".format(line=_line("text", "(extract(epoch FROM {}) * 1000000)::bigint"))

# The same over rows of a file.
DUCKDB_DIGEST: Final = """count(*), sha256(coalesce(string_agg(line, '' ORDER BY line), ''))
FROM (SELECT sha256({line}) AS line FROM {{rows}}) lines
""".format(line=_line("varchar", "epoch_us({})"))

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def line_digest(row: Sequence[Any]) -> str:
    """The SHA-256, in hex, of one row in the order of ``NAMES``, its JSON as the text that a file has."""
    fields = dict(zip(NAMES, row, strict=True))
    probability = floor(fields["inclusion_probability"] * 2**62)
    parts = [fields["id"], fields["name"], fields["version"]]
    parts += [
        (fields[name] - _EPOCH) // timedelta(microseconds=1) for name in ("received_at", "occurred_at", "expires_at")
    ]
    parts += [fields["retention_class"], fields["privacy"], fields["source"]]
    parts += ["\x1e" if fields["app_version"] is None else fields["app_version"], probability]
    parts += [fields["config_revision"], fields["properties"], fields["context"]]
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def digest_of_lines(lines: Iterable[str]) -> str:
    """The digest of rows by theirs, as both databases compute it."""
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
