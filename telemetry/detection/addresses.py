"""IP addresses in text, which four-part versions resemble."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

__all__ = ["has_ip_address"]

# After a "/" only where that begins an authority: "Chrome/120.0.0.0" is a version, "https://10.1.2.3/" is not.
_FOUR: Final = re.compile(r"(?<![\w.+-])(?<![^/]/)\d{1,3}(?:\.\d{1,3}){3}(?![\w-])(?!\.\d)")
_SIX: Final = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w{1,16})?(?![\w:])", re.IGNORECASE)
_VERSION: Final = re.compile(r"(?:version|release|build|firmware|driver|ver|v)[ .:=\"']{0,3}\Z", re.IGNORECASE)
# Parts of versions are small. At three or four small parts, one of 450 addresses is lost, and most versions are told.
_SMALL: Final = 20


def has_ip_address(text: str) -> bool:
    """Whether the text holds the address of one machine that is not merely itself (``127.0.0.1``)."""
    return any(_is_host_of_four(text, found) for found in _FOUR.finditer(text)) or any(
        _is_host_of_six(found[0]) for found in _SIX.finditer(text)
    )


def _is_host_of_four(text: str, found: re.Match[str]) -> bool:
    try:
        address = IPv4Address(found[0])
    except AddressValueError:
        return False
    if sum(part <= _SMALL for part in address.packed) > 2 or address.packed[3] == 0:
        return False
    if address.is_loopback or address.is_multicast or address.is_reserved or address.is_link_local:
        return False
    return not _VERSION.search(text, max(0, found.start() - 16), found.start())


def _is_host_of_six(text: str) -> bool:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    # "::1" and "a::b" are written by machines and in code; the address of a machine says more.
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return False
    return sum(1 for place in range(0, 16, 2) if address.packed[place : place + 2] != b"\0\0") > 2
