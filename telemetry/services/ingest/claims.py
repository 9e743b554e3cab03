"""The ledger: which ids of a batch were never counted before."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from django.db import IntegrityError
from psycopg.errors import UniqueViolation

from telemetry.core.event_ids import KeptId
from telemetry.stores import arrays
from telemetry.stores.arrays import execute
from tenants.models import Installation

__all__ = ["Claim", "claim_contested_ids", "claim_ids", "is_claimed_meanwhile"]

# All give the ids that were in the ledger before; usually there are none.
#
# Looking first and then adding what is not there takes half of what ON CONFLICT takes, which puts each row in on trial;
# but it fails when another transaction adds one of the ids in between. The days keep it to few partitions.
CLAIM_DATED: Final = """
WITH known AS MATERIALIZED (
    SELECT id FROM telemetry_eventclaim
    WHERE installation_id = %(installation)s AND id = ANY(%(ids)s) AND day BETWEEN %(first_day)s AND %(last_day)s
), claimed AS (
    INSERT INTO telemetry_eventclaim (tenant_id, installation_id, id, day)
    SELECT %(tenant)s, %(installation)s, id, day
    FROM (SELECT unnest(%(ids)s) AS id, unnest(%(days)s) AS day) AS wanted
    WHERE id NOT IN (SELECT id FROM known)
)
SELECT array_agg(uuid_send(id)) FROM known
"""
CLAIM_CONTESTED: Final = """
WITH wanted AS (SELECT * FROM unnest(%(ids)s, %(days)s) AS pair (id, day)),
claimed AS (
    INSERT INTO telemetry_eventclaim (tenant_id, installation_id, id, day)
    SELECT %(tenant)s, %(installation)s, id, day FROM wanted ON CONFLICT DO NOTHING RETURNING id
)
SELECT array_agg(uuid_send(id)) FROM wanted WHERE id NOT IN (SELECT id FROM claimed)
"""
CLAIM_UNDATED: Final = """
WITH wanted AS (SELECT * FROM unnest(%(ids)s, %(months)s) AS pair (id, month)),
claimed AS (
    INSERT INTO telemetry_undatedclaim (tenant_id, installation_id, id, month)
    SELECT %(tenant)s, %(installation)s, id, month FROM wanted ON CONFLICT DO NOTHING RETURNING id, month
)
SELECT array_agg(uuid_send(id)) FROM wanted WHERE (id, month) NOT IN (SELECT id, month FROM claimed)
"""

# From the installation, the instant of receipt and ids, each once, to the contents of those that were known.
Claim = Callable[[Installation, datetime, Collection[KeptId]], set[bytes]]


def claim_ids(installation: Installation, received_at: datetime, ids: Collection[KeptId]) -> set[bytes]:
    """The ids are in the ledger once the transaction commits; the contents of those that were there before.

    Waits for other transactions that claim the same ids, and raises what ``is_claimed_meanwhile`` tells when one of
    them commits: then the whole transaction has to be done again, with ``claim_contested_ids``. One query, two if the
    batch has ids of both kinds.
    """
    return _claim(CLAIM_DATED, installation, received_at, ids)


def claim_contested_ids(installation: Installation, received_at: datetime, ids: Collection[KeptId]) -> set[bytes]:
    """As ``claim_ids``, at twice the price, and without a failure when others claim the same ids at the same time."""
    return _claim(CLAIM_CONTESTED, installation, received_at, ids)


def is_claimed_meanwhile(error: IntegrityError) -> bool:
    """Whether a row was refused because another transaction has claimed the same id since this one looked."""
    cause = error.__cause__
    return isinstance(cause, UniqueViolation) and (cause.diag.table_name or "").startswith("telemetry_eventclaim")


def _claim(
    dated_statement: str, installation: Installation, received_at: datetime, ids: Collection[KeptId]
) -> set[bytes]:
    # In order, so that two batches with the same ids wait for each other instead of blocking each other. An id begins
    # with its time, so that its day is found in the same order.
    dated = sorted([each.content for each in ids if each.day is not None])
    days = sorted([each.day for each in ids if each.day is not None])
    undated = [] if len(dated) == len(ids) else sorted([each.content for each in ids if each.day is None])
    owner = {"tenant": installation.tenant_id, "installation": installation.pk}
    known: set[bytes] = set()
    if dated:
        span = {"first_day": date.fromordinal(days[0]), "last_day": date.fromordinal(days[-1])}
        columns = {"ids": arrays.uuids(dated), "days": arrays.dates(days)}
        known |= _known(dated_statement, {**owner, **columns, **span})
    if undated:
        this_month = received_at.date().replace(day=1)
        months = [_month_before(this_month).toordinal(), this_month.toordinal()]
        twice = [content for content in undated for _ in months]
        columns = {"ids": arrays.uuids(twice), "months": arrays.dates(months * len(undated))}
        known |= _known(CLAIM_UNDATED, {**owner, **columns})
    return known


def _known(statement: str, parameters: Mapping[str, object]) -> set[bytes]:
    ((known,),) = execute(statement, parameters)
    return set(known or ())


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
