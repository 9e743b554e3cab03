"""Several counts for the price of one query."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet

__all__ = ["count_together"]


def count_together(rows: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each of these has, by the same names; one query, none for nothing."""
    if not rows:
        return {}
    counts: list[str] = []
    parameters: list[Any] = []
    for name, each in rows.items():
        statement, values = each.order_by().query.sql_with_params()
        # The statements are Django's own, with their values apart.
        counts.append(f"(SELECT count(*) FROM ({statement}) AS {connection.ops.quote_name(f'of_{name}')})")  # noqa: S608
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", parameters)
        return dict(zip(rows, cursor.fetchone(), strict=True))
