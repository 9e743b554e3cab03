"""The ASGI application, for servers that speak only ASGI."""

import os

from django.core.asgi import get_asgi_application

from studio.checks import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings.base")

application = get_asgi_application()
refuse_unsafe_settings()
