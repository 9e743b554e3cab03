"""Time that passes at once: the database's clock cannot be set, so everything that is stored moves back instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection

from tenants.context import ALL, tenant_context

__all__ = ["as_owner", "pass_time"]

COLUMNS = """
SELECT columns.table_name, array_agg(columns.column_name::text)
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND columns.data_type = 'timestamp with time zone'
    AND tables.table_type = 'BASE TABLE' AND table_name ~ '^(tenants|telemetry)_'
GROUP BY 1
"""


def pass_time(span: timedelta) -> None:
    """Every instant that is stored lies further back by ``span``, as if that much time had passed."""
    with tenant_context(ALL), connection.cursor() as cursor, as_owner():
        cursor.execute(COLUMNS)
        tables = cursor.fetchall()
        # Checks that wait for the end of the transaction would keep triggers from being switched off.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, columns in tables:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
            moved = ", ".join(f'"{column}" = "{column}" - make_interval(secs => %(seconds)s)' for column in columns)
            cursor.execute(f'UPDATE "{table}" SET {moved}', {"seconds": span.total_seconds()})  # noqa: S608 - names of our own tables
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def as_owner() -> Iterator[None]:
    """What owns the tables, and not the role of the application."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        yield
        cursor.execute("SELECT set_config('role', %s, false)", [settings.STUDIO_DATABASE_ROLE])
