"""Counts of what is stored, and dropping whole partitions of events.

A worker owns nothing and calls functions that run as the owner. They refuse to drop what is not counted, or of which
anything counted is left: the purge accounts for every row, in the same transaction, before its partition goes.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant

# In 0006 partitions could be added near today only. What a hold keeps, and what is moved to a shorter class, may be older.
# An empty partition harms nobody.
ADD_PARTITION = """
CREATE OR REPLACE FUNCTION studio_add_partition(parent text, starts_on date, ends_on date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(starts_on, '"_"YYYYMMDD');
BEGIN
    IF parent !~ '^telemetry_(storedevent_(hold|d[0-9]+)|eventclaim|undatedclaim|eventtally)$'
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass(parent) AND relkind = 'p')
        OR ends_on - starts_on NOT BETWEEN 1 AND 31
        OR starts_on NOT BETWEEN current_date - {past} AND current_date + 100
    THEN
        RAISE EXCEPTION 'no such partition can be added' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('studio_add_partition ' || parent, 0));
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, {role}', child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, starts_on, ends_on);
    RETURN true;
END
$$
"""
NEAR = "100"
FAR = "(CASE WHEN parent LIKE 'telemetry_storedevent%' THEN 36600 ELSE 100 END)"

# The lock waits for those who write into the partition and keeps others out until the transaction ends; readers pass.
FUNCTIONS = """
CREATE FUNCTION studio_reopen_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    DELETE FROM telemetry_sealedpartition WHERE name = TG_TABLE_NAME;
    RETURN NULL;
END
$$;
CREATE FUNCTION studio_close_events(parent text, starts_on date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(starts_on, '"_"YYYYMMDD');
BEGIN
    IF parent !~ '^telemetry_storedevent_(hold|d[0-9]+)$' OR starts_on >= current_date THEN
        RAISE EXCEPTION 'no such partition can be closed' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(child) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', child);
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = to_regclass(child) AND tgname = 'telemetry_reopen'
    ) THEN
        EXECUTE format(
            'CREATE TRIGGER telemetry_reopen AFTER INSERT ON %I FOR EACH ROW EXECUTE FUNCTION studio_reopen_events()', child
        );
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION studio_drop_events(parent text, starts_on date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(starts_on, '"_"YYYYMMDD');
BEGIN
    IF parent !~ '^telemetry_storedevent_(hold|d[0-9]+)$'
        OR NOT EXISTS (SELECT FROM telemetry_sealedpartition WHERE name = child)
        OR EXISTS (SELECT FROM telemetry_storedday WHERE partition = child AND rows > 0)
        OR NOT studio_context_is_all()
    THEN
        RAISE EXCEPTION 'no such partition can be dropped' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(child) IS NULL THEN
        RETURN false;
    END IF;
    DELETE FROM telemetry_sealedpartition WHERE name = child;
    DELETE FROM telemetry_storedday WHERE partition = child;
    EXECUTE format('DROP TABLE %I', child);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION studio_reopen_events() FROM PUBLIC;
REVOKE ALL ON FUNCTION studio_close_events(text, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION studio_drop_events(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION studio_close_events(text, date) TO {role};
GRANT EXECUTE ON FUNCTION studio_drop_events(text, date) TO {role};
"""

# Triggers of partitions stay behind otherwise, and what they call would be gone.
DROP_FUNCTIONS = """
DROP FUNCTION studio_drop_events(text, date);
DROP FUNCTION studio_close_events(text, date);
DROP FUNCTION studio_reopen_events() CASCADE;
"""


def names(schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    return {"schema": schema, "role": schema_editor.quote_name(settings.STUDIO_DATABASE_ROLE)}


def create(apps, schema_editor):
    """The functions, for the schema of the tables."""
    known = names(schema_editor)
    schema_editor.execute(ADD_PARTITION.format(past=FAR, **known), None)
    schema_editor.execute(FUNCTIONS.format(**known), None)


def drop(apps, schema_editor):
    """Without them no partition of events is ever dropped."""
    schema_editor.execute(DROP_FUNCTIONS, None)
    schema_editor.execute(ADD_PARTITION.format(past=NEAR, **names(schema_editor)), None)


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0020_alerts'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.AddField(
            model_name='purgeitem',
            name='is_archived',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='purgeitem',
            name='unarchived_rows',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='purgerun',
            name='applies',
            field=models.JSONField(default=list),
        ),
        migrations.CreateModel(
            name='PurgeClock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trusted_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='telemetry_purgeclock_one_row')],
            },
        ),
        migrations.CreateModel(
            name='SealedPartition',
            fields=[
                ('name', models.CharField(max_length=63, primary_key=True, serialize=False)),
                ('sealed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='RetentionState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveBigIntegerField()),
                ('days', models.JSONField(default=dict)),
                ('archived', models.JSONField(default=list)),
                ('installation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='StoredDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('partition', models.CharField(max_length=63)),
                ('retention_class', models.PositiveIntegerField()),
                ('day', models.DateField()),
                ('name', models.CharField(max_length=200)),
                ('version', models.PositiveIntegerField()),
                ('rows', models.PositiveBigIntegerField()),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('first_received_at', models.DateTimeField()),
                ('last_received_at', models.DateTimeField()),
                ('first_expires_at', models.DateTimeField()),
                ('last_expires_at', models.DateTimeField()),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['installation', 'name'], name='telemetry_storedday_by_name')],
                'constraints': [models.UniqueConstraint(fields=('partition', 'installation', 'day', 'name', 'version'), name='telemetry_storedday_once')],
            },
        ),
        IsolateTenants("StoredDay"),
        SameTenant("StoredDay"),
        IsolateTenants("RetentionState"),
        SameTenant("RetentionState"),
        migrations.RunPython(create, drop),
    ]
