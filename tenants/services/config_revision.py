"""Numbers in the order in which changes to configs are committed; see ``docs/adr/0001-config-revision.md``."""

from functools import partial

from django.db import connection, transaction

from tenants.config_lease import CHANNEL
from tenants.services.config_readers import wait_for_readers

__all__ = ["bump"]

# The first call makes the row, so that an emptied database counts from 1 again without any setup. Listeners hear of it
# when the transaction commits; the setting tells ``tenants.config_changes`` that they do.
BUMP = """
WITH bumped AS (
    INSERT INTO tenants_configrevisioncounter AS counter (id, value) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET value = counter.value + 1
    RETURNING value
)
SELECT value, pg_notify(%s, ''), set_config('studio.config_bumped', 'yes', true) FROM bumped
"""


def bump() -> int:
    """The next number, greater than every number of a committed change; in the caller's transaction. One query.

    The row stays locked until that transaction ends, so changes to configs happen one after the other: call it before
    reading what the change depends on. After the commit the caller waits until no process answers from an older
    memory, see ``tenants.services.config_readers``. Raises ``TransactionManagementError`` outside a transaction, where
    the lock would be gone at once.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a config revision is given out inside a transaction only")
    with connection.cursor() as cursor:
        cursor.execute(BUMP, [CHANNEL])
        value = int(cursor.fetchone()[0])
    transaction.on_commit(partial(wait_for_readers, value))
    return value
