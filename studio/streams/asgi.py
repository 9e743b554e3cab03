"""The application for a server: ``granian --interface asgi studio.streams.asgi:application``."""

import os

import django

from studio.checks import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

django.setup(set_prefix=False)
refuse_unsafe_settings()

# Imports models, which the calls above have made ready.
from studio.streams.application import Application  # noqa: E402

application = Application()
