"""Erasure and access requests, each the property of its tenant."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.isolation import IsolateTenants

# What belongs to a request, export or provider belongs to its tenant: table, column, what that names.
TIES = (
    ("telemetry_erasedsubject", "request", "telemetry_erasurerequest"),
    ("telemetry_erasureforward", "request", "telemetry_erasurerequest"),
    ("telemetry_erasureforward", "provider", "telemetry_providerrecord"),
    ("telemetry_erasureaccess", "provider", "telemetry_providerrecord"),
    ("telemetry_accesspart", "export", "telemetry_accessexport"),
)
TIE = """
ALTER TABLE {table} ADD CONSTRAINT {table}_same_{name}
    FOREIGN KEY ({name}_id, tenant_id) REFERENCES {parent} (id, tenant_id) DEFERRABLE INITIALLY DEFERRED
"""
UNTIE = "ALTER TABLE {table} DROP CONSTRAINT {table}_same_{name}"


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0021_config_parts'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('case_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('state', models.CharField(choices=[('collecting', 'Collecting'), ('ready', 'Ready'), ('expired', 'Expired')], default='collecting', max_length=20)),
                ('reference', models.CharField(blank=True, default='', max_length=64)),
                ('pseudonyms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('probe_epoch', models.PositiveIntegerField()),
                ('position', models.JSONField(default=dict)),
                ('events', models.PositiveIntegerField(default=0)),
                ('downloads', models.PositiveIntegerField(default=0)),
                ('created_by_label', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_on', models.DateField()),
                ('ready_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'access export',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AccessPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('events', models.PositiveIntegerField()),
                ('sealed', models.BinaryField()),
                ('export', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='telemetry.accessexport')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['export', 'number'],
            },
        ),
        migrations.CreateModel(
            name='ErasureAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('settings', models.JSONField(default=dict)),
                ('sealed', models.TextField()),
                ('sealed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('provider', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='erasure_access', to='telemetry.providerrecord')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('case_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('state', models.CharField(choices=[('counting', 'Counting'), ('ready', 'To be confirmed'), ('erasing', 'Erasing'), ('verifying', 'Looking again'), ('forwarding', 'Telling providers'), ('held', 'Stopped by a legal hold'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='counting', max_length=20)),
                ('reference', models.CharField(blank=True, default='', max_length=64)),
                ('pseudonyms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('probe_epoch', models.PositiveIntegerField()),
                ('salt', models.CharField(max_length=64)),
                ('digest', models.CharField(max_length=64)),
                ('position', models.JSONField(default=dict)),
                ('found', models.JSONField(default=list)),
                ('erased', models.JSONField(default=list)),
                ('left', models.JSONField(default=list)),
                ('passes', models.PositiveIntegerField(default=0)),
                ('fence', models.BigIntegerField(null=True)),
                ('held_by', models.CharField(blank=True, default='', max_length=400)),
                ('trouble', models.CharField(blank=True, default='', max_length=200)),
                ('ends_at', models.DateTimeField(null=True)),
                ('created_by_label', models.CharField(max_length=200)),
                ('confirmed_by_label', models.CharField(blank=True, default='', max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_on', models.DateField()),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('erased_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('is_confirmed_ahead', models.BooleanField(default=False)),
                ('step_due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('receipt', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='telemetry.receipt')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'erasure request',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ErasureForward',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('posthog', 'PostHog'), ('segment', 'Segment'), ('opentelemetry', 'OpenTelemetry'), ('internal', 'Another studio'), ('webhook', 'Web hook')], max_length=20)),
                ('place', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Told'), ('unsupported', 'Has to be done by hand'), ('failed', 'Given up')], default='waiting', max_length=20)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, default='', max_length=40)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='telemetry.providerrecord')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='forwards', to='telemetry.erasurerequest')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ErasedSubject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pseudonym', models.CharField(max_length=40)),
                ('ends_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='subjects', to='telemetry.erasurerequest')),
            ],
        ),
        migrations.AddIndex(
            model_name='accessexport',
            index=models.Index(fields=['tenant', '-id'], name='telemetry_access_by_tenant'),
        ),
        migrations.AddIndex(
            model_name='accessexport',
            index=models.Index(fields=['state', 'expires_at'], name='telemetry_access_by_state'),
        ),
        migrations.AddConstraint(
            model_name='accessexport',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='telemetry_access_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='accessexport',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['collecting', 'ready', 'expired'])), name='telemetry_access_state_known'),
        ),
        migrations.AddConstraint(
            model_name='accesspart',
            constraint=models.UniqueConstraint(fields=('export', 'number'), name='telemetry_access_part_once'),
        ),
        migrations.AddIndex(
            model_name='erasurerequest',
            index=models.Index(fields=['tenant', '-id'], name='telemetry_erasure_by_tenant'),
        ),
        migrations.AddIndex(
            model_name='erasurerequest',
            index=models.Index(condition=models.Q(('state__in', ['counting', 'erasing', 'verifying', 'forwarding', 'held'])), fields=['step_due_at'], name='telemetry_erasure_active'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='telemetry_erasure_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['counting', 'ready', 'erasing', 'verifying', 'forwarding', 'held', 'done', 'cancelled'])), name='telemetry_erasure_state_known'),
        ),
        migrations.AddConstraint(
            model_name='erasureforward',
            constraint=models.UniqueConstraint(fields=('request', 'provider'), name='telemetry_forward_once'),
        ),
        migrations.AddConstraint(
            model_name='erasureforward',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'done', 'unsupported', 'failed'])), name='telemetry_forward_state_known'),
        ),
        migrations.AddIndex(
            model_name='erasedsubject',
            index=models.Index(condition=models.Q(('ends_at__isnull', False)), fields=['ends_at'], name='telemetry_erased_by_end'),
        ),
        migrations.AddIndex(
            model_name='erasedsubject',
            index=models.Index(fields=['request'], name='telemetry_erased_by_request'),
        ),
        migrations.AddConstraint(
            model_name='erasedsubject',
            constraint=models.UniqueConstraint(fields=('tenant', 'pseudonym', 'request'), name='telemetry_erased_once'),
        ),
        *(
            IsolateTenants(model)
            for model in ("ErasureRequest", "ErasedSubject", "ErasureForward", "ErasureAccess", "AccessExport", "AccessPart")
        ),
        *(
            migrations.RunSQL(
                TIE.format(table=table, name=name, parent=parent), UNTIE.format(table=table, name=name)
            )
            for table, name, parent in TIES
        ),
    ]
