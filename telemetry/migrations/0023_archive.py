"""Files of archived events, each the property of the tenant of its installation."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0022_erasure'),
        ('tenants', '0013_preview_scope'),
    ]

    operations = [
        migrations.CreateModel(
            name='ArchiveFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('retention_class', models.PositiveIntegerField()),
                ('starts_on', models.DateField()),
                ('run', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('writing', 'Being written'), ('verified', 'Verified'), ('kept', 'Kept'), ('restored', 'Restored'), ('replaced', 'Replaced'), ('expired', 'Expired'), ('discarded', 'Discarded')], default='writing', max_length=20)),
                ('rows', models.PositiveBigIntegerField(default=0)),
                ('size_bytes', models.PositiveBigIntegerField(default=0)),
                ('row_digest', models.CharField(blank=True, default='', max_length=64)),
                ('sha256', models.CharField(blank=True, default='', max_length=64)),
                ('received_from', models.DateTimeField(null=True)),
                ('received_until', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('manifest', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('settled_at', models.DateTimeField(null=True)),
                ('removed_at', models.DateTimeField(null=True)),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-starts_on', '-id'],
                'indexes': [models.Index(fields=['installation', '-starts_on', '-id'], name='telemetry_archive_by_day'), models.Index(condition=models.Q(('state', 'kept')), fields=['expires_at'], name='telemetry_archive_by_expiry'), models.Index(condition=models.Q(('removed_at__isnull', True), models.Q(('state', 'kept'), _negated=True)), fields=['state', 'created_at'], name='telemetry_archive_to_remove')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['writing', 'verified', 'kept', 'restored', 'replaced', 'expired', 'discarded'])), name='telemetry_archive_state_known')],
            },
        ),
        IsolateTenants("ArchiveFile"),
        SameTenant("ArchiveFile"),
    ]
