"""Numbers in the order in which changes to configs are committed; see ``docs/adr/0001-config-revision.md``."""

from django.db import connection, transaction

__all__ = ["bump"]

# The first call makes the row, so that an emptied database counts from 1 again without any setup.
BUMP = """
INSERT INTO tenants_configrevisioncounter AS counter (id, value) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET value = counter.value + 1
RETURNING value
"""


def bump() -> int:
    """The next number, greater than every number of a committed change; in the caller's transaction. One query.

    The row stays locked until that transaction ends, so changes to configs happen one after the other: call it before
    reading what the change depends on. Raises ``TransactionManagementError`` outside a transaction, where the lock
    would be gone at once.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a config revision is given out inside a transaction only")
    with connection.cursor() as cursor:
        cursor.execute(BUMP)
        (value,) = cursor.fetchone()
    return int(value)
