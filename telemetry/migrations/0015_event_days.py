"""Counts of events by the day, kept when their tallies are gone; and the tallies of a span, whatever they are of."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from tenants.isolation import IsolateTenants, SameTenant

class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0014_anomalies'),
        ('tenants', '0011_what_was_before'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('name', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField()),
                ('received', models.PositiveBigIntegerField()),
                ('stored', models.PositiveBigIntegerField()),
                ('sampled_out', models.PositiveBigIntegerField()),
                ('disabled', models.PositiveBigIntegerField()),
                ('rejected', models.PositiveBigIntegerField()),
                ('duplicate', models.PositiveBigIntegerField()),
                ('violating', models.PositiveBigIntegerField()),
                ('skewed', models.PositiveBigIntegerField()),
                ('last_received_at', models.DateTimeField()),
                ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.installation')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-day'],
                'indexes': [models.Index(fields=['name', 'day'], name='telemetry_day_by_name')],
                'constraints': [models.UniqueConstraint(fields=('installation', 'day', 'name', 'version'), name='telemetry_day_once'), models.CheckConstraint(condition=models.Q(('received', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('stored'), '+', models.F('sampled_out')), '+', models.F('disabled')), '+', models.F('rejected')), '+', models.F('duplicate')))), name='telemetry_day_balances')],
            },
        ),
        IsolateTenants("EventDay"),
        SameTenant("EventDay"),
        migrations.AddIndex(
            model_name="eventtally",
            index=models.Index(fields=["installation", "received_minute"], name="telemetry_tally_by_receipt"),
        ),
    ]
