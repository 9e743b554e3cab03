"""How Django finds this package."""

from django.apps import AppConfig

from studio import celery, checks

__all__ = ["StudioConfig", "celery", "checks"]


class StudioConfig(AppConfig):
    """The app ``studio``. Importing this module registers the checks and sets Celery's current application."""

    name = "studio"
    verbose_name = "Studio"
