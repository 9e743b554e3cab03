"""What drafts said before each change; a tenant's own."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant


class Migration(migrations.Migration):
    dependencies = [("tenants", "0011_what_was_before")]

    operations = [
        migrations.CreateModel(
            name='DraftStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('document', models.TextField(help_text='Canonical JSON.')),
                ('deed', models.CharField(max_length=200)),
                ('done_by_label', models.CharField(max_length=200, verbose_name='done by')),
                ('done_at', models.DateTimeField()),
                ('config', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenantappconfig')),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'draft step',
                'ordering': ['config', '-number'],
                'constraints': [models.UniqueConstraint(fields=('config', 'number'), name='tenants_draftstep_number_once')],
            },
        ),
        IsolateTenants("DraftStep"),
        SameTenant("DraftStep"),
    ]
