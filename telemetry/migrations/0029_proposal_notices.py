"""What the web hook is told of accepted proposals; each row is isolated with its tenant."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.isolation import IsolateTenants


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0028_rescrub'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProposalNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('body', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('dead', 'Given up')], default='waiting', max_length=20)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, default='', max_length=40)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='telemetry.proposal')),
                ('tenant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at'], name='telemetry_notice_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'delivered', 'dead'])), name='telemetry_notice_state_known')],
            },
        ),
        IsolateTenants("ProposalNotice"),
    ]
