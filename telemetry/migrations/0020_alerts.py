"""Alert channels, the routes to them and what they were told; each belongs to a tenant."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant

# A route and a notification name a channel of their own tenant.
TIE = """
ALTER TABLE telemetry_{table} ADD CONSTRAINT telemetry_{table}_same_channel
    FOREIGN KEY (channel_id, tenant_id) REFERENCES telemetry_alertchannel (id, tenant_id)
    DEFERRABLE INITIALLY DEFERRED
"""
UNTIE = "ALTER TABLE telemetry_{table} DROP CONSTRAINT telemetry_{table}_same_channel"


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0019_retention'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.AddField(
            model_name='evaluationstate',
            name='late_told_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='incident',
            name='alert_words',
            field=models.CharField(blank=True, default='', max_length=300),
        ),
        migrations.CreateModel(
            name='AlertChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('email', 'E-mail'), ('webhook', 'Web hook'), ('slack', 'Slack')], max_length=20)),
                ('sealed', models.TextField()),
                ('sealed_at', models.DateTimeField()),
                ('place', models.CharField(max_length=300)),
                ('subject', models.CharField(blank=True, default='', max_length=200)),
                ('body', models.CharField(blank=True, default='', max_length=4000)),
                ('tells_end', models.BooleanField(default=True)),
                ('tells_acknowledgement', models.BooleanField(default=False)),
                ('quiet_minutes', models.PositiveIntegerField(default=60)),
                ('most_per_hour', models.PositiveIntegerField(default=20)),
                ('pace', models.CharField(choices=[('at_once', 'At once'), ('hourly', 'Once an hour'), ('daily', 'Once a day')], default='at_once', max_length=20)),
                ('digest_hour', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MaxValueValidator(23)])),
                ('is_enabled', models.BooleanField(default=True)),
                ('muted_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('paused_until', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, default='', max_length=40)),
                ('last_status', models.PositiveSmallIntegerField(null=True)),
                ('last_error_at', models.DateTimeField(null=True)),
                ('last_delivered_at', models.DateTimeField(null=True)),
                ('delivered', models.PositiveBigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'alert channel',
                'ordering': ['tenant', 'name'],
            },
        ),
        migrations.CreateModel(
            name='AlertRoute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_fallback', models.BooleanField(default=False)),
                ('environment', models.CharField(blank=True, choices=[('development', 'development'), ('staging', 'staging'), ('production', 'production')], default='', max_length=20)),
                ('event', models.CharField(blank=True, default='', max_length=201)),
                ('rule', models.CharField(blank=True, default='', max_length=200)),
                ('action', models.CharField(blank=True, choices=[('alert', 'alert'), ('log', 'log'), ('trigger_regen', 'trigger regen')], default='', max_length=20)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('app', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.app')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='telemetry.alertchannel')),
                ('installation', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'alert route',
                'ordering': ['tenant', 'is_fallback', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('opened', 'Opened'), ('reopened', 'Open again'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved'), ('digest', 'Summary'), ('test', 'Test'), ('late', 'Anomalies are not judged'), ('on_time', 'Anomalies are judged again')], max_length=20)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('dead', 'Given up'), ('gathered', 'For the summary'), ('summed_up', 'In a summary'), ('withheld', 'Withheld')], default='waiting', max_length=20)),
                ('reason', models.CharField(blank=True, default='', max_length=20)),
                ('facts', models.JSONField(default=dict)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, default='', max_length=40)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('channel', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='telemetry.alertchannel')),
                ('digest', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='summed_up', to='telemetry.notification')),
                ('entry', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='telemetry.incidententry')),
                ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='telemetry.incident')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'notification',
                'ordering': ['-id'],
            },
        ),
        migrations.AddConstraint(
            model_name='alertchannel',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='telemetry_alertchannel_once'),
        ),
        migrations.AddConstraint(
            model_name='alertchannel',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='telemetry_alertchannel_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='alertchannel',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['email', 'webhook', 'slack'])), name='telemetry_alertchannel_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='alertchannel',
            constraint=models.CheckConstraint(condition=models.Q(('pace__in', ['at_once', 'hourly', 'daily'])), name='telemetry_alertchannel_pace_known'),
        ),
        migrations.AddConstraint(
            model_name='alertchannel',
            constraint=models.CheckConstraint(condition=models.Q(('digest_hour__lte', 23)), name='telemetry_alertchannel_hour_of_day'),
        ),
        migrations.AddIndex(
            model_name='alertroute',
            index=models.Index(fields=['tenant', 'id'], name='telemetry_alertroute_by_tenant'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['channel', 'id'], name='telemetry_notification_waiting'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('state', 'gathered')), fields=['due_at'], name='telemetry_notification_gather'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['channel', '-id'], name='telemetry_notification_recent'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['created_at'], name='telemetry_notification_age'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(fields=('entry', 'channel'), name='telemetry_notification_once'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'delivered', 'dead', 'gathered', 'summed_up', 'withheld'])), name='telemetry_notification_state_known'),
        ),
        IsolateTenants("AlertChannel"),
        IsolateTenants("AlertRoute"),
        SameTenant("AlertRoute"),
        IsolateTenants("Notification"),
        *(
            migrations.RunSQL(TIE.format(table=table), UNTIE.format(table=table))
            for table in ("alertroute", "notification")
        ),
    ]
