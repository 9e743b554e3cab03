"""Addresses to which the SDK sends keys and events, and credentials: checked once, before anything is sent."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from telemetry.core.errors import FieldError, InvalidDocument

__all__ = ["check_address", "check_api_key", "is_loopback"]


def is_loopback(host: str) -> bool:
    """True when traffic to ``host`` stays on this machine: ``localhost``, 127.0.0.0/8 or ::1, by name only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(url: str, *, what: str = "studio address") -> str:
    """Return ``url`` without a trailing slash, once it is safe to send a key there.

    It must be https, except that a loopback host may use http, and must carry no user, query or fragment, which would
    put secrets into logs. Raises InvalidDocument, which never quotes the address.
    """
    try:
        parts = urlsplit(url)
        problem = _problem_of(parts)
    except (ValueError, AttributeError, TypeError):
        problem = ("invalid_address", "must be an address such as https://studio.example.com")
    if problem is not None:
        raise InvalidDocument([FieldError(code=problem[0], path="url", message=problem[1])], what=what)
    return url.rstrip("/")


def _problem_of(parts: SplitResult) -> tuple[str, str] | None:
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or _has_unsafe_text(parts.geturl()):
        return "invalid_address", "must be an address such as https://studio.example.com"
    if parts.scheme == "http" and not is_loopback(host):
        return (
            "insecure_address",
            "must use https, because the API key travels with each request; only a loopback host may use http",
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "invalid_address", "must not carry a user, a query or a fragment"
    # Reading the port checks its range.
    return None if parts.port is None or parts.port > 0 else ("invalid_address", "must name a port from 1 to 65535")


def check_api_key(api_key: str) -> str:
    """Return the key when it can travel in a header; raises InvalidDocument, which never quotes the key."""
    if not isinstance(api_key, str) or not api_key or _has_unsafe_text(api_key):
        message = "must be the key's text, without spaces or line breaks"
        raise InvalidDocument([FieldError(code="invalid_api_key", path="api_key", message=message)], what="credential")
    return api_key


def _has_unsafe_text(text: str) -> bool:
    return not text.isascii() or any(character <= " " or character == "\x7f" for character in text)
