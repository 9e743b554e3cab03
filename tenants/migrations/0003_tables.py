"""The tables of this app."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import tenants.models.tenant
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0002_row_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='App',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=128, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True, default='', max_length=4000)),
                ('blueprint', models.TextField(editable=False, help_text='Canonical JSON.')),
                ('config_revision', models.PositiveBigIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['slug'],
                'constraints': [models.CheckConstraint(condition=models.Q(('slug__regex', '^[a-z0-9][a-z0-9_.:-]*$')), name='tenants_app_slug_form')],
            },
        ),
        migrations.CreateModel(
            name='ConfigRevisionCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.PositiveBigIntegerField()),
            ],
            options={
                'verbose_name': 'config revision counter',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='tenants_configrevision_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=128, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('sampling_salt', models.CharField(default=tenants.models.tenant.new_salt, editable=False, max_length=64)),
                ('pseudonym_salt', models.CharField(default=tenants.models.tenant.new_salt, editable=False, max_length=64)),
                ('pseudonym_epoch', models.PositiveIntegerField(default=1, editable=False)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['slug'],
                'constraints': [models.CheckConstraint(condition=models.Q(('slug__regex', '^[a-z0-9][a-z0-9_.:-]*$')), name='tenants_tenant_slug_form'), models.CheckConstraint(condition=models.Q(('pseudonym_epoch__gte', 1)), name='tenants_tenant_epoch_from_one')],
            },
        ),
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('environment', models.CharField(choices=[('development', 'Development'), ('staging', 'Staging'), ('production', 'Production')], max_length=20)),
                ('config_revision', models.PositiveBigIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('app', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='installations', to='tenants.app')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='installations', to='tenants.tenant')),
            ],
            options={
                'ordering': ['tenant', 'app', 'environment'],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor_kind', models.CharField(choices=[('user', 'User'), ('key', 'Key'), ('system', 'System')], max_length=10)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('actor_label', models.CharField(max_length=200)),
                ('action', models.CharField(max_length=100)),
                ('target_type', models.CharField(max_length=100)),
                ('target_id', models.CharField(blank=True, max_length=64)),
                ('target_label', models.CharField(max_length=200)),
                ('details', models.JSONField(blank=True, default=dict)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('app', 'App key'), ('usr', 'Personal key')], editable=False, max_length=3)),
                ('name', models.CharField(max_length=200)),
                ('lookup', models.CharField(editable=False, max_length=8, unique=True)),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('ingest', 'Send events'), ('config:read', 'Read the config'), ('config:secret', 'Read the pseudonym key'), ('manage', 'Act as its owner')], max_length=20), editable=False, size=None)),
                ('created_by_label', models.CharField(editable=False, max_length=200, verbose_name='created by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('user', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to=settings.AUTH_USER_MODEL)),
                ('installation', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to='tenants.installation')),
                ('tenant', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='TenantAppConfig',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(editable=False)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('preview', 'Preview'), ('published', 'Published'), ('superseded', 'Superseded'), ('archived', 'Archived')], default='draft', editable=False, max_length=10)),
                ('document', models.TextField(editable=False, help_text='Canonical JSON.')),
                ('checksum', models.CharField(editable=False, max_length=64)),
                ('change_summary', models.TextField(blank=True, default='', editable=False, max_length=4000)),
                ('created_by_label', models.CharField(editable=False, max_length=200, verbose_name='created by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('published_by_label', models.CharField(blank=True, default='', editable=False, max_length=200, verbose_name='published by')),
                ('published_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('based_on', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenantappconfig')),
                ('installation', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='configs', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'tenant app config',
                'ordering': ['installation', '-number'],
            },
        ),
        migrations.CreateModel(
            name='FloorRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.TextField(editable=False, help_text='Canonical JSON.')),
                ('config_revision', models.PositiveBigIntegerField(editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_by_label', models.CharField(editable=False, max_length=200, verbose_name='updated by')),
                ('app', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='floors', to='tenants.app')),
            ],
            options={
                'verbose_name': 'privacy floor',
                'ordering': [models.OrderBy(models.F('app'), nulls_first=True)],
                'constraints': [models.UniqueConstraint(fields=('app',), name='tenants_floor_one_each', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('viewer', 'Viewer'), ('analyst', 'Analyst'), ('privacy_officer', 'Privacy officer'), ('publisher', 'Publisher'), ('admin', 'Admin')], max_length=20)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='tenants.tenant')),
            ],
            options={
                'ordering': ['user', models.OrderBy(models.F('tenant'), nulls_first=True)],
                'constraints': [models.UniqueConstraint(fields=('user', 'tenant'), name='tenants_membership_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('role__in', ['viewer', 'analyst', 'privacy_officer', 'publisher', 'admin'])), name='tenants_membership_role_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='installation',
            constraint=models.UniqueConstraint(fields=('tenant', 'app', 'environment'), name='tenants_installation_once'),
        ),
        migrations.AddConstraint(
            model_name='installation',
            constraint=models.UniqueConstraint(fields=('id', 'tenant'), name='tenants_installation_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='installation',
            constraint=models.CheckConstraint(condition=models.Q(('environment__in', ['development', 'staging', 'production'])), name='tenants_installation_environment_known'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['tenant', '-created_at', '-id'], name='tenants_audit_by_tenant'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['-created_at', '-id'], name='tenants_audit_by_time'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['target_type', 'target_id', '-created_at'], name='tenants_audit_by_target'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.CheckConstraint(condition=models.Q(('action__regex', '^[a-z_]+(\\.[a-z_]+)+$')), name='tenants_audit_action_form'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.CheckConstraint(condition=models.Q(('actor_kind__in', ['user', 'key', 'system'])), name='tenants_audit_actor_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('installation__isnull', False), ('kind', 'app'), ('tenant__isnull', False), ('user__isnull', True)), models.Q(('installation__isnull', True), ('kind', 'usr'), ('tenant__isnull', True), ('user__isnull', False)), _connector='OR'), name='tenants_apikey_one_holder'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'app'), ('scopes__contained_by', ['ingest', 'config:read', 'config:secret'])), models.Q(('kind', 'usr'), ('scopes__contained_by', ['manage'])), _connector='OR'), name='tenants_apikey_scopes_of_kind'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('lookup__regex', '^[0-9A-Za-z]{8}$')), name='tenants_apikey_lookup_form'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.UniqueConstraint(fields=('installation', 'number'), name='tenants_config_number_once'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'published')), fields=('installation',), name='tenants_config_one_published'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'draft')), fields=('installation',), name='tenants_config_one_draft'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='tenants_config_number_from_one'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'preview', 'published', 'superseded', 'archived'])), name='tenants_config_status_known'),
        ),
        migrations.AddConstraint(
            model_name='tenantappconfig',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['published', 'superseded']), _negated=True), ('published_at__isnull', False), _connector='OR'), name='tenants_config_published_at_known'),
        ),
    ]
