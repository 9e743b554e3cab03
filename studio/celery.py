"""The Celery application; its settings are in ``studio.settings.jobs``."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

from studio.checks import refuse_unsafe_settings

__all__ = ["app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

# For these schemes, and not as the one transport for any URL: Kombu would then not see that ``rediss`` means TLS.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "studio.broker_transport:LastingTransport"))

app = Celery("studio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def _refuse_to_start(**_: Any) -> None:
    """Workers and beat end at once if the settings are unsafe; Celery would log any other exception and go on."""
    try:
        refuse_unsafe_settings()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
