"""What the counts say, and what is there."""

# ruff: noqa: S608 - statements are made of constants of ours

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from telemetry.models import StoredDay, StoredDelta
from telemetry.stores.counts import SIZE
from tenants.context import ALL, tenant_context

__all__ = ["counted", "counts_stay_true", "there"]

Groups = dict[tuple[Any, ...], tuple[int, int]]

KEY = ("retention_class", "day", "tenant_id", "installation_id", "name", "version")
THERE = f"""
SELECT retention_class, (received_at AT TIME ZONE 'UTC')::date, tenant_id, installation_id, name, version, count(*),
    sum({SIZE})::bigint
FROM telemetry_storedevent AS event WHERE retention_class > 0 GROUP BY 1, 2, 3, 4, 5, 6
"""


def counted() -> Groups:
    """Rows and bytes by class, day and event, as they were counted when they were written."""
    rows, sizes = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    with tenant_context(ALL):
        for model in (StoredDay, StoredDelta):
            for *key, count, size_bytes in model.objects.order_by().values_list(*KEY, "rows", "size_bytes"):
                rows[tuple(key)] += count
                sizes[tuple(key)] += size_bytes
    return {key: (rows[key], sizes[key]) for key in rows if rows[key] or sizes[key]}


def there() -> Groups:
    """The same, as it is read."""
    with tenant_context(ALL), connection.cursor() as cursor:
        cursor.execute(THERE)
        return {tuple(key): (count, size_bytes) for *key, count, size_bytes in cursor.fetchall()}


@pytest.fixture(autouse=True)
def counts_stay_true(db: None) -> Iterator[None]:
    """After each test of a module that imports this, the counts are true: to the row and the byte."""
    yield
    assert counted() == there()
