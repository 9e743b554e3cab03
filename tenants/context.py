"""Whose rows the current transaction may see and write.

The context lives in the database, for the length of the transaction only: a pooled connection cannot carry it into
the next request. Without a context no tenant's row is visible.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

from django.db import connection, transaction

__all__ = ["ALL", "TenantIds", "rows_in_context", "set_api_key_lookup", "set_tenant_context", "tenant_context"]

# Every tenant, and the rows that belong to the whole workspace.
ALL: Final = "*"

TenantIds = Collection[int] | Literal["*"]

NAMES = ("studio.tenant_ids", "studio.user_id", "studio.api_key_lookup")
SET = "SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in NAMES)
READ = "SELECT " + ", ".join(f"coalesce(current_setting('{name}', true), '')" for name in NAMES)


@contextmanager
def tenant_context(tenant_ids: TenantIds, *, user_id: int | None = None) -> Iterator[None]:
    """Within the block, one transaction sees and writes the rows of these tenants, or of ``ALL``, and no others.

    ``user_id`` opens that person's own memberships and keys as well. Inside another transaction the block is a
    savepoint, and the context that held before holds again after it, whether the block succeeded or failed.
    Two queries beyond those of the transaction; three when nested.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        outer = _read() if nested else None
        set_tenant_context(tenant_ids, user_id=user_id)
        yield
        # After an error the rollback restores the settings, and without an outer transaction its end clears them.
        if outer is not None and not transaction.get_rollback():
            _write(outer)


def rows_in_context(statement: str, parameters: Sequence[Any], *, user_id: int) -> list[tuple[Any, ...]]:
    """What the statement finds of that person's own rows, in a context that ends with it; one query.

    That is: one round trip, as the context is set in front of the statement; three when nested.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        outer = _read() if nested else None
        with connection.cursor() as cursor:
            cursor.execute(f"{SET}; {statement}", ["", str(int(user_id)), "", *parameters])
            cursor.nextset()
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if outer is not None:
            _write(outer)
    return rows


def set_tenant_context(tenant_ids: TenantIds, *, user_id: int | None = None) -> None:
    """From here to the end of the transaction that is open, the context is this one. One query.

    Raises ``TransactionManagementError`` outside a transaction, where the setting would be lost at once.
    """
    visible = ALL if tenant_ids == ALL else ",".join(str(int(tenant_id)) for tenant_id in sorted(tenant_ids))
    _write((visible, "" if user_id is None else str(int(user_id)), ""))


def set_api_key_lookup(lookup: str) -> None:
    """From here on the transaction sees the one key with this lookup, and nothing else. One query."""
    _write(("", "", lookup))


def _read() -> tuple[str, str, str]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        tenant_ids, user_id, lookup = cursor.fetchone()
    return tenant_ids, user_id, lookup


def _write(settings: tuple[str, str, str]) -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a tenant context needs a transaction; use tenant_context()")
    with connection.cursor() as cursor:
        cursor.execute(SET, settings)
