"""Restored events came long ago: partitions of events can be added for any day that an archive can hold."""

from importlib import import_module

from django.conf import settings
from django.db import migrations

ADD_PARTITION = import_module("telemetry.migrations.0006_event_store").ADD_PARTITION.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
RECENT = "starts_on NOT BETWEEN current_date - 100 AND current_date + 100"
# A century, the longest retention, twice: once in the store and once in an archive.
OLD = (
    "starts_on NOT BETWEEN current_date - (CASE WHEN parent ~ '^telemetry_storedevent_' THEN 73000 ELSE 100 END) "
    "AND current_date + 100"
)


def widen(apps, schema_editor):
    """The function takes old days for events; ids and tallies stay as they were."""
    _replace(schema_editor, ADD_PARTITION.replace(RECENT, OLD))


def narrow(apps, schema_editor):
    """As it was before; partitions that were added stay."""
    _replace(schema_editor, ADD_PARTITION)


def _replace(schema_editor, statement):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    role = schema_editor.quote_name(settings.STUDIO_DATABASE_ROLE)
    schema_editor.execute(statement.format(schema=schema, role=role), None)


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0023_archive")]

    operations = [migrations.RunPython(widen, narrow)]
