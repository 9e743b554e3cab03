"""Rows of a CSV file that somebody will open in a spreadsheet: text stays text, whatever it begins with."""

import csv
import io
from collections.abc import Iterable
from typing import Final

__all__ = ["safe_cell", "write_rows"]

# What makes a spreadsheet take text for a formula, in half and full width, also behind space that some leave out.
# Source: OWASP, "CSV Injection"; U+FF1D, U+FF0B, U+FF0D and U+FF20 are the full-width forms.
FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Space of every kind is left out by ``strip``; these stand for nothing, but are no space to Python.
INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060\x00"


def safe_cell(value: object) -> object:
    """The value as a spreadsheet may have it: text that could be a formula begins with an apostrophe, numbers stay."""
    if not isinstance(value, str):
        return value
    seen = value.lstrip().lstrip(INVISIBLE).lstrip()
    return f"'{value}" if value.startswith(FORMULA_BEGINS) or seen.startswith(FORMULA_BEGINS) else value


def write_rows(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of CSV, each cell safe.

    Source: RFC 4180: comma, quotes where needed, lines that end in CR LF.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
