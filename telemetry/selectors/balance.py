"""What was received of each event, and what became of it, by the time at which it came."""

# ruff: noqa: S608 - queries are made of constants of this module

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Sum

from telemetry.models import EventRemoval
from telemetry.models.event_tally import TallyCounts

__all__ = [
    "Counts",
    "EventCounts",
    "EventVolume",
    "InstallationCounts",
    "Removals",
    "counts_by_event",
    "counts_by_installation",
    "counts_series",
    "removals_by_event",
    "volumes_of",
]

SUMS: Final = ", ".join(f"coalesce(sum({count}), 0)::bigint" for count in TallyCounts._fields)
BY_EVENT: Final = f"""
SELECT name, version, max(last_received_at), {SUMS}
FROM telemetry_eventtally
WHERE installation_id = %(installation)s AND received_minute >= %(start)s AND received_minute < %(end)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
GROUP BY name, version
ORDER BY 4 DESC, name, version
"""
BY_INSTALLATION: Final = f"""
SELECT installation_id, max(last_received_at), {SUMS}
FROM telemetry_eventtally
WHERE received_minute >= %(start)s AND received_minute < %(end)s
GROUP BY installation_id
ORDER BY 3 DESC, installation_id
LIMIT %(limit)s
"""
SERIES: Final = f"""
SELECT date_bin(%(step)s, received_minute, %(start)s), {SUMS}
FROM telemetry_eventtally
WHERE (%(installation)s::bigint IS NULL OR installation_id = %(installation)s)
    AND received_minute >= %(start)s AND received_minute < %(end)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
GROUP BY 1
"""
# What is merged is in the sums of days, the rest in the tallies themselves. Both in one statement, so that a row that
# is merged meanwhile is in one of them.
VOLUMES: Final = """
WITH part AS (
    SELECT name, version, day, received - duplicate AS events, last_received_at
    FROM telemetry_eventday WHERE name = ANY (%(names)s) AND day >= %(first)s
    UNION ALL
    SELECT name, version, (received_minute AT TIME ZONE 'UTC')::date, received - duplicate, last_received_at
    FROM telemetry_eventtally
    WHERE NOT is_merged AND name = ANY (%(names)s) AND received_minute >= %(first)s::timestamp AT TIME ZONE 'UTC'
)
SELECT name, version, day, sum(events)::bigint, max(last_received_at) FROM part GROUP BY name, version, day
"""


class Counts(NamedTuple):
    """How many events had which outcome; ``received`` is the sum of the five after it, always and exactly."""

    received: int = 0
    stored: int = 0
    sampled_out: int = 0
    disabled: int = 0
    rejected: int = 0
    duplicate: int = 0
    violating: int = 0
    skewed: int = 0

    def plus(self, other: Iterable[int]) -> "Counts":
        """Both together."""
        return Counts(*map(sum, zip(self, other, strict=True)))

    @property
    def is_balanced(self) -> bool:
        """Whether each received event has exactly one outcome."""
        return self.received == self.stored + self.sampled_out + self.disabled + self.rejected + self.duplicate


class EventCounts(NamedTuple):
    """One event in a span of time, by when it came; ``name`` is empty for all events that no spec knows."""

    name: str
    version: int
    last_received_at: datetime
    counts: Counts


class InstallationCounts(NamedTuple):
    """All events of one installation in a span of time, by when they came."""

    installation_id: int
    last_received_at: datetime
    counts: Counts


class Removals(NamedTuple):
    """How many stored events have left the store, and how."""

    purged: int = 0
    archived: int = 0
    erased: int = 0


class EventVolume(NamedTuple):
    """How many events of one version came on each day, oldest first, and when the last of them came."""

    by_day: tuple[int, ...]
    last_received_at: datetime | None

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(self.by_day)


def counts_by_event(
    installation_id: int, start: datetime, end: datetime, *, name: str | None = None
) -> list[EventCounts]:
    """Each event that was received in [start, end), whose ends are whole minutes; most received first. One query."""
    parameters: dict[str, Any] = {"installation": installation_id, "start": start, "end": end, "name": name}
    with connection.cursor() as cursor:
        cursor.execute(BY_EVENT, parameters)
        return [EventCounts(name, version, at, Counts(*counts)) for name, version, at, *counts in cursor.fetchall()]


def counts_by_installation(start: datetime, end: datetime, *, limit: int) -> list[InstallationCounts]:
    """The installations of the context that received most in [start, end), most first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(BY_INSTALLATION, {"start": start, "end": end, "limit": limit})
        return [InstallationCounts(key, at, Counts(*counts)) for key, at, *counts in cursor.fetchall()]


def removals_by_event(
    installation_id: int, start: datetime, end: datetime, *, name: str | None = None
) -> dict[tuple[str, int], Removals]:
    """Of what came on the days (UTC) that lie whole in [start, end), by name and version; one query."""
    first = start.astimezone(UTC).date() + timedelta(days=start.astimezone(UTC).time() != time())
    rows = EventRemoval.objects.filter(
        installation_id=installation_id, day__gte=first, day__lt=end.astimezone(UTC).date()
    )
    if name is not None:
        rows = rows.filter(name=name)
    sums = rows.order_by().values_list("name", "version").annotate(Sum("purged"), Sum("archived"), Sum("erased"))
    return {(name, version): Removals(*counts) for name, version, *counts in sums}


def counts_series(
    installation_id: int | None, start: datetime, end: datetime, step: timedelta, *, name: str | None = None
) -> list[tuple[datetime, Counts]]:
    """The counts in each step of [start, end), also where nothing came; one query.

    Of one installation or all of the context, of one event or all.
    """
    span: dict[str, Any] = {"start": start, "end": end, "step": step}
    with connection.cursor() as cursor:
        cursor.execute(SERIES, {**span, "installation": installation_id, "name": name})
        found = {row[0]: Counts(*row[1:]) for row in cursor.fetchall()}
    steps = [start + place * step for place in range(-((start - end) // step))]
    return [(each, found.get(each, Counts())) for each in steps]


def volumes_of(names: Sequence[str], *, today: date, days: int) -> dict[tuple[str, int], EventVolume]:
    """By name and version, how many events came on each of the ``days`` up to ``today`` (UTC), each once.

    In all tenants of the context together. Events that never came in these days are left out. One query.
    """
    first = today - timedelta(days=days - 1)
    with connection.cursor() as cursor:
        cursor.execute(VOLUMES, {"names": list(names), "first": first})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return _by_event(rows, first, days)


def _by_event(rows: Iterable[tuple[Any, ...]], first: date, days: int) -> dict[tuple[str, int], EventVolume]:
    counts: dict[tuple[str, int], list[int]] = {}
    latest: dict[tuple[str, int], datetime] = {}
    for name, version, day, events, last_received_at in rows:
        key = (name, version)
        by_day = counts.setdefault(key, [0] * days)
        place = (day - first).days
        if place < days:
            by_day[place] = events
        latest[key] = max(latest.get(key, datetime.min.replace(tzinfo=UTC)), last_received_at)
    return {key: EventVolume(tuple(by_day), latest[key]) for key, by_day in counts.items()}
