"""How many events of each kind came and were kept over some days, in all tenants of the context."""

from datetime import date
from typing import Any, Final, NamedTuple

from django.db import connection

from telemetry.tallies.detail import TallyDetail, decode_detail
from telemetry.tallies.merging import merge_details

__all__ = ["EventVolumes", "event_volumes", "recent_detail"]

# What is merged is in the sums of days, the rest in the tallies themselves; see ``selectors.balance``.
VOLUMES: Final = """
WITH part AS (
    SELECT name, version, installation_id, day, received - duplicate AS received, stored, sampled_out
    FROM telemetry_eventday WHERE day >= %(first)s AND name <> ''
    UNION ALL
    SELECT name, version, installation_id, (received_minute AT TIME ZONE 'UTC')::date, received - duplicate, stored,
        sampled_out
    FROM telemetry_eventtally
    WHERE NOT is_merged AND name <> '' AND received_minute >= %(first)s::timestamp AT TIME ZONE 'UTC'
)
SELECT name, version, sum(received)::bigint, sum(stored)::bigint, sum(sampled_out)::bigint, count(DISTINCT day),
    count(DISTINCT installation_id), min(day)
FROM part GROUP BY name, version HAVING sum(received) > 0 ORDER BY 3 DESC, 1, 2
"""
DETAILS: Final = """
SELECT detail FROM telemetry_eventtally
WHERE name = %(name)s AND version = %(version)s AND detail IS NOT NULL
    AND minute >= %(first)s::timestamp AT TIME ZONE 'UTC'
ORDER BY minute DESC LIMIT %(limit)s
"""


class EventVolumes(NamedTuple):
    """One event over some days: ``received`` without duplicates, of which so many were ``stored`` or ``sampled_out``.

    ``days`` counts those on which any came, ``first_day`` is the first of them.
    """

    name: str
    version: int
    received: int
    stored: int
    sampled_out: int
    days: int
    installations: int
    first_day: date

    @property
    def sampled(self) -> int:
        """Events on which sampling decided."""
        return self.stored + self.sampled_out

    @property
    def kept_share(self) -> float:
        """The share of them that was kept (ratio 0-1); 1 for none."""
        return self.stored / self.sampled if self.sampled else 1.0


def event_volumes(first: date) -> list[EventVolumes]:
    """Every event that came on ``first`` (UTC) or later, most received first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(VOLUMES, {"first": first})
        return [EventVolumes(*row) for row in cursor.fetchall()]


def recent_detail(name: str, version: int, first: date, *, limit: int) -> TallyDetail:
    """What was in the last events since ``first`` (UTC), from at most so many tallies; one query."""
    parameters: dict[str, Any] = {"name": name, "version": version, "first": first, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(DETAILS, parameters)
        return merge_details(decode_detail(bytes(detail)) for (detail,) in cursor.fetchall())
