"""The tallies of one event, window by window: what anomaly rules measure."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from telemetry.tallies.detail import TallyDetail, decode_detail
from telemetry.tallies.merging import merge_details
from telemetry.tallies.summary import TallySummary

__all__ = ["EventKey", "align", "late_minutes", "window_summaries"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Duplicates were counted when they first came.
WINDOWS: Final = """
SELECT date_bin(make_interval(mins => %(minutes)s), minute, TIMESTAMPTZ '1970-01-01 00:00:00Z') AS start,
    sum(received - duplicate), sum(rejected), sum(violating),
    CASE WHEN %(details)s THEN array_agg(detail ORDER BY id) FILTER (WHERE detail IS NOT NULL) END
FROM telemetry_eventtally
WHERE installation_id = %(installation)s AND name = %(name)s AND version = %(version)s
    AND minute >= %(since)s AND minute < %(until)s
GROUP BY 1 ORDER BY 1
"""
LATE: Final = """
SELECT DISTINCT name, version, minute FROM telemetry_eventtally
WHERE installation_id = %(installation)s AND minute >= %(since)s AND minute < %(until)s
    AND last_received_at >= %(received_since)s
"""


class EventKey(NamedTuple):
    """One version of one event."""

    name: str
    version: int


def align(instant: datetime, minutes: int) -> datetime:
    """The start of the window of this width that holds the instant; windows are aligned to 1970-01-01 UTC."""
    width = timedelta(minutes=minutes)
    return _EPOCH + (instant - _EPOCH) // width * width


def window_summaries(
    installation_id: int, event: EventKey, since: datetime, until: datetime, *, minutes: int, with_details: bool
) -> dict[datetime, TallySummary]:
    """The windows that start in [since, until), both aligned, and have any tallies, by their start; one query.

    ``with_details`` reads values and subjects too, which costs more the more batches there were.
    """
    parameters: dict[str, Any] = {
        "installation": installation_id,
        "name": event.name,
        "version": event.version,
        "since": since,
        "until": until,
        "minutes": minutes,
        "details": with_details,
    }
    with connection.cursor() as cursor:
        cursor.execute(WINDOWS, parameters)
        rows = cursor.fetchall()
    return {
        start: TallySummary(int(received), int(rejected), int(violating), _merged(details))
        for start, received, rejected, violating, details in rows
    }


def late_minutes(
    installation_id: int, since: datetime, until: datetime, *, received_since: datetime
) -> dict[EventKey, set[datetime]]:
    """The minutes in [since, until) that events were counted in at or after ``received_since``, by event; one query."""
    parameters: dict[str, Any] = {
        "installation": installation_id,
        "since": since,
        "until": until,
        "received_since": received_since,
    }
    found: dict[EventKey, set[datetime]] = {}
    with connection.cursor() as cursor:
        cursor.execute(LATE, parameters)
        for name, version, minute in cursor.fetchall():
            found.setdefault(EventKey(name, version), set()).add(minute)
    return found


def _merged(details: list[bytes] | None) -> TallyDetail:
    return merge_details(decode_detail(bytes(each)) for each in details) if details else TallyDetail()
