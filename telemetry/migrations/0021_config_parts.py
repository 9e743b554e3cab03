"""Parts of configs that are made when a version is published; they hold nothing of any tenant."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telemetry', '0020_alerts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConfigParts',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=80, unique=True)),
                ('parts', models.TextField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='telemetry.specversion')),
            ],
            options={
                'verbose_name_plural': 'config parts',
                'ordering': ['-pk'],
            },
        ),
    ]
