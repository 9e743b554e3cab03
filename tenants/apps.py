"""How Django finds this package."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """The app ``tenants``."""

    name = "tenants"
    verbose_name = "Tenants"
