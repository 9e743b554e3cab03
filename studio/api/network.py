"""Where a request comes from, as far as that can be trusted."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

__all__ = ["network_of"]

# The smallest network that one customer of a provider gets: one address in IPv4, 64 bits of it in IPv6.
# Source: RFC 6177.
IPV6_PREFIX_BITS = 64


def network_of(request: HttpRequest) -> str:
    """The network that the client is counted under, as text; ``unknown`` if the server names none.

    ``X-Forwarded-For`` is believed only as far as ``STUDIO_TRUSTED_PROXY_COUNT`` proxies of our own have added to it,
    counted from the right: whatever stands further left, anybody may have written.
    """
    address = _client_address(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))
    return str(parsed)


def _client_address(request: HttpRequest) -> str:
    peer = str(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.STUDIO_TRUSTED_PROXY_COUNT
    if not trusted:
        return peer
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    return hops[-trusted] if len(hops) >= trusted else peer
