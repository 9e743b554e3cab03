"""Keys of apps can have a scope of its own for previews."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0012_draft_steps")]

    operations = [
        migrations.RemoveConstraint(
            model_name='apikey',
            name='tenants_apikey_scopes_of_kind',
        ),
        migrations.AlterField(
            model_name='apikey',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('ingest', 'Send events'), ('config:read', 'Read the config'), ('config:secret', 'Read the pseudonym key'), ('config:preview', 'Read previews of the config'), ('manage', 'Act as its owner')], max_length=20), editable=False, size=None),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'app'), ('scopes__contained_by', ['ingest', 'config:read', 'config:secret', 'config:preview'])), models.Q(('kind', 'usr'), ('scopes__contained_by', ['manage'])), _connector='OR'), name='tenants_apikey_scopes_of_kind'),
        ),
    ]
