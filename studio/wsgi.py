"""The WSGI application for pages and API."""

import os

from django.core.wsgi import get_wsgi_application

from studio.checks import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

_django = get_wsgi_application()
refuse_unsafe_settings()

# Imports models, which the call above has made ready.
from studio.api.fast_config import FastConfig  # noqa: E402
from studio.garbage import settle  # noqa: E402
from tenants.config_lease import PROCESS_LEASE  # noqa: E402

application = FastConfig(_django)
PROCESS_LEASE.lease = application.lease
settle()
