"""Where events go: the partitioned table of stored events, the ledger of received ids, and the tallies.

Written by hand, since Django makes no partitions. A worker runs as the application role, which owns nothing: it adds
partitions through ``studio_add_partition``, which runs as the owner, and can do no more than that. See
docs/adr/0009-event-partitions.md.
"""

import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from tenants.isolation import IsolateTenants

TABLES = """
CREATE TABLE telemetry_storedevent (
    id uuid NOT NULL,
    tenant_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    name varchar(200) NOT NULL,
    version integer NOT NULL,
    received_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    retention_class integer NOT NULL,
    privacy varchar(20) NOT NULL,
    source varchar(20) NOT NULL,
    app_version varchar(64),
    inclusion_probability double precision NOT NULL,
    config_revision bigint NOT NULL,
    properties jsonb NOT NULL,
    context jsonb NOT NULL
) PARTITION BY LIST (retention_class);
CREATE INDEX telemetry_stored_by_name ON telemetry_storedevent (installation_id, name, received_at);

CREATE TABLE telemetry_eventclaim (
    id uuid NOT NULL,
    tenant_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    day date NOT NULL,
    CONSTRAINT telemetry_eventclaim_once UNIQUE (installation_id, id, day)
) PARTITION BY RANGE (day);

CREATE TABLE telemetry_undatedclaim (
    id uuid NOT NULL,
    tenant_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    month date NOT NULL,
    CONSTRAINT telemetry_undatedclaim_once UNIQUE (installation_id, id, month)
) PARTITION BY RANGE (month);

CREATE SEQUENCE telemetry_eventtally_id_seq;
CREATE TABLE telemetry_eventtally (
    id bigint NOT NULL DEFAULT nextval('telemetry_eventtally_id_seq'),
    tenant_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    name varchar(200) NOT NULL,
    version integer NOT NULL CHECK (version >= 0),
    minute timestamptz NOT NULL,
    received_minute timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    received integer NOT NULL,
    stored integer NOT NULL CHECK (stored >= 0),
    sampled_out integer NOT NULL CHECK (sampled_out >= 0),
    disabled integer NOT NULL CHECK (disabled >= 0),
    rejected integer NOT NULL CHECK (rejected >= 0),
    duplicate integer NOT NULL CHECK (duplicate >= 0),
    violating integer NOT NULL CHECK (violating >= 0),
    skewed integer NOT NULL CHECK (skewed >= 0),
    is_merged boolean NOT NULL DEFAULT false,
    detail bytea,
    CONSTRAINT telemetry_tally_balances
        CHECK (received = stored + sampled_out + disabled + rejected + duplicate)
) PARTITION BY RANGE (received_minute);
ALTER SEQUENCE telemetry_eventtally_id_seq OWNED BY telemetry_eventtally.id;
CREATE INDEX telemetry_tally_by_name ON telemetry_eventtally (installation_id, name, minute);
CREATE INDEX telemetry_tally_unmerged ON telemetry_eventtally (received_minute) WHERE NOT is_merged;
"""

DROP_TABLES = """
DROP TABLE telemetry_eventtally;
DROP TABLE telemetry_undatedclaim;
DROP TABLE telemetry_eventclaim;
DROP TABLE telemetry_storedevent;
"""

# The classes of telemetry.core.retention: days, and 0 for what a legal hold keeps.
CLASSES = {"hold": 0, "d7": 7, "d30": 30, "d90": 90, "d180": 180, "d365": 365, "d730": 730, "d36500": 36_500}

# Created like its parent and attached: this waits for no reader and holds no writer up, as CREATE ... PARTITION OF does.
# Never waits long for a lock: whoever waits for one on a table makes all who come later wait too.
ADD_PARTITION = """
CREATE FUNCTION studio_add_partition(parent text, starts_on date, ends_on date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(starts_on, '"_"YYYYMMDD');
BEGIN
    IF parent !~ '^telemetry_(storedevent_(hold|d[0-9]+)|eventclaim|undatedclaim|eventtally)$'
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass(parent) AND relkind = 'p')
        OR ends_on - starts_on NOT BETWEEN 1 AND 31
        OR starts_on NOT BETWEEN current_date - 100 AND current_date + 100
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
$$;
REVOKE ALL ON FUNCTION studio_add_partition(text, date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION studio_add_partition(text, date, date) TO {role};
"""


