"""Counts of what is stored, and dropping whole partitions of events.

A worker owns nothing and calls functions that run as the owner. They refuse to drop what is not counted, or of which
anything counted is left: the purge accounts for every row, in the same transaction, before its partition goes.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant

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
    schema_editor.execute(FUNCTIONS.format(**names(schema_editor)), None)


def drop(apps, schema_editor):
    """Without them no partition of events is ever dropped."""
    schema_editor.execute(DROP_FUNCTIONS, None)


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0025_proposals'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.AddField(
            model_name='purgeitem',
            name='is_archived',
            field=models.BooleanField(default=False),
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
