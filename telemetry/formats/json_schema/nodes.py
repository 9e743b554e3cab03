"""What one schema admits: its types, its bounds, and how its values are stored."""

import math
from collections.abc import Mapping
from typing import Any, Final

from telemetry.core.json_types import types_of

__all__ = [
    "longest_text",
    "lower_bound",
    "stored_type",
    "upper_bound",
]

Node = Mapping[str, Any]

# Characters of the longest text that a format admits. Sources: RFC 791 (255.255.255.255), RFC 4291 2.2.3 (an IPv6
# address that ends in an IPv4 one), RFC 5321 4.5.3.1 (64 before the @, 255 after it), RFC 1034 3.1, RFC 9562 4,
# RFC 3339 5.6.
_LONGEST: Final[Mapping[str, int]] = {
    "ipv4": 15,
    "ipv6": 45,
    "email": 320,
    "hostname": 253,
    "uuid": 36,
    "date": 10,
}
# Formats that are types of their own where data is stored. Source: how schemas translate to columns,
# https://docs.snowplow.io/docs/destinations/warehouses-lakes/schemas-in-warehouse.
_STORED_FORMATS: Final = ("date-time", "date")
# The widths of whole numbers in databases, in bits.
_WIDTHS: Final = (16, 32)


def lower_bound(node: Node) -> tuple[float, bool]:
    """The least number, and whether it is out of reach itself."""
    return max(_bounds(node, "minimum", "exclusiveMinimum", -math.inf))


def upper_bound(node: Node) -> tuple[float, bool]:
    """The negated greatest number, and whether it is out of reach itself: so that more means narrower here, too."""
    return max((-bound, is_open) for bound, is_open in _bounds(node, "maximum", "exclusiveMaximum", math.inf))


def _bounds(node: Node, keyword: str, exclusive: str, without: float) -> list[tuple[float, bool]]:
    """The bound of draft 4, whose second keyword is a switch, or both bounds of later drafts."""
    open_, closed = node.get(exclusive, False), node.get(keyword, without)
    return [(closed, open_)] if isinstance(open_, bool) else [(closed, False), (open_, True)]


def longest_text(node: Node) -> float:
    """The most characters that a text may have, by its length or by its format."""
    return float(min(node.get("maxLength", math.inf), _LONGEST.get(node.get("format", ""), math.inf)))


def stored_type(node: Node) -> str:
    """The type of a column that holds just these values, as far as bounds and formats decide it.

    Whole numbers are of 16, 32 or 64 bits, and some formats have types of their own; the rest is ``plain``.
    """
    types = types_of(node) - {"null"}
    if types == {"integer"}:
        least, greatest = lower_bound(node)[0], -upper_bound(node)[0]
        fitting = [bits for bits in _WIDTHS if -(2 ** (bits - 1)) <= least and greatest < 2 ** (bits - 1)]
        return f"integer of {fitting[0] if fitting else 64} bits"
    if types == {"string"} and node.get("format") in _STORED_FORMATS:
        return str(node["format"])
    return "plain"
