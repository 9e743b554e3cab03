"""Redactions that let a part of a value through: truncate, generalise, email_domain.

Each function returns ``None`` when the value is not of the kind that it can cut; the caller then hides it whole.
"""

import math
import re
from datetime import datetime
from decimal import Context, Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from telemetry.core.enums import TimeUnit
from telemetry.core.timestamps import format_timestamp, parse_timestamp

__all__ = [
    "email_domain",
    "generalise_address",
    "generalise_number",
    "generalise_timestamp",
    "is_domain",
    "truncate",
]

# Enough digits for the exact quotient of the largest and the smallest double (10**308 and 10**-324).
_DECIMAL = Context(prec=700)
# Source: these prefixes are what analytics services keep of an address ("IP anonymisation"): the last octet of an
# IPv4 address, and all below the site prefix of an IPv6 address (RFC 6177, section 2), are cut.
_IPV4_PREFIX = 24
_IPV6_PREFIX = 48
# One "@", nothing blank, and dotted labels of letters, digits and hyphens in any script; the last one has a letter.
_EMAIL = re.compile(r"[^@\s]+@((?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])?)")
# Source: RFC 1035, section 2.3.4 and RFC 5321, section 4.5.3.1.1.
_LONGEST_DOMAIN = 253
_LONGEST_ADDRESS = 320


def truncate(text: str, length: int) -> str:
    """The first ``length`` characters (code points): an accent that is a character of its own may be cut off.

    Text that is not longer stays whole, so choose a length below that of the shortest value.
    """
    return text[:length]


def generalise_number(value: float, bucket: float) -> float | None:
    """The lower end of the range of this width that holds the number: 2100 in ranges of 500 gives 2000.

    Ranges start at zero and are exact in decimals: 0.3 lies in the range of width 0.1 that starts at 0.3. A whole
    number stays one when the range's end is whole. ``None`` when no double is that end, as among numbers of 16 digits
    and more: the nearest one may lie in another range.
    """
    if not _is_finite(value) or not _is_finite(bucket) or bucket <= 0:
        return None
    width = Decimal(str(bucket))
    quotient, remainder = _DECIMAL.divmod(Decimal(str(value)), width)
    if remainder < 0:
        quotient = _DECIMAL.subtract(quotient, Decimal(1))
    lower = _DECIMAL.multiply(quotient, width)
    if isinstance(value, int) and lower == lower.to_integral_value(context=_DECIMAL):
        return int(lower)
    result = float(lower)
    return result if math.isfinite(result) and Decimal(str(result)) == lower else None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every double
        return False


def generalise_timestamp(text: str, unit: TimeUnit) -> str | None:
    """RFC 3339 text of the start of the day or month, in UTC."""
    instant = parse_timestamp(text)
    if instant is None:
        return None
    start = datetime(instant.year, instant.month, 1 if unit is TimeUnit.MONTH else instant.day, tzinfo=instant.tzinfo)
    return format_timestamp(start)


def generalise_address(text: str) -> str | None:
    """The network address of an IP address: /24 of IPv4, /48 of IPv6.

    An IPv4 address that travels inside an IPv6 address (mapped, or 6to4, whose first 48 bits would keep all of it)
    counts as the IPv4 address that it is.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    prefix = _IPV4_PREFIX if isinstance(address, IPv4Address) else _IPV6_PREFIX
    return str(ip_network((address.packed, prefix), strict=False).network_address)


def email_domain(text: str) -> str | None:
    """The lower-case domain of an e-mail address; several addresses, or one with a quoted ``@``, do not count."""
    if len(text) > _LONGEST_ADDRESS:
        return None
    match = _EMAIL.fullmatch(text)
    if match is None:
        return None
    domain = match.group(1).lower()
    if len(domain) > _LONGEST_DOMAIN or domain.rsplit(".", 1)[-1].isdigit():
        return None
    return domain


def is_domain(value: object) -> bool:
    """Whether the value is what ``email_domain`` makes of some address."""
    return type(value) is str and email_domain(f"a@{value}") == value
