"""The Celery application; its settings are in ``studio.settings.jobs``."""

import os

from celery import Celery
from celery.signals import worker_init

from studio.checks import refuse_unsafe_settings

__all__ = ["app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

app = Celery("studio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

worker_init.connect(refuse_unsafe_settings, weak=False)
