"""The studio's settings with nothing between the web server and one view: what is measured beside the pipeline."""

from studio.settings.base import *  # noqa: F403 - settings are built on settings

ROOT_URLCONF = "benchmarks.plain_drf"
MIDDLEWARE = []
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_242_880
