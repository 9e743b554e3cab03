"""Numbers in the order in which changes to configs are committed; see ``docs/adr/0001-config-revision.md``."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from tenants.config_lease import CHANNEL
from tenants.models import ChangeScope, ConfigChange, ConfigRevisionCounter
from tenants.planned_changes import PLANNED_CHANGES
from tenants.services.config_readers import wait_for_readers

__all__ = [
    "Stamp",
    "bump",
    "foresee",
    "plan_installation",
    "record_change",
    "stamp_installations",
    "take_stamp",
]

# The first call makes the row, so that an emptied database counts from 1 again without any setup. The instant is read
# after the wait for the row's lock, and always later than the one before, also when the clock was set back: instants
# are in the order of commits, as numbers are. Listeners hear of it when the transaction commits; the setting tells
# ``tenants.config_changes`` that they do.
TAKE: Final = """
WITH taken AS (
    INSERT INTO tenants_configrevisioncounter AS counter (id, value, changed_at)
    VALUES (1, %(numbers)s, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET value = counter.value + %(numbers)s,
        changed_at = greatest(clock_timestamp(), counter.changed_at + interval '1 microsecond')
    RETURNING value, changed_at
)
SELECT value, changed_at, pg_notify(%(channel)s, ''), set_config('studio.config_bumped', 'yes', true) FROM taken
"""

UNSETTLED: Final = f"""
SELECT coalesce(max(
    (SELECT count(*) FROM ({PLANNED_CHANGES}) planned
     WHERE planned.at > installation.settled_at AND planned.at <= %(at)s)
), 0)
FROM tenants_installation installation
WHERE installation.id = ANY(%(ids)s) AND installation.next_change_at <= %(at)s
"""  # noqa: S608 - constants only

STAMP: Final = f"""
WITH stamped AS (
    UPDATE tenants_installation installation
    SET config_revision = %(revision)s, settled_at = %(at)s,
        next_change_at = (SELECT min(planned.at) FROM ({PLANNED_CHANGES}) planned WHERE planned.at > %(at)s)
    WHERE installation.id = ANY(%(ids)s)
    RETURNING id, tenant_id
)
INSERT INTO tenants_configchange (tenant_id, scope, subject_id, revision, changed_at)
SELECT tenant_id, 'installation', id, %(revision)s, %(at)s FROM stamped
"""  # noqa: S608 - constants only

PLAN: Final = f"""
UPDATE tenants_installation installation SET next_change_at = (
    SELECT min(planned.at) FROM ({PLANNED_CHANGES}) planned WHERE planned.at > installation.settled_at
) WHERE installation.id = %(id)s
"""  # noqa: S608 - constants only


class Stamp(NamedTuple):
    """A config revision and the instant from which it counts; both grow from one change to the next."""

    revision: int
    at: datetime


def take_stamp(numbers: int = 1) -> Stamp:
    """The next number, greater than every number of a committed change; in the caller's transaction. One query.

    ``numbers`` are given out at once, and the last of them is returned. The counter stays locked until that transaction
    ends, so changes to configs happen one after the other: call it before reading what the change depends on. After the
    commit the caller waits until no process answers from an older memory, see ``tenants.services.config_readers``.
    Raises ``TransactionManagementError`` outside a transaction, where the lock would be gone at once.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a config revision is given out inside a transaction only")
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"numbers": numbers, "channel": CHANNEL})
        revision, at, *_ = cursor.fetchone()
    transaction.on_commit(partial(wait_for_readers, int(revision)))
    return Stamp(int(revision), at)


def bump() -> int:
    """The number of ``take_stamp``, for whoever needs the lock alone."""
    return take_stamp().revision


def foresee(stamp: Stamp, *instants: datetime | None) -> None:
    """Whoever answers from memory asks again at each of these instants that lie after the stamp's. One query."""
    ahead = [instant for instant in instants if instant is not None and instant > stamp.at]
    if ahead:
        counters = ConfigRevisionCounter.objects.filter(Q(next_change_at=None) | Q(next_change_at__gt=min(ahead)))
        counters.update(next_change_at=min(ahead))


def record_change(scope: ChangeScope, subject_id: int, stamp: Stamp) -> None:
    """It is known that this app, floor or spec has the number of ``stamp`` since its instant. One query."""
    ConfigChange.objects.create(scope=scope, subject_id=subject_id, revision=stamp.revision, changed_at=stamp.at)


def stamp_installations(installation_ids: Collection[int], stamp: Stamp) -> Stamp:
    """The installations have a new number, and what was due there by its instant is counted in it. Two queries.

    The number is that of ``stamp``, or a greater one where planned changes that were due had raised their revisions
    further than that: the one that they got is returned. Call it after everything else of the change is written.
    """
    ids = list(installation_ids)
    with connection.cursor() as cursor:
        cursor.execute(UNSETTLED, {"ids": ids, "at": stamp.at})
        (unsettled,) = cursor.fetchone()
        if unsettled:
            stamp = take_stamp(unsettled)
        cursor.execute(STAMP, {"ids": ids, "revision": stamp.revision, "at": stamp.at})
    return stamp


def plan_installation(installation_id: int) -> None:
    """A new installation knows what is planned for all of its tenant's. One query."""
    with connection.cursor() as cursor:
        cursor.execute(PLAN, {"id": installation_id})
