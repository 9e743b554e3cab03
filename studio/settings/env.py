"""Typed readers of environment variables.

Every error names the variable and the rule it breaks, and never repeats the value: it may be a secret.
"""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

__all__ = ["boolean", "email", "integer", "postgresql", "redis", "text", "text_list", "web_address"]

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})

# Connection options of libpq that a URL may carry. Others are refused: a misspelt sslmode must not pass.
POSTGRESQL_OPTIONS = frozenset(
    {
        "application_name",
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
    }
)

_NO_MAIL_SERVER: dict[str, Any] = {
    "EMAIL_HOST": "localhost",
    "EMAIL_PORT": 25,
    "EMAIL_HOST_USER": "",
    "EMAIL_HOST_PASSWORD": "",
    "EMAIL_USE_SSL": False,
    "EMAIL_USE_TLS": False,
    "EMAIL_FILE_PATH": "",
}


def text(name: str, default: str | None = None, *, choices: Sequence[str] = ()) -> str:
    """The variable's text without surrounding space; ``default`` if it is unset or empty.

    Raises ``ImproperlyConfigured`` if there is neither value nor default, or the value is none of ``choices``.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        if default is None:
            raise ImproperlyConfigured(f"{name}: must be set")
        return default
    if choices and value not in choices:
        raise ImproperlyConfigured(f"{name}: must be one of {', '.join(choices)}")
    return value


def boolean(name: str, default: bool) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off, in any case; ``default`` if unset or empty."""
    value = text(name, "").lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}: must be 1 or 0 (true, false, yes, no, on, off)")
    return value in TRUE


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number within ``minimum`` and ``maximum``, both included; ``default`` if unset or empty."""
    value = text(name, "")
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}: must be a whole number") from None
    if number < minimum or (maximum is not None and number > maximum):
        upper = "" if maximum is None else f" and at most {maximum}"
        raise ImproperlyConfigured(f"{name}: must be at least {minimum}{upper}")
    return number


def text_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """The parts between commas, in order, without surrounding space and empty parts."""
    value = text(name, "")
    return [part for part in (part.strip() for part in value.split(",")) if part] if value else list(default)


def postgresql(name: str) -> dict[str, Any] | None:
    """Django's connection settings for a ``postgresql://`` URL; None if the variable is unset or empty.

    ``?host=/directory`` selects a Unix socket; libpq's TLS and timeout options may follow in the query.

    Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
    """
    value = text(name, "")
    if not value:
        return None
    url = _split(name, value, ("postgresql", "postgres"))
    options = dict(parse_qsl(url.query))
    socket_directory = options.pop("host", "")
    unknown = sorted(options.keys() - POSTGRESQL_OPTIONS)
    if unknown:
        raise ImproperlyConfigured(f"{name}: the option {unknown[0]!r} is unknown")
    database = unquote(url.path.removeprefix("/"))
    if not database or "/" in database:
        raise ImproperlyConfigured(f"{name}: must name one database, as in postgresql://user@host/database")
    return {
        "ENGINE": "studio.postgresql",
        "NAME": database,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or socket_directory,
        "PORT": str(url.port or ""),
        "OPTIONS": dict(options),
    }


def redis(name: str) -> str:
    """A checked ``redis://`` or ``rediss://`` URL; empty if the variable is unset or empty."""
    value = text(name, "")
    if not value:
        return ""
    url = _split(name, value, ("redis", "rediss"))
    if not url.hostname:
        raise ImproperlyConfigured(f"{name}: must name a host, as in redis://host:6379/0")
    if not (url.path.removeprefix("/") or "0").isdecimal():
        raise ImproperlyConfigured(f"{name}: must end with a database number, as in redis://host:6379/0")
    return value


def email(name: str) -> dict[str, Any]:
    """Django's ``EMAIL_...`` settings for the URL of a mail server; those of no mail at all if it is unset or empty.

    ``smtps://user:password@host:465`` is TLS from the first byte, ``smtp://user:password@host:587`` STARTTLS, which
    ``?tls=off`` leaves out for a server of the same machine. ``file:///directory`` writes each mail into a file there.
    """
    value = text(name, "")
    if not value:
        return {**_NO_MAIL_SERVER, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    url = _split(name, value, ("smtp", "smtps", "file"))
    if url.scheme == "file":
        if url.hostname or not url.path.startswith("/"):
            raise ImproperlyConfigured(f"{name}: must name a directory, as in file:///var/mail")
        return {
            **_NO_MAIL_SERVER,
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(url.path),
        }
    options = dict(parse_qsl(url.query))
    tls = options.pop("tls", "on")
    if not url.hostname or options or tls not in ("on", "off"):
        raise ImproperlyConfigured(
            f"{name}: must name a host, as in smtp://user:password@host:587, and may say ?tls=off"
        )
    is_encrypted_first = url.scheme == "smtps"
    return {
        "EMAIL_FILE_PATH": "",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if is_encrypted_first else 587),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": is_encrypted_first,
        "EMAIL_USE_TLS": not is_encrypted_first and tls == "on",
    }


def web_address(name: str) -> str:
    """An ``https://`` or ``http://`` address of a host, without path and closing slash; empty if unset or empty."""
    value = text(name, "")
    if not value:
        return ""
    url = _split(name, value, ("https", "http"))
    if not url.hostname or url.path not in ("", "/") or url.query or url.fragment or url.username is not None:
        raise ImproperlyConfigured(f"{name}: must be an address such as https://studio.example.com, without a path")
    return f"{url.scheme}://{url.netloc}"


def hook_address(name: str) -> str:
    """An ``https://`` or ``http://`` address that is called, path included; empty if unset or empty."""
    value = text(name, "")
    if not value:
        return ""
    url = _split(name, value, ("https", "http"))
    if not url.hostname or url.fragment or url.username is not None:
        raise ImproperlyConfigured(f"{name}: must be an address such as https://example.com/hooks/studio")
    return value


def _split(name: str, value: str, schemes: Sequence[str]) -> SplitResult:
    """The URL's parts, its scheme one of ``schemes`` and its port a number."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ImproperlyConfigured(f"{name}: is not a URL with a port between 1 and 65535") from None
    if url.scheme not in schemes or port == 0:
        raise ImproperlyConfigured(f"{name}: must be a URL that begins with {schemes[0]}://")
    return url
