"""The ledger: which ids of a batch were never counted before."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from telemetry.core.enums import ViolationCode
from telemetry.core.event_ids import day_inside
from telemetry.core.events import Violation

__all__ = ["claim_ids", "outside_window"]

# In the order of the ids, so that two batches with the same ids wait for each other instead of blocking each other.
CLAIM_DATED: Final = """
WITH wanted AS (SELECT id, day FROM unnest(%s::uuid[], %s::date[]) AS pair (id, day)),
claimed AS (
    INSERT INTO telemetry_eventclaim (tenant_id, installation_id, id, day)
    SELECT %s, %s, id, day FROM wanted ON CONFLICT DO NOTHING RETURNING id
)
SELECT id FROM wanted WHERE id NOT IN (SELECT id FROM claimed)
"""
CLAIM_UNDATED: Final = """
WITH wanted AS (SELECT id, month FROM unnest(%s::uuid[]) AS id CROSS JOIN unnest(%s::date[]) AS month),
claimed AS (
    INSERT INTO telemetry_undatedclaim (tenant_id, installation_id, id, month)
    SELECT %s, %s, id, month FROM wanted ORDER BY id, month ON CONFLICT DO NOTHING RETURNING id, month
)
SELECT DISTINCT id FROM wanted WHERE (id, month) NOT IN (SELECT id, month FROM claimed)
"""

# A client's clock may be a time zone wrong; more than that ahead is no clock.
AHEAD: Final = timedelta(days=1)


def outside_window(event_id: UUID, received_at: datetime, maximum_age: timedelta) -> Violation | None:
    """Why an id cannot be taken, when the day inside it lies where the ledger has no memory."""
    day = day_inside(event_id)
    if day is None or (received_at - maximum_age).date() <= day <= (received_at + AHEAD).date():
        return None
    message = f"was made more than {maximum_age.days} days ago, or more than a day ahead of our clock"
    return Violation(ViolationCode.OUTSIDE_WINDOW, "id", message)


def claim_ids(*, tenant_id: int, installation_id: int, received_at: datetime, ids: Iterable[UUID]) -> set[UUID]:
    """The ids are in the ledger once the transaction commits; those that were there before are returned.

    Waits for other transactions that claim the same ids. One query, two if the batch has ids of both kinds.
    """
    dated: list[UUID] = []
    days: list[date] = []
    undated: list[UUID] = []
    for event_id in sorted(ids):
        day = day_inside(event_id)
        if day is None:
            undated.append(event_id)
        else:
            dated.append(event_id)
            days.append(day)
    known: set[UUID] = set()
    with connection.cursor() as cursor:
        if dated:
            cursor.execute(CLAIM_DATED, [_array(dated), _array(days), tenant_id, installation_id])
            known.update(event_id for (event_id,) in cursor.fetchall())
        if undated:
            this_month = received_at.date().replace(day=1)
            months = [(this_month - timedelta(days=1)).replace(day=1), this_month]
            cursor.execute(CLAIM_UNDATED, [_array(undated), _array(months), tenant_id, installation_id])
            known.update(event_id for (event_id,) in cursor.fetchall())
    return known


def _array(values: Iterable[object]) -> str:
    """PostgreSQL's text form of an array of values that need no quotes, which is the fastest to make."""
    return "{" + ",".join(map(str, values)) + "}"
