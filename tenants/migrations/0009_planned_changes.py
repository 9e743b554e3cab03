"""When versions of overrides and exceptions from floors hold, what documents said before, and in which order."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0008_config_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='configrevisioncounter',
            name='changed_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='configrevisioncounter',
            name='next_change_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='installation',
            name='next_change_at',
            field=models.DateTimeField(blank=True, db_index=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='installation',
            name='settled_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='tenantappconfig',
            name='promoted_from',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenantappconfig'),
        ),
        migrations.CreateModel(
            name='BlueprintVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('document', models.TextField(help_text='Canonical JSON.')),
                ('saved_at', models.DateTimeField()),
                ('saved_by_label', models.CharField(max_length=200, verbose_name='saved by')),
                ('app', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='blueprints', to='tenants.app')),
            ],
            options={
                'verbose_name': 'blueprint version',
                'ordering': ['app', '-number'],
                'indexes': [models.Index(fields=['app', '-saved_at'], name='tenants_blueprint_by_time')],
                'constraints': [models.UniqueConstraint(fields=('app', 'number'), name='tenants_blueprint_number_once')],
            },
        ),
        migrations.CreateModel(
            name='ConfigChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('installation', 'Installation'), ('app', 'App'), ('floor', 'Floor'), ('spec', 'Spec')], max_length=12)),
                ('subject_id', models.PositiveBigIntegerField()),
                ('revision', models.PositiveBigIntegerField()),
                ('changed_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'config change',
                'ordering': ['-revision', '-id'],
                'indexes': [models.Index(fields=['scope', 'subject_id', '-changed_at'], name='tenants_configchange_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('scope__in', ['installation', 'app', 'floor', 'spec'])), name='tenants_configchange_scope_known'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'installation'), ('tenant__isnull', False)), models.Q(models.Q(('scope', 'installation'), _negated=True), ('tenant__isnull', True)), _connector='OR'), name='tenants_configchange_tenant_of_installation')],
            },
        ),
        migrations.CreateModel(
            name='ConfigPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(db_index=True, editable=False)),
                ('ends_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True)),
                ('planned_by_label', models.CharField(editable=False, max_length=200, verbose_name='planned by')),
                ('planned_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('ended_by_label', models.CharField(blank=True, default='', editable=False, max_length=200, verbose_name='ended by')),
                ('config', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='tenants.tenantappconfig')),
                ('installation', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'config period',
                'ordering': ['installation', '-starts_at', '-id'],
                'indexes': [models.Index(fields=['installation', '-starts_at', '-id'], name='tenants_period_by_start'), models.Index(fields=['installation', 'ends_at'], name='tenants_period_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gte', models.F('starts_at')), _connector='OR'), name='tenants_period_in_order')],
            },
        ),
        migrations.CreateModel(
            name='FloorExceptionRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.TextField(editable=False, help_text='Canonical JSON.')),
                ('reason', models.TextField(editable=False, max_length=4000)),
                ('starts_at', models.DateTimeField(db_index=True, editable=False)),
                ('ends_at', models.DateTimeField(db_index=True, editable=False)),
                ('granted_by_label', models.CharField(editable=False, max_length=200, verbose_name='granted by')),
                ('granted_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('revoked_by_label', models.CharField(blank=True, default='', editable=False, max_length=200, verbose_name='revoked by')),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('app', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.app')),
                ('installation', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='floor_exceptions', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'floor exception',
                'ordering': ['-starts_at', '-id'],
                'indexes': [models.Index(fields=['tenant', 'app', 'ends_at'], name='tenants_exception_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gte', models.F('starts_at'))), name='tenants_exception_in_order')],
            },
        ),
        migrations.CreateModel(
            name='FloorVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('document', models.TextField(help_text='Canonical JSON.')),
                ('saved_at', models.DateTimeField()),
                ('saved_by_label', models.CharField(max_length=200, verbose_name='saved by')),
                ('floor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='tenants.floorrecord')),
            ],
            options={
                'verbose_name': 'floor version',
                'ordering': ['floor', '-number'],
                'indexes': [models.Index(fields=['floor', '-saved_at'], name='tenants_floorversion_by_time')],
                'constraints': [models.UniqueConstraint(fields=('floor', 'number'), name='tenants_floorversion_number_once')],
            },
        ),
    ]
