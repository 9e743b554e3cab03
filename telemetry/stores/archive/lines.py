"""Rows as lines of CSV, as PostgreSQL writes them: an empty field is null, an empty text stands in quotes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

__all__ = ["csv_line"]


def csv_line(row: Sequence[Any]) -> bytes:
    """One line, with its end."""
    return (",".join(map(_field, row)) + "\n").encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
    return '"' + text.replace('"', '""') + '"'
