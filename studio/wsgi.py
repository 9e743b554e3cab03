"""The WSGI application for pages and API."""

import os

from django.core.wsgi import get_wsgi_application

from studio.checks import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

application = get_wsgi_application()
refuse_unsafe_settings()
