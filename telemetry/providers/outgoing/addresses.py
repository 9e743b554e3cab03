"""Which IP addresses are the public internet, and which lead into somebody's own network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["is_public"]

# Python's ``is_global`` knows the registries of the day on which it was released, and says yes to what only carries
# another address inside. Source: https://www.iana.org/assignments/iana-ipv4-special-registry/
_INTERNAL_IPV4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Global unicast is 2000::/3 (RFC 4291); in there, what is special or carries an IPv4 address: Teredo, ORCHID,
# benchmarks, documentation, 6to4, AS112. Translated and mapped ones (64:ff9b::/96, ::ffff:0:0/96, ::/96) lie outside.
# Source: https://www.iana.org/assignments/iana-ipv6-special-registry/
_GLOBAL_IPV6: Final = IPv6Network("2000::/3")
_INTERNAL_IPV6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
# The last 64 bits of an ISATAP address are 0000:5efe or 0200:5efe and an IPv4 address. Source: RFC 5214, section 6.1.
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet, and none that leads to another address inside of it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if not address.is_global or address.is_multicast:
        return False
    return _is_public_ipv4(address) if isinstance(address, IPv4Address) else _is_public_ipv6(address)


def _is_public_ipv4(address: IPv4Address) -> bool:
    return not any(address in network for network in _INTERNAL_IPV4)


def _is_public_ipv6(address: IPv6Address) -> bool:
    if address not in _GLOBAL_IPV6 or any(address in network for network in _INTERNAL_IPV6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP
