"""How Django finds this package."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """The app ``telemetry``."""

    name = "telemetry"
    verbose_name = "Telemetry"
