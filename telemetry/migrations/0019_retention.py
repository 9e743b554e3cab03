"""What retention keeps about itself: runs, what became of stored events, legal holds, and the chain of receipts."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from tenants.immutability import AppendOnly
from tenants.isolation import IsolateTenants, SameTenant

# An item counts what a run of its own tenant does.
TIE = """
ALTER TABLE telemetry_purgeitem ADD CONSTRAINT telemetry_purgeitem_same_run
    FOREIGN KEY (run_id, tenant_id) REFERENCES telemetry_purgerun (id, tenant_id) DEFERRABLE INITIALLY DEFERRED
"""
UNTIE = "ALTER TABLE telemetry_purgeitem DROP CONSTRAINT telemetry_purgeitem_same_run"


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0018_providers'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='PurgeRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waits for approval'), ('running', 'Running'), ('done', 'Done'), ('replaced', 'Replaced by a newer plan')], max_length=10)),
                ('cutoff', models.DateTimeField()),
                ('terms', models.JSONField(default=list)),
                ('planned_rows', models.PositiveBigIntegerField()),
                ('planned_bytes', models.PositiveBigIntegerField()),
                ('planned_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('why_waiting', models.CharField(blank=True, default='', max_length=40)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.CharField(blank=True, default='', max_length=200)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('shortened_rows', models.PositiveBigIntegerField(default=0)),
                ('partitions', models.PositiveIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PurgeItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('version', models.PositiveIntegerField()),
                ('planned_rows', models.PositiveBigIntegerField(default=0)),
                ('planned_bytes', models.PositiveBigIntegerField(default=0)),
                ('held_rows', models.PositiveBigIntegerField(default=0)),
                ('oldest_on', models.DateField(null=True)),
                ('newest_on', models.DateField(null=True)),
                ('rows', models.PositiveBigIntegerField(default=0)),
                ('size_bytes', models.PositiveBigIntegerField(default=0)),
                ('archived_rows', models.PositiveBigIntegerField(default=0)),
                ('archived_bytes', models.PositiveBigIntegerField(default=0)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='telemetry.purgerun')),
            ],
            options={
                'ordering': ['-planned_rows', 'name', 'version'],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveBigIntegerField()),
                ('kind', models.CharField(choices=[('purge', 'Purge'), ('archive', 'Archive'), ('archive_expired', 'Archive expired'), ('erasure', 'Erasure'), ('rescrub', 'Redacted after the fact'), ('hold_placed', 'Hold placed'), ('hold_lifted', 'Hold lifted')], max_length=20)),
                ('recorded_at', models.DateTimeField()),
                ('actor', models.CharField(max_length=80)),
                ('facts', models.JSONField()),
                ('previous', models.CharField(max_length=64)),
                ('digest', models.CharField(max_length=64)),
                ('public_key', models.CharField(max_length=44)),
                ('signature', models.CharField(max_length=88)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-sequence'],
            },
        ),
        migrations.CreateModel(
            name='EventRemoval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('name', models.CharField(max_length=200)),
                ('version', models.PositiveIntegerField()),
                ('purged', models.PositiveBigIntegerField(default=0)),
                ('archived', models.PositiveBigIntegerField(default=0)),
                ('erased', models.PositiveBigIntegerField(default=0)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-day'],
                'constraints': [models.UniqueConstraint(fields=('installation', 'day', 'name', 'version'), name='telemetry_removal_once')],
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(blank=True, default='', max_length=200)),
                ('subjects', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(max_length=400)),
                ('placed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('placed_by', models.CharField(max_length=200)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lifted_by', models.CharField(blank=True, default='', max_length=200)),
                ('lifted_because', models.CharField(blank=True, default='', max_length=400)),
                ('installation', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-placed_at', '-id'],
                'indexes': [models.Index(condition=models.Q(('lifted_at__isnull', True)), fields=['tenant'], name='telemetry_hold_in_force')],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_at__isnull', True), ('ends_at__isnull', True), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='telemetry_hold_time_order')],
            },
        ),
        migrations.AddIndex(
            model_name='purgerun',
            index=models.Index(fields=['tenant', '-id'], name='telemetry_purge_by_tenant'),
        ),
        migrations.AddConstraint(
            model_name='purgerun',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'running'])), fields=('tenant',), name='telemetry_purge_one_open'),
        ),
        migrations.AddConstraint(
            model_name='purgerun',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='telemetry_purge_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='purgerun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'replaced'])), name='telemetry_purge_state_known'),
        ),
        migrations.AddConstraint(
            model_name='purgeitem',
            constraint=models.UniqueConstraint(fields=('run', 'installation', 'name', 'version'), name='telemetry_purge_item_once'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(fields=('tenant', 'sequence'), name='telemetry_receipt_once'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['purge', 'archive', 'archive_expired', 'erasure', 'rescrub', 'hold_placed', 'hold_lifted'])), name='telemetry_receipt_kind_known'),
        ),
        IsolateTenants("PurgeRun"),
        IsolateTenants("PurgeItem"),
        SameTenant("PurgeItem"),
        migrations.RunSQL(TIE, UNTIE),
        IsolateTenants("EventRemoval"),
        SameTenant("EventRemoval"),
        IsolateTenants("LegalHold"),
        SameTenant("LegalHold"),
        IsolateTenants("Receipt"),
        AppendOnly("Receipt"),
    ]
