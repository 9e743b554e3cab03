"""The role that web and workers become exists, and gets its rights on every table of this database, old and new.

First of all migrations of this app. Tables that other apps made before it are granted here; those that any app makes
later are granted by the default privileges of the role that migrates.
"""

from django.db import migrations

from tenants import database_role


def forwards(apps, schema_editor):
    database_role.create_application_role(schema_editor)
    database_role.grant_to_application_role(schema_editor)


def backwards(apps, schema_editor):
    database_role.revoke_from_application_role(schema_editor)


class Migration(migrations.Migration):
    dependencies = []

    operations = [migrations.RunPython(forwards, backwards)]
