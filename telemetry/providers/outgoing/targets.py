"""Reading an address that a person typed in: what it may look like, and where it leads."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from ipaddress import ip_address
from socket import AF_UNSPEC, SOCK_STREAM, gaierror, getaddrinfo
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.providers.outgoing.addresses import is_public

__all__ = ["BlockedAddress", "Resolver", "Target", "check_target", "read_target", "resolve", "system_resolver"]

# Names of hosts as they travel: other alphabets in their ASCII form. What only looks like digits or dots to a resolver
# (full-width characters, for one) does not get this far.
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\Z"
)
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+\Z")
_PORTS: Final = {"https": 443, "http": 80}
_LONGEST: Final = 2_000
# Names end in a word. What ends in a number is an address in one of the spellings that only resolvers understand.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\Z")
RESOLVE_SECONDS: Final = 5.0

# The addresses of a name, as text; raises OSError.
Resolver = Callable[[str], Sequence[str]]

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


class BlockedAddress(Exception):
    """The address must not be called. The message names the rule and never what the name resolved to."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Target(NamedTuple):
    """Where an address leads; ``is_allowed`` says that the operators have named this host and port themselves."""

    url: str
    scheme: str
    host: str
    port: int
    is_allowed: bool


def read_target(url: str) -> Target:
    """The target of an address, whose host was not looked up yet; raises ``BlockedAddress``.

    It begins with https:// and has a host, an optional port 443, path and query. Hosts that ``STUDIO_OUTGOING_ALLOW``
    names may be called on the ports it names, and over plain HTTP.
    """
    if not isinstance(url, str) or len(url) > _LONGEST or not _VISIBLE.match(url) or "\\" in url:
        raise BlockedAddress("must be an address such as https://hooks.example.com/events")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BlockedAddress("must be an address such as https://hooks.example.com/events") from None
    if parts.scheme not in _PORTS or not host:
        raise BlockedAddress("must begin with https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise BlockedAddress("must not carry a user or a password")
    if parts.fragment or "#" in url:
        raise BlockedAddress("must not carry a fragment")
    port = _PORTS[parts.scheme] if port is None else port
    target = Target(url, parts.scheme, host, port, _is_allowed(host, port))
    return target if target.is_allowed else _require_public_form(target)


def resolve(target: Target, resolver: Resolver) -> tuple[str, ...]:
    """The addresses at which the target may be called; all that its name has, or ``BlockedAddress``.

    One internal address among several is enough to refuse: which of them a connection takes is not for a name's owner
    to decide. A name that does not resolve is refused as well.
    """
    try:
        found = tuple(dict.fromkeys(_threads.submit(resolver, target.host).result(RESOLVE_SECONDS)))
    except (OSError, UnicodeError, TookTooLong):
        raise BlockedAddress("has a host that cannot be found") from None
    if not found:
        raise BlockedAddress("has a host that cannot be found")
    if not target.is_allowed and not all(map(is_public, found)):
        raise BlockedAddress("leads into an internal network")
    return found


def system_resolver(host: str) -> Sequence[str]:
    """The addresses that the operating system knows for the host; raises OSError."""
    try:
        return [str(answer[4][0]) for answer in getaddrinfo(host, None, AF_UNSPEC, SOCK_STREAM)]
    except gaierror as error:
        raise OSError(str(error)) from None


def check_target(url: str, path: str, *, resolver: Resolver | None = None) -> Target:
    """The target, which may be called now; raises ``InvalidDocument`` that names ``path`` and the broken rule."""
    try:
        target = read_target(url)
        resolve(target, resolver or system_resolver)
    except BlockedAddress as blocked:
        raise InvalidDocument([FieldError("blocked_address", path, blocked.message)], what="provider") from None
    return target


def _require_public_form(target: Target) -> Target:
    if target.scheme != "https":
        raise BlockedAddress("must begin with https://")
    if target.port != _PORTS["https"]:
        raise BlockedAddress("must not name another port than 443")
    literal = target.host.strip("[]")
    if _is_literal(literal):
        if not is_public(literal):
            raise BlockedAddress("leads into an internal network")
        return target
    if not _HOST.match(target.host) or _ENDS_IN_NUMBER.search(target.host):
        raise BlockedAddress("must name its host in letters, digits, dots and hyphens")
    return target


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_allowed(host: str, port: int) -> bool:
    return host in settings.STUDIO_OUTGOING_ALLOW or f"{host}:{port}" in settings.STUDIO_OUTGOING_ALLOW
