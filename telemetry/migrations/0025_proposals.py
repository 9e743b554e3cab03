"""Suggested changes with their evidence, and who reads stored events; tenants' rows are isolated."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0024_old_partitions'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(max_length=64)),
                ('rule', models.CharField(max_length=64)),
                ('spec_name', models.CharField(max_length=128)),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('subject', models.CharField(blank=True, default='', max_length=200)),
                ('title', models.CharField(max_length=300)),
                ('summary', models.TextField()),
                ('rationale', models.TextField()),
                ('confidence', models.CharField(choices=[('low', 'low'), ('medium', 'medium'), ('high', 'high')], max_length=10)),
                ('blockers', models.JSONField(default=list)),
                ('patch', models.JSONField(default=list)),
                ('base_version', models.PositiveIntegerField()),
                ('promise', models.JSONField(default=dict)),
                ('strength', models.FloatField(default=0.0)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('snoozed', 'Snoozed'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('applied', 'Applied')], default='pending', max_length=20)),
                ('created_at', models.DateTimeField()),
                ('last_signal_at', models.DateTimeField()),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by_label', models.CharField(blank=True, default='', max_length=200)),
                ('reason', models.CharField(blank=True, default='', max_length=2000)),
                ('strength_at_decision', models.FloatField(default=0.0)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('is_edited', models.BooleanField(default=False)),
                ('applied_at', models.DateTimeField(null=True)),
                ('applied_version', models.PositiveIntegerField(null=True)),
                ('counts_before', models.JSONField(default=dict)),
                ('outcome', models.CharField(blank=True, choices=[('', 'Not published'), ('waiting', 'Being measured'), ('kept', 'Kept'), ('broken', 'Broken')], default='', max_length=10)),
                ('measured_at', models.DateTimeField(null=True)),
                ('measured_value', models.FloatField(null=True)),
                ('measured_sample', models.PositiveBigIntegerField(default=0)),
                ('taken_back_at', models.DateTimeField(null=True)),
                ('installation', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-last_signal_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='ProposalEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('source', models.CharField(max_length=300)),
                ('facts', models.JSONField(default=dict)),
                ('strength', models.FloatField(default=0.0)),
                ('times', models.PositiveIntegerField(default=1)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('installation', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('proposal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='telemetry.proposal')),
                ('tenant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name_plural': 'proposal evidence',
                'ordering': ['-strength', 'id'],
            },
        ),
        migrations.CreateModel(
            name='EventUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_name', models.CharField(max_length=200)),
                ('event_version', models.PositiveIntegerField()),
                ('day', models.DateField()),
                ('reads', models.PositiveIntegerField(default=0)),
                ('oldest_seconds', models.PositiveBigIntegerField(default=0)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-day'],
                'indexes': [models.Index(fields=['day'], name='telemetry_use_by_day')],
                'constraints': [models.UniqueConstraint(fields=('installation', 'event_name', 'event_version', 'day'), name='telemetry_use_once')],
            },
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['status', '-last_signal_at'], name='telemetry_proposal_inbox'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['cause', '-id'], name='telemetry_proposal_by_cause'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(fields=['spec_name', 'status'], name='telemetry_proposal_by_spec'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['pending', 'snoozed', 'accepted'])), fields=('cause',), name='telemetry_proposal_one_open'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'snoozed', 'accepted', 'rejected', 'applied'])), name='telemetry_proposal_status_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__in', ['low', 'medium', 'high'])), name='telemetry_proposal_confidence_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('installation', None), ('tenant', None)), models.Q(('installation__isnull', False), ('tenant__isnull', False)), _connector='OR'), name='telemetry_proposal_target_whole'),
        ),
        migrations.AddConstraint(
            model_name='proposalevidence',
            constraint=models.UniqueConstraint(fields=('proposal', 'source'), name='telemetry_evidence_once'),
        ),
        IsolateTenants("Proposal"),
        SameTenant("Proposal"),
        IsolateTenants("ProposalEvidence"),
        SameTenant("ProposalEvidence"),
        IsolateTenants("EventUse"),
        SameTenant("EventUse"),
    ]
