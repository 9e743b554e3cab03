"""Django's settings, read from the environment and safe for production unless told otherwise.

Nothing here fails for a missing secret or server, so that ``manage.py up`` and ``--help`` start on a bare machine;
``studio.checks`` refuses to run anything else without them.
"""

from pathlib import Path
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

from studio.settings import env
from studio.settings.archive import archive_storage
from studio.settings.jobs import *
from studio.settings.product import *
from studio.settings.product import (
    STUDIO_DATABASE_ROLE,
    STUDIO_INSECURE_LOCAL,
    STUDIO_REQUEST_MAX_BYTES,
)
from studio.settings.unfold import *

BASE_DIR = Path(__file__).resolve().parent.parent.parent

DEBUG = env.boolean("STUDIO_DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", "")
SECRET_KEY_FALLBACKS = env.text_list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.text_list("STUDIO_ALLOWED_HOSTS", ["127.0.0.1", "localhost"] if STUDIO_INSECURE_LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.text_list("STUDIO_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    # The theme's own app, and Django's, without the sites that they would make: the studio has one of its own.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "tenants",
    "telemetry",
    "studio",
]

MIDDLEWARE = [
    "studio.health.answer_probes",
    "studio.metrics.middleware.MetricsMiddleware",
    "studio.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "studio.middleware.TenantContextMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "studio.urls"
WSGI_APPLICATION = "studio.wsgi.application"
ASGI_APPLICATION = "studio.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The database. Owner commands (migrate, flush) stay with the login role; everything else assumes the application role.
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.postgresql("DATABASE_URL") or {"ENGINE": "django.db.backends.dummy", "OPTIONS": {}},
}
DATABASES["default"] |= {
    "ATOMIC_REQUESTS": True,
    # Kept open between requests: a new connection costs about 5 ms, with TLS more.
    "CONN_MAX_AGE": env.integer("STUDIO_DATABASE_CONNECTION_SECONDS", 60),
    "CONN_HEALTH_CHECKS": True,
}
if DATABASES["default"]["ENGINE"] == "studio.postgresql":
    DATABASES["default"]["OPTIONS"] = {
        "assume_role": STUDIO_DATABASE_ROLE,
        "connect_timeout": 5,
        **DATABASES["default"]["OPTIONS"],
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache and the broker. A server that accepts and never answers must not hold a request: 0.5 seconds, then an error.
REDIS_URL = env.redis("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "studio",
        "TIMEOUT": 300,
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "health_check_interval": 30},
    },
}

# People
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/studio/login/"
LOGIN_REDIRECT_URL = "/studio/"

# Mail, for alerts. Seconds for each answer of the server.
_mail = env.email("EMAIL_URL")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail["EMAIL_USE_SSL"], _mail["EMAIL_USE_TLS"]
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("STUDIO_EMAIL_FROM", "Telemetry Studio <studio@localhost>")

# Language and time: instants are kept and computed in UTC; pages show the reader's zone.
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: collected once, compressed, named by content; on this machine alone they are served from where they are.
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STUDIO_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STUDIO_INSECURE_LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STORAGES["archive"] = archive_storage(BASE_DIR)
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = STUDIO_INSECURE_LOCAL

# HTTPS everywhere, except for a studio that only this machine can reach.
_encrypted = not (DEBUG or STUDIO_INSECURE_LOCAL)
SECURE_SSL_REDIRECT = _encrypted
SECURE_HSTS_SECONDS = 31_536_000 if _encrypted else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _encrypted
SECURE_HSTS_PRELOAD = _encrypted
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = _encrypted
SESSION_COOKIE_AGE = 43_200  # seconds: half a day, one working day
CSRF_COOKIE_SECURE = _encrypted
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "studio.pages.errors.form_expired"
X_FRAME_OPTIONS = "DENY"
# Only a proxy that sets this header itself, and removes the client's, may be believed.
if env.boolean("STUDIO_BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = STUDIO_REQUEST_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# The API. Nothing of REST framework that reads or writes bodies is used, see studio/api.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["studio.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["studio.api.parsers.JsonParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "studio.api.auth.KeyAuthentication",
        "studio.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["studio.api.auth.HasCaller"],
    "DEFAULT_THROTTLE_CLASSES": ["studio.api.throttles.ClientThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "studio.api.negotiation.ContentNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "studio.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Telemetry Studio",
    "DESCRIPTION": "Versioned telemetry specs, per-tenant overrides, and the effective config that apps obey.",
    "VERSION": "1",
    # Its components are JSON Schema as it is, so the core's own schemas fit in.
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "CAMELIZE_NAMES": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "PATH_CONVERTER_OVERRIDES": {
        "spec_name": {"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,127}$"},
        "tenant_slug": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.:-]{0,127}$"},
        "number": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    },
    "POSTPROCESSING_HOOKS": ["studio.api.schema.add_error_responses"],
}

# Logs: one JSON object per line on standard error, `entity.action` with ids, never payloads or keys.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger", "message": "event"},
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            # Django adds the request, whose text is the whole address: somebody may have put a key into its query.
            "reserved_attrs": [*RESERVED_ATTRS, "request"],
        },
    },
    "filters": {"hide_keys": {"()": "studio.logs.HideKeys"}},
    "handlers": {
        "standard_error": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["hide_keys"]},
    },
    "root": {
        "handlers": ["standard_error"],
        "level": env.text("STUDIO_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    "loggers": {
        # Django's own console and mail handlers would say everything twice.
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
    },
}