def create(apps, schema_editor):
    """The tables, the classes of stored events, and the function that adds partitions to them."""
    role = schema_editor.quote_name(settings.STUDIO_DATABASE_ROLE)
    schema_editor.execute(TABLES, None)
    for word, days in CLASSES.items():
        child = f"telemetry_storedevent_{word}"
        schema_editor.execute(
            f"CREATE TABLE {child} PARTITION OF telemetry_storedevent FOR VALUES IN ({days}) "
            "PARTITION BY RANGE (received_at)",
            None,
        )
        # Whoever reads a partition directly is not bound by the row-level security of the whole.
        schema_editor.execute(f"REVOKE ALL ON {child} FROM PUBLIC, {role}", None)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    schema_editor.execute(ADD_PARTITION.format(schema=schema, role=role), None)


def drop(apps, schema_editor):
    """Nothing of it is left; the events are gone."""
    schema_editor.execute("DROP FUNCTION studio_add_partition(text, date, date)", None)
    schema_editor.execute(DROP_TABLES, None)


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0005_event_search'),
        ('tenants', '0006_immutability'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create, drop)],
            state_operations=[
                migrations.CreateModel(
                    name='EventClaim',
                    fields=[
                        ('id', models.UUIDField(primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('installation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                        ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('installation', 'id', 'day'), name='telemetry_eventclaim_once')],
                    },
                ),
                migrations.CreateModel(
                    name='EventTally',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('name', models.CharField(blank=True, default='', max_length=200)),
                        ('version', models.PositiveIntegerField()),
                        ('minute', models.DateTimeField()),
                        ('received_minute', models.DateTimeField()),
                        ('last_received_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('received', models.PositiveIntegerField()),
                        ('stored', models.PositiveIntegerField()),
                        ('sampled_out', models.PositiveIntegerField()),
                        ('disabled', models.PositiveIntegerField()),
                        ('rejected', models.PositiveIntegerField()),
                        ('duplicate', models.PositiveIntegerField()),
                        ('violating', models.PositiveIntegerField()),
                        ('skewed', models.PositiveIntegerField()),
                        ('is_merged', models.BooleanField(default=False)),
                        ('detail', models.BinaryField(null=True)),
                        ('installation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                        ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'verbose_name_plural': 'event tallies',
                        'ordering': ['-received_minute'],
                        'indexes': [models.Index(fields=['installation', 'name', 'minute'], name='telemetry_tally_by_name'), models.Index(condition=models.Q(('is_merged', False)), fields=['received_minute'], name='telemetry_tally_unmerged')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('received', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('stored'), '+', models.F('sampled_out')), '+', models.F('disabled')), '+', models.F('rejected')), '+', models.F('duplicate')))), name='telemetry_tally_balances')],
                    },
                ),
                migrations.CreateModel(
                    name='StoredEvent',
                    fields=[
                        ('id', models.UUIDField(primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=200)),
                        ('version', models.PositiveIntegerField()),
                        ('received_at', models.DateTimeField()),
                        ('occurred_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('retention_class', models.PositiveIntegerField()),
                        ('privacy', models.CharField(choices=[('public', 'public'), ('internal', 'internal'), ('pii', 'pii'), ('sensitive', 'sensitive')], max_length=20)),
                        ('source', models.CharField(choices=[('batch', 'batch'), ('posthog', 'posthog'), ('segment', 'segment'), ('otlp', 'otlp'), ('internal', 'internal')], max_length=20)),
                        ('app_version', models.CharField(max_length=64, null=True)),
                        ('inclusion_probability', models.FloatField()),
                        ('config_revision', models.PositiveBigIntegerField()),
                        ('properties', models.JSONField()),
                        ('context', models.JSONField()),
                        ('installation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                        ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'ordering': ['-received_at'],
                        'indexes': [models.Index(fields=['installation', 'name', 'received_at'], name='telemetry_stored_by_name')],
                    },
                ),
                migrations.CreateModel(
                    name='UndatedClaim',
                    fields=[
                        ('id', models.UUIDField(primary_key=True, serialize=False)),
                        ('month', models.DateField()),
                        ('installation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                        ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('installation', 'id', 'month'), name='telemetry_undatedclaim_once')],
                    },
                ),
            ],
        ),
        IsolateTenants("StoredEvent"),
        IsolateTenants("EventClaim"),
        IsolateTenants("UndatedClaim"),
        IsolateTenants("EventTally"),
    ]
