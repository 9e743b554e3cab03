"""Settings for tests: as in production, but with fixed secrets, fast hashing and no server outside the database.

Without ``DATABASE_URL`` a test run starts its own PostgreSQL and fills in where it listens, see ``tests/conftest.py``.
"""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://postgres@/studio?host=/nonexistent")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("SECRET_KEY", "only for tests: " + "signs " * 10)
os.environ.setdefault("STUDIO_API_KEY_PEPPER", "only for tests: " + "pepper " * 10)
os.environ.setdefault("STUDIO_QUARANTINE_KEYS", "only for tests: " + "quarantine " * 10)
os.environ.setdefault("STUDIO_PSEUDONYM_KEY", "only for tests: " + "pseudonyms " * 10)
os.environ.setdefault("STUDIO_CREDENTIAL_KEYS", "only for tests: " + "credentials " * 10)
os.environ.setdefault("STUDIO_RECEIPT_KEYS", "only for tests: " + "receipts " * 10)
os.environ.setdefault("STUDIO_INSECURE_LOCAL", "1")

from studio.settings.base import *
from studio.settings.base import STORAGES

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]

# Nothing is left behind; a test of a worker in a process of its own names a directory.
if "STUDIO_ARCHIVE_DIR" not in os.environ:
    STORAGES["archive"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}

# PBKDF2 is slow on purpose; a test that logs in need not be.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What comes in is not sampled unless a test asks for it.
STUDIO_SAMPLE_HOURS = 0

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
