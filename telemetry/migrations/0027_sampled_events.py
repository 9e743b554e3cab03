"""Sampled events, sealed, each the property of the tenant of its installation."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0026_purge'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='SampledEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('stored', 'stored'), ('sampled_out', 'sampled out'), ('disabled', 'disabled'), ('rejected', 'rejected'), ('duplicate', 'duplicate')], max_length=20)),
                ('sealed', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-received_at', '-id'],
                'indexes': [models.Index(fields=['installation', 'event_name', '-received_at'], name='telemetry_sample_by_event'), models.Index(fields=['expires_at'], name='telemetry_sample_by_expiry')],
            },
        ),
        IsolateTenants("SampledEvent"),
        SameTenant("SampledEvent"),
    ]
