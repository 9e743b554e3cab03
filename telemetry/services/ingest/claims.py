"""The ledger: which ids of a batch were never counted before."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from telemetry.core.event_ids import KeptId
from telemetry.stores import arrays
from telemetry.stores.arrays import Array, execute
from tenants.models import Installation

__all__ = ["claim_ids"]

# Both give the ids that were in the ledger before. Usually there are none, and then no more is done than counting.
CLAIM_DATED: Final = """
WITH wanted AS (SELECT * FROM unnest(%s, %s) AS pair (id, day)),
claimed AS (
    INSERT INTO telemetry_eventclaim (tenant_id, installation_id, id, day)
    SELECT %s, %s, id, day FROM wanted ON CONFLICT DO NOTHING RETURNING id
)
SELECT CASE WHEN (SELECT count(*) FROM claimed) < (SELECT count(*) FROM wanted) THEN
    ARRAY(SELECT uuid_send(id) FROM wanted WHERE id NOT IN (SELECT id FROM claimed)) END
"""
CLAIM_UNDATED: Final = """
WITH wanted AS (SELECT * FROM unnest(%s, %s) AS pair (id, month)),
claimed AS (
    INSERT INTO telemetry_undatedclaim (tenant_id, installation_id, id, month)
    SELECT %s, %s, id, month FROM wanted ON CONFLICT DO NOTHING RETURNING id, month
)
SELECT CASE WHEN (SELECT count(*) FROM claimed) < (SELECT count(*) FROM wanted) THEN
    ARRAY(SELECT uuid_send(id) FROM wanted WHERE (id, month) NOT IN (SELECT id, month FROM claimed)) END
"""


def claim_ids(*, installation: Installation, received_at: datetime, ids: Collection[KeptId]) -> set[bytes]:
    """The ids are in the ledger once the transaction commits; the contents of those that were there before.

    Waits for other transactions that claim the same ids. One query, two if the batch has ids of both kinds.
    """
    # In order, so that two batches with the same ids wait for each other instead of blocking each other.
    dated = sorted((each.content, each.day) for each in ids if each.day is not None)
    undated = sorted(each.content for each in ids if each.day is None)
    known: set[bytes] = set()
    if dated:
        contents, days = zip(*dated, strict=True)
        known |= _claim(CLAIM_DATED, installation, arrays.uuids(contents), arrays.dates(days))
    if undated:
        this_month = received_at.date().replace(day=1)
        months = [_month_before(this_month).toordinal(), this_month.toordinal()]
        twice = [content for content in undated for _ in months]
        known |= _claim(CLAIM_UNDATED, installation, arrays.uuids(twice), arrays.dates(months * len(undated)))
    return known


def _claim(statement: str, installation: Installation, ids: Array, days: Array) -> set[bytes]:
    ((known,),) = execute(statement, [ids, days, installation.tenant_id, installation.pk])
    return set(known or ())


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
