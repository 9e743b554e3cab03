"""What people say about a draft before it is published; what they said is final in the database itself."""

import django.db.models.deletion
import django.utils.timezone
import telemetry.models.fields
from django.db import migrations, models

from tenants.immutability import AppendOnly, Frozen

# What was submitted, by whom.
SUBMITTED = [
    "id",
    "spec_id",
    "draft_revision",
    "draft_version",
    "checksum",
    "summary",
    "author_id",
    "author_label",
    "submitted_at",
]


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0006_immutability'),
        ('telemetry', '0003_event_ownership_and_allowed_values'),
    ]

    operations = [
        migrations.AddField(
            model_name='specrecord',
            name='editors',
            field=telemetry.models.fields.DocumentField(blank=True, default=dict, editable=False),
        ),
        migrations.CreateModel(
            name='ReviewRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('draft_revision', models.PositiveIntegerField()),
                ('draft_version', models.PositiveIntegerField()),
                ('checksum', models.CharField(max_length=64)),
                ('summary', models.TextField(max_length=4000)),
                ('author_id', models.CharField(blank=True, default='', max_length=64)),
                ('author_label', models.CharField(max_length=200, verbose_name='author')),
                ('submitted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('state', models.CharField(choices=[('open', 'Open'), ('approved', 'Approved'), ('changes_requested', 'Changes requested'), ('withdrawn', 'Withdrawn'), ('voided', 'Void: the draft was edited'), ('published', 'Published')], default='open', max_length=20)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('published_as', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='telemetry.specversion')),
                ('spec', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='telemetry.specrecord')),
            ],
            options={
                'verbose_name': 'review',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReviewComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author_id', models.CharField(blank=True, default='', max_length=64)),
                ('author_label', models.CharField(max_length=200, verbose_name='author')),
                ('verdict', models.CharField(blank=True, choices=[('', 'Comment'), ('approved', 'Approved'), ('changes_requested', 'Changes requested'), ('withdrawn', 'Withdrawn')], default='', max_length=20)),
                ('text', models.TextField(blank=True, default='', max_length=4000)),
                ('path', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='telemetry.reviewrecord')),
            ],
            options={
                'verbose_name': 'review comment',
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='reviewrecord',
            index=models.Index(fields=['spec', '-id'], name='telemetry_review_by_spec'),
        ),
        migrations.AddConstraint(
            model_name='reviewrecord',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('open', 'approved'))), fields=('spec',), name='telemetry_review_one_live'),
        ),
        migrations.AddConstraint(
            model_name='reviewrecord',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'approved', 'changes_requested', 'withdrawn', 'voided', 'published'])), name='telemetry_review_state_known'),
        ),
        migrations.AddConstraint(
            model_name='reviewrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state__in', ('open', 'approved'))), models.Q(models.Q(('state__in', ('open', 'approved')), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='telemetry_review_closed_when_over'),
        ),
        migrations.AddConstraint(
            model_name='reviewcomment',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'approved')), fields=('review', 'author_id'), name='telemetry_review_approved_once_by_each'),
        ),
        migrations.AddConstraint(
            model_name='reviewcomment',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['', 'approved', 'changes_requested', 'withdrawn'])), name='telemetry_comment_verdict'),
        ),
        migrations.AddConstraint(
            model_name='reviewcomment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), ('verdict__in', ['approved', 'withdrawn']), _connector='OR'), name='telemetry_comment_says_something'),
        ),
        Frozen('ReviewRecord', SUBMITTED),
        AppendOnly('ReviewComment'),
    ]
