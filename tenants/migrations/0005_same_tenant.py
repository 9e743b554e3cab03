"""A row that names a tenant and an installation names the installation's tenant."""

from django.db import migrations

from tenants.isolation import SameTenant


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_isolation")]

    operations = [SameTenant("ApiKey"), SameTenant("TenantAppConfig")]
