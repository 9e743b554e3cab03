"""What comes of one event in a day, as far as the tenant context shows it."""

from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

__all__ = ["EventTraffic", "traffic_of"]

# A week has every weekday once.
DAYS: Final = 7
# What is merged is in the sums of days, the rest in the tallies themselves; see ``selectors.balance``.
BY_DAY: Final = """
WITH part AS (
    SELECT day, stored, sampled_out, last_received_at FROM telemetry_eventday
    WHERE name = %(name)s AND version = %(version)s AND day >= %(first)s
    UNION ALL
    SELECT (received_minute AT TIME ZONE 'UTC')::date, stored, sampled_out, last_received_at FROM telemetry_eventtally
    WHERE NOT is_merged AND name = %(name)s AND version = %(version)s
        AND received_minute >= %(first)s::timestamp AT TIME ZONE 'UTC'
)
SELECT day, sum(stored)::bigint, sum(sampled_out)::bigint, max(last_received_at) FROM part GROUP BY day ORDER BY day
"""


class EventTraffic(NamedTuple):
    """Averages per day: of events that sampling decides about, and of those that are stored.

    Over the last ``days`` whole days on which there was anything or that followed, a week at most; while there are
    none, what came today.
    """

    sampled_per_day: float
    stored_per_day: float
    days: int
    last_received_at: datetime


def traffic_of(name: str, version: int, *, today: date) -> EventTraffic | None:
    """The event's traffic in the week before ``today`` (UTC); ``None`` if nothing came. One query."""
    first = today - timedelta(days=DAYS)
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, {"name": name, "version": version, "first": first})
        rows: list[tuple[date, int, int, datetime]] = cursor.fetchall()
    if not rows:
        return None
    whole = [row for row in rows if row[0] < today]
    # A day that has just begun says little, so it counts only where there is no other.
    counted: list[Any] = whole or rows
    days = (today - whole[0][0]).days if whole else 1
    stored, left_out = (sum(row[column] for row in counted) for column in (1, 2))
    return EventTraffic((stored + left_out) / days, stored / days, days, max(row[3] for row in rows))
