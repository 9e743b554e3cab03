"""What came of one event since an instant, by tallies: what a change is measured by."""

# ruff: noqa: S608 - queries are made of constants of this module

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from telemetry.tallies.detail import TallyDetail, decode_detail
from telemetry.tallies.merging import merge_details

__all__ = ["CountsSince", "counts_since", "detail_since", "kept_in_windows"]

_WHERE: Final = """
WHERE name = %(name)s AND version = %(version)s AND received_minute > %(since)s
    AND (%(installation)s::bigint IS NULL OR installation_id = %(installation)s)
"""
COUNTS: Final = (
    "SELECT coalesce(sum(received - duplicate), 0)::bigint, coalesce(sum(stored), 0)::bigint, "
    "coalesce(sum(sampled_out), 0)::bigint FROM telemetry_eventtally " + _WHERE
)
WINDOWS: Final = (
    "SELECT sum(stored)::bigint FROM telemetry_eventtally "
    + _WHERE
    + " GROUP BY installation_id, date_bin(make_interval(mins => %(minutes)s), minute, "
    "TIMESTAMPTZ '1970-01-01 00:00:00Z')"
)
DETAILS: Final = "SELECT detail FROM telemetry_eventtally " + _WHERE + " AND detail IS NOT NULL LIMIT 5000"


class CountsSince(NamedTuple):
    """``received`` without duplicates, of which so many were ``stored`` or ``sampled_out``."""

    received: int
    stored: int
    sampled_out: int


def counts_since(name: str, version: int, since: datetime, *, installation_id: int | None = None) -> CountsSince:
    """What came in the minutes that began after ``since``; at one installation, or all of the context. One query."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, _parameters(name, version, since, installation_id))
        return CountsSince(*cursor.fetchone())


def kept_in_windows(
    name: str, version: int, since: datetime, *, minutes: int, installation_id: int | None = None
) -> list[int]:
    """How many events were stored in each window of each installation that had any, as ``counts_since``; one query."""
    parameters = {**_parameters(name, version, since, installation_id), "minutes": minutes}
    with connection.cursor() as cursor:
        cursor.execute(WINDOWS, parameters)
        return [count for (count,) in cursor.fetchall()]


def detail_since(name: str, version: int, since: datetime, *, installation_id: int | None = None) -> TallyDetail:
    """What was in those events, from at most 5,000 tallies; one query."""
    with connection.cursor() as cursor:
        cursor.execute(DETAILS, _parameters(name, version, since, installation_id))
        return merge_details(decode_detail(bytes(detail)) for (detail,) in cursor.fetchall())


def _parameters(name: str, version: int, since: datetime, installation_id: int | None) -> dict[str, Any]:
    # Minutes are whole: the one in which the change was made holds events of before, too.
    first = since.replace(second=0, microsecond=0)
    return {"name": name, "version": version, "since": first, "installation": installation_id}
