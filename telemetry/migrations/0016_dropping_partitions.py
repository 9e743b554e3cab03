"""Partitions of tallies and of the ledger can be dropped once they are over; those of events only by the purge.

As with adding them, a worker owns nothing and calls a function that runs as the owner. It refuses to drop what is
younger than the ledger's memory, whoever asks.
"""

from django.conf import settings
from django.db import migrations

DROP_PARTITION = """
CREATE FUNCTION studio_drop_partition(parent text, starts_on date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(starts_on, '"_"YYYYMMDD');
    -- Days that a partition covers at most, and for which what is in it is needed: ids for four weeks, and a day ahead;
    -- those without a day for the month after their own as well; tallies for the longest window that rules judge.
    memory integer := CASE parent
        WHEN 'telemetry_eventclaim' THEN 1 + 30
        WHEN 'telemetry_undatedclaim' THEN 31 + 31
        WHEN 'telemetry_eventtally' THEN 7 + 35
    END;
BEGIN
    IF memory IS NULL OR starts_on + memory > current_date THEN
        RAISE EXCEPTION 'no such partition can be dropped' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(child) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION studio_drop_partition(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION studio_drop_partition(text, date) TO {role};
"""


def create(apps, schema_editor):
    """The function, for the schema of the tables."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    role = schema_editor.quote_name(settings.STUDIO_DATABASE_ROLE)
    schema_editor.execute(DROP_PARTITION.format(schema=schema, role=role), None)


def drop(apps, schema_editor):
    """Without it, partitions only ever get more."""
    schema_editor.execute("DROP FUNCTION studio_drop_partition(text, date)", None)


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0015_event_days")]

    operations = [migrations.RunPython(create, drop)]
