"""Violations as a file."""

from collections.abc import Iterable, Iterator
from typing import Final

from telemetry.core.csv_rows import write_rows
from telemetry.models import ViolationRecord
from telemetry.selectors.violations import ViolationFilter, ViolationOrder, violations

__all__ = ["export_violations"]

# What fits a spreadsheet that people still look at.
MOST_ROWS: Final = 20_000
PORTION: Final = 2_000
COLUMNS: Final = (
    *("tenant", "app", "environment", "event", "path", "code", "appVersion"),
    *("count", "firstSeenAt", "lastSeenAt", "state", "resolvedIn"),
)


def export_violations(wanted: ViolationFilter, order: ViolationOrder) -> str:
    """The groups that are looked for as CSV, the first 20,000 of them; safe to open in a spreadsheet."""
    rows = violations(wanted, order)[:MOST_ROWS].iterator(chunk_size=PORTION)
    return write_rows(_lines(rows))


def _lines(rows: Iterable[ViolationRecord]) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    for row in rows:
        installation = row.installation
        yield (
            *(installation.tenant.slug, installation.app.slug, installation.environment),
            *(row.event_name, row.path, row.code, row.app_version, row.count),
            *(row.first_seen_at.isoformat(), row.last_seen_at.isoformat(), row.state, row.resolved_in),
        )
