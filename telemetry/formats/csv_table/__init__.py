"""Plans as a table: a row for each property of each event, as people keep them in spreadsheets."""

from telemetry.formats.csv_table.columns import COLUMNS, NAME
from telemetry.formats.csv_table.reading import is_table, read_table
from telemetry.formats.csv_table.writing import write_table

__all__ = ["COLUMNS", "NAME", "is_table", "read_table", "write_table"]
