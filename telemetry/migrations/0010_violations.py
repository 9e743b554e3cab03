"""Violations, counted in groups and by day; each belongs to the tenant of its installation."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant

class Migration(migrations.Migration):

    dependencies = [
        ("telemetry", "0009_anomaly_rules"),
        ('tenants', '0008_config_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='ViolationRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(blank=True, max_length=200)),
                ('event_version', models.PositiveIntegerField(null=True)),
                ('path', models.CharField(blank=True, max_length=200)),
                ('code', models.CharField(blank=True, max_length=40)),
                ('app_version', models.CharField(blank=True, max_length=64)),
                ('message', models.CharField(blank=True, max_length=300)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('sample', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved'), ('muted', 'Muted')], default='open', max_length=20)),
                ('resolved_in', models.CharField(blank=True, default='', max_length=64)),
                ('stays_resolved', models.BooleanField(default=False)),
                ('note', models.CharField(blank=True, default='', max_length=1000)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by_label', models.CharField(blank=True, default='', max_length=200)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'violation',
                'ordering': ['-last_seen_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='ViolationDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('violation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='telemetry.violationrecord')),
            ],
            options={
                'ordering': ['day'],
            },
        ),
        migrations.AddIndex(
            model_name='violationrecord',
            index=models.Index(fields=['tenant', '-last_seen_at'], name='telemetry_violation_by_time'),
        ),
        migrations.AddConstraint(
            model_name='violationrecord',
            constraint=models.UniqueConstraint(fields=('installation', 'event_name', 'path', 'code', 'app_version'), name='telemetry_violation_once'),
        ),
        migrations.AddConstraint(
            model_name='violationrecord',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'acknowledged', 'resolved', 'muted'])), name='telemetry_violation_state_known'),
        ),
        migrations.AddConstraint(
            model_name='violationday',
            constraint=models.UniqueConstraint(fields=('violation', 'day'), name='telemetry_violation_day_once'),
        ),
        IsolateTenants("ViolationRecord"),
        SameTenant("ViolationRecord"),
        IsolateTenants("ViolationDay"),
    ]
