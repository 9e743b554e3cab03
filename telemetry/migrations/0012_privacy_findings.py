"""What detectors have recognised in events; each row belongs to the tenant of its installation."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ("telemetry", "0011_latest_until"),
        ('tenants', '0008_config_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='PrivacyFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('path', models.CharField(max_length=200)),
                ('detector', models.CharField(choices=[('email', 'email'), ('phone', 'phone'), ('payment_card', 'payment card'), ('iban', 'iban'), ('ip_address', 'ip address'), ('secret', 'secret'), ('coordinates', 'coordinates'), ('national_id', 'national id'), ('personal_name', 'personal name')], max_length=20)),
                ('is_declared', models.BooleanField()),
                ('value_type', models.CharField(choices=[('string', 'string'), ('number', 'number'), ('boolean', 'boolean'), ('timestamp', 'timestamp'), ('json', 'json')], max_length=20)),
                ('found', models.PositiveBigIntegerField(default=0)),
                ('checked', models.PositiveBigIntegerField(default=0)),
                ('app_versions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=list, size=None)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('snoozed', 'Snoozed'), ('accepted', 'Accepted'), ('dismissed', 'Dismissed')], default='open', max_length=20)),
                ('reason', models.CharField(blank=True, default='', max_length=1000)),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('found_at_decision', models.PositiveBigIntegerField(default=0)),
                ('accepted_spec', models.CharField(blank=True, default='', max_length=128)),
                ('accepted_version', models.PositiveIntegerField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by_label', models.CharField(blank=True, default='', max_length=200)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'privacy finding',
                'ordering': ['-last_seen_at', '-id'],
                'indexes': [models.Index(fields=['tenant', 'state', '-last_seen_at'], name='telemetry_finding_inbox')],
                'constraints': [models.UniqueConstraint(fields=('installation', 'event_name', 'event_version', 'path', 'detector'), name='telemetry_finding_once'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'snoozed', 'accepted', 'dismissed'])), name='telemetry_finding_state_known'), models.CheckConstraint(condition=models.Q(('detector__in', ['email', 'phone', 'payment_card', 'iban', 'ip_address', 'secret', 'coordinates', 'national_id', 'personal_name'])), name='telemetry_finding_detector_known'), models.CheckConstraint(condition=models.Q(('found__lte', models.F('checked'))), name='telemetry_finding_found_of_checked')],
            },
        ),
        IsolateTenants("PrivacyFinding"),
        SameTenant("PrivacyFinding"),
    ]
