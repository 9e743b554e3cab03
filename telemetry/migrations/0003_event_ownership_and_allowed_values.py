"""Who owns an event, until when it stands, what may be sent, and which lint rules do not hold for it."""

import django.contrib.postgres.fields
import telemetry.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('telemetry', '0002_frozen_versions'),
    ]

    operations = [
        migrations.AddField(
            model_name='eventrecord',
            name='deprecation_reason',
            field=models.TextField(blank=True, max_length=1000, null=True),
        ),
        migrations.AddField(
            model_name='eventrecord',
            name='deprecation_replaced_by',
            field=models.CharField(blank=True, max_length=211, null=True),
        ),
        migrations.AddField(
            model_name='eventrecord',
            name='lint_opt_outs',
            field=telemetry.models.fields.DocumentField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='eventrecord',
            name='owners',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='eventrecord',
            name='review_by',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='propertyrecord',
            name='allowed_values',
            field=telemetry.models.fields.DocumentField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='propertyrecord',
            name='unit',
            field=models.CharField(blank=True, default='', max_length=30),
        ),
        migrations.AddConstraint(
            model_name='eventrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('deprecation_reason__isnull', True), ('deprecation_replaced_by__isnull', True)), models.Q(('deprecation_reason__isnull', False), models.Q(('deprecation_reason', ''), _negated=True)), _connector='OR'), name='telemetry_event_deprecation_has_reason'),
        ),
    ]
