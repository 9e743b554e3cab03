"""Stored events are counted as they are written, so that a partition need not be read before it is dropped."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants

# Whoever appends to it needs no index, nor does whoever takes all of it.
NO_KEY = "ALTER TABLE telemetry_storeddelta DROP CONSTRAINT telemetry_storeddelta_pkey"
KEY = "ALTER TABLE telemetry_storeddelta ADD CONSTRAINT telemetry_storeddelta_pkey PRIMARY KEY (id)"
# What is in them was not counted, and until every process runs the new code, nor is all that comes into them.
UNCOUNTED = """
INSERT INTO telemetry_uncountedpartition (name)
SELECT part.relname FROM pg_inherits of_class
JOIN pg_inherits of_part ON of_part.inhparent = of_class.inhrelid
JOIN pg_class part ON part.oid = of_part.inhrelid
WHERE of_class.inhparent = 'telemetry_storedevent'::regclass
"""
# Without deltas the counts of partitions that are not sealed mean nothing; sealed ones have none.
FORGET = """
SELECT set_config('studio.tenant_ids', '*', true);
DELETE FROM telemetry_storedday
WHERE partition NOT IN (SELECT name FROM telemetry_sealedpartition) OR rows < 0 OR size_bytes < 0
"""


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0029_proposal_notices'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.AddField(
            model_name='storedevent',
            name='size_bytes',
            field=models.IntegerField(null=True),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, FORGET),
        migrations.AlterField(
            model_name='storedday',
            name='rows',
            field=models.BigIntegerField(),
        ),
        migrations.AlterField(
            model_name='storedday',
            name='size_bytes',
            field=models.BigIntegerField(),
        ),
        migrations.CreateModel(
            name='StoredDelta',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('retention_class', models.IntegerField()),
                ('day', models.DateField()),
                ('name', models.CharField(max_length=200)),
                ('version', models.IntegerField()),
                ('rows', models.BigIntegerField()),
                ('size_bytes', models.BigIntegerField()),
                ('first_received_at', models.DateTimeField(null=True)),
                ('last_received_at', models.DateTimeField(null=True)),
                ('first_expires_at', models.DateTimeField(null=True)),
                ('last_expires_at', models.DateTimeField(null=True)),
                ('installation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.RunSQL(NO_KEY, KEY),
        IsolateTenants("StoredDelta"),
        migrations.CreateModel(
            name='UncountedPartition',
            fields=[
                ('name', models.CharField(max_length=63, primary_key=True, serialize=False)),
            ],
        ),
        migrations.RunSQL(UNCOUNTED, migrations.RunSQL.noop),
    ]
