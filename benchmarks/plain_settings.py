"""The studio's settings with nothing between the web server and one view: what is measured beside the pipeline."""

from studio.settings.base import *

ROOT_URLCONF = "benchmarks.plain_drf"
WSGI_APPLICATION = "django.core.wsgi.get_wsgi_application"
MIDDLEWARE: list[str] = []
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_242_880
