"""Judged windows, incidents and what happened to them; each belongs to the tenant of its installation."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0013_event_specs'),
        ('tenants', '0011_what_was_before'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EvaluationState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('checked_at', models.DateTimeField(null=True)),
                ('installation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('rule', models.CharField(max_length=200)),
                ('rule_words', models.CharField(max_length=300)),
                ('minutes', models.PositiveIntegerField()),
                ('actions', models.JSONField(default=list)),
                ('side', models.CharField(max_length=4)),
                ('status', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('muted', 'Muted'), ('resolved', 'Resolved')], default='open', max_length=20)),
                ('first_window', models.DateTimeField()),
                ('last_breach_at', models.DateTimeField()),
                ('breaches', models.PositiveIntegerField(default=1)),
                ('calm', models.PositiveSmallIntegerField(default=0)),
                ('peak_value', models.FloatField(null=True)),
                ('peak_score', models.FloatField(default=0.0)),
                ('peak_words', models.CharField(max_length=300)),
                ('config_revision', models.PositiveBigIntegerField(default=0)),
                ('opened_at', models.DateTimeField()),
                ('muted_until', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='related', to='telemetry.incident')),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-opened_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='IncidentEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('opened', 'Opened'), ('resolved', 'Resolved'), ('amended', 'Amended'), ('acknowledged', 'Acknowledged'), ('assigned', 'Assigned'), ('commented', 'Commented'), ('muted', 'Muted'), ('unmuted', 'Unmuted')], max_length=20)),
                ('at', models.DateTimeField()),
                ('actor_label', models.CharField(blank=True, default='', max_length=200)),
                ('text', models.CharField(blank=True, default='', max_length=2000)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='telemetry.incident')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name_plural': 'incident entries',
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='JudgedWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('rule', models.CharField(max_length=200)),
                ('minutes', models.PositiveIntegerField()),
                ('start', models.DateTimeField()),
                ('value', models.FloatField(null=True)),
                ('sample', models.PositiveIntegerField(default=0)),
                ('breach', models.CharField(blank=True, default='', max_length=4)),
                ('is_judged', models.BooleanField(default=False)),
                ('low', models.FloatField(null=True)),
                ('expected', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('score', models.FloatField(default=0.0)),
                ('words', models.CharField(blank=True, default='', max_length=300)),
                ('is_history', models.BooleanField(default=False)),
                ('judgements', models.PositiveSmallIntegerField(default=1)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['start'],
            },
        ),
        migrations.CreateModel(
            name='RegenerationRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('requested_at', models.DateTimeField()),
                ('taken_at', models.DateTimeField(blank=True, null=True)),
                ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='regeneration_request', to='telemetry.incident')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['requested_at', 'id'],
            },
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['tenant', '-opened_at'], name='telemetry_incident_by_time'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'resolved'), _negated=True), fields=('installation', 'event_name', 'event_version', 'rule'), name='telemetry_incident_one_open'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'acknowledged', 'muted', 'resolved'])), name='telemetry_incident_status_known'),
        ),
        migrations.AddIndex(
            model_name='judgedwindow',
            index=models.Index(fields=['start'], name='telemetry_window_by_start'),
        ),
        migrations.AddConstraint(
            model_name='judgedwindow',
            constraint=models.UniqueConstraint(fields=('installation', 'event_name', 'event_version', 'rule', 'minutes', 'start'), name='telemetry_window_once'),
        ),
        migrations.AddIndex(
            model_name='regenerationrequest',
            index=models.Index(condition=models.Q(('taken_at', None)), fields=['requested_at'], name='telemetry_regeneration_waiting'),
        ),
        IsolateTenants("EvaluationState"),
        SameTenant("EvaluationState"),
        IsolateTenants("JudgedWindow"),
        SameTenant("JudgedWindow"),
        IsolateTenants("Incident"),
        SameTenant("Incident"),
        IsolateTenants("IncidentEntry"),
        IsolateTenants("RegenerationRequest"),
    ]
