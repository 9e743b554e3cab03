"""Runs that hide what was stored openly, and up to which config each installation was looked at."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0027_sampled_events'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='RescrubMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('config_revision', models.PositiveBigIntegerField()),
                ('looked_at', models.DateTimeField()),
                ('installation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['installation'],
            },
        ),
        migrations.CreateModel(
            name='RescrubRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('state', models.CharField(choices=[('counting', 'Counting'), ('ready', 'Waits for a decision'), ('running', 'Running'), ('checking', 'Checking'), ('done', 'Done'), ('nothing', 'Nothing to hide'), ('cancelled', 'Cancelled')], default='counting', max_length=20)),
                ('reason', models.CharField(max_length=20)),
                ('config_revision', models.PositiveBigIntegerField()),
                ('position', models.JSONField(default=dict)),
                ('found', models.JSONField(default=dict)),
                ('changed', models.JSONField(default=dict)),
                ('left', models.JSONField(default=dict)),
                ('trouble', models.CharField(blank=True, default='', max_length=200)),
                ('asked_by', models.CharField(max_length=200)),
                ('started_by', models.CharField(blank=True, default='', max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('counted_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('step_due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['installation', '-id'], name='telemetry_rescrub_by_place'), models.Index(condition=models.Q(('state__in', ('counting', 'running', 'checking'))), fields=['step_due_at'], name='telemetry_rescrub_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('counting', 'running', 'checking', 'ready'))), fields=('installation',), name='telemetry_rescrub_one_open'), models.CheckConstraint(condition=models.Q(('state__in', ['counting', 'ready', 'running', 'checking', 'done', 'nothing', 'cancelled'])), name='telemetry_rescrub_state_known')],
            },
        ),
        IsolateTenants("RescrubMark"),
        SameTenant("RescrubMark"),
        IsolateTenants("RescrubRun"),
        SameTenant("RescrubRun"),
    ]
