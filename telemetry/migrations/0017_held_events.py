"""Refused events that are held, sealed, each the property of the tenant of its installation."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ("telemetry", "0016_dropping_partitions"),
        ('tenants', '0011_what_was_before'),
    ]

    operations = [
        migrations.CreateModel(
            name='HeldEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.UUIDField()),
                ('event_name', models.CharField(blank=True, max_length=200)),
                ('reason', models.CharField(max_length=400)),
                ('source', models.CharField(choices=[('batch', 'batch'), ('posthog', 'posthog'), ('segment', 'segment'), ('otlp', 'otlp'), ('internal', 'internal')], max_length=20)),
                ('app_version', models.CharField(blank=True, default='', max_length=64)),
                ('subjects', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('sealed', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['received_at', 'id'],
                'indexes': [models.Index(fields=['installation', 'event_name', 'reason'], name='telemetry_held_by_reason'), models.Index(fields=['expires_at'], name='telemetry_held_by_expiry'), django.contrib.postgres.indexes.GinIndex(fields=['subjects'], name='telemetry_held_by_subject')],
                'constraints': [models.UniqueConstraint(fields=('installation', 'event_id'), name='telemetry_held_once')],
            },
        ),
        IsolateTenants("HeldEvent"),
        SameTenant("HeldEvent"),
    ]
