"""How Django finds this package."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    """The app ``studio``."""

    name = "studio"
    verbose_name = "Studio"
