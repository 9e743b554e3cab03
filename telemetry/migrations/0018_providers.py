"""Providers of installations, and the deliveries to them; each belongs to the tenant of its installation."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


from tenants.isolation import IsolateTenants, SameTenant

# A delivery names a provider of its own tenant.
TIE = """
ALTER TABLE telemetry_deliveryrecord ADD CONSTRAINT telemetry_deliveryrecord_same_provider
    FOREIGN KEY (provider_id, tenant_id) REFERENCES telemetry_providerrecord (id, tenant_id)
    DEFERRABLE INITIALLY DEFERRED
"""
UNTIE = "ALTER TABLE telemetry_deliveryrecord DROP CONSTRAINT telemetry_deliveryrecord_same_provider"


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0017_held_events'),
        ('tenants', '0011_what_was_before'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProviderRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('posthog', 'PostHog'), ('segment', 'Segment'), ('opentelemetry', 'OpenTelemetry'), ('internal', 'Another studio'), ('webhook', 'Web hook')], max_length=20)),
                ('settings', models.JSONField(default=dict)),
                ('sealed', models.TextField(blank=True, default='')),
                ('sealed_at', models.DateTimeField(null=True)),
                ('highest_level', models.CharField(choices=[('public', 'public'), ('internal', 'internal'), ('pii', 'pii'), ('sensitive', 'sensitive')], default='pii', max_length=20)),
                ('is_enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('refusals', models.PositiveIntegerField(default=0)),
                ('paused_until', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, default='', max_length=40)),
                ('last_status', models.PositiveSmallIntegerField(null=True)),
                ('last_error_at', models.DateTimeField(null=True)),
                ('last_delivered_at', models.DateTimeField(null=True)),
                ('delivered', models.PositiveBigIntegerField(default=0)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='providers', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'provider',
                'ordering': ['installation', 'name'],
            },
        ),
        migrations.CreateModel(
            name='DeliveryRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), size=None)),
                ('event_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ('count', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('dead', 'Dead letter')], default='waiting', max_length=20)),
                ('is_alone', models.BooleanField(default=False)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, default='', max_length=40)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('provider', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='telemetry.providerrecord')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ['-id'],
            },
        ),
        migrations.AddConstraint(
            model_name='providerrecord',
            constraint=models.UniqueConstraint(fields=('installation', 'name'), name='telemetry_provider_once'),
        ),
        migrations.AddConstraint(
            model_name='providerrecord',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='telemetry_provider_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='providerrecord',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['posthog', 'segment', 'opentelemetry', 'internal', 'webhook'])), name='telemetry_provider_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='providerrecord',
            constraint=models.CheckConstraint(condition=models.Q(('highest_level__in', ['public', 'internal', 'pii', 'sensitive'])), name='telemetry_provider_level_known'),
        ),
        migrations.AddIndex(
            model_name='deliveryrecord',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['provider', 'id'], name='telemetry_delivery_waiting'),
        ),
        migrations.AddIndex(
            model_name='deliveryrecord',
            index=models.Index(fields=['provider', 'state', '-id'], name='telemetry_delivery_by_state'),
        ),
        migrations.AddIndex(
            model_name='deliveryrecord',
            index=models.Index(condition=models.Q(('settled_at__isnull', False)), fields=['settled_at'], name='telemetry_delivery_settled'),
        ),
        migrations.AddConstraint(
            model_name='deliveryrecord',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'delivered', 'dead'])), name='telemetry_delivery_state_known'),
        ),
        IsolateTenants("ProviderRecord"),
        SameTenant("ProviderRecord"),
        IsolateTenants("DeliveryRecord"),
        SameTenant("DeliveryRecord"),
        migrations.RunSQL(TIE, UNTIE),
    ]
