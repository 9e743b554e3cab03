"""Places on the map: latitude and longitude together."""

import re
from collections.abc import Mapping
from typing import Any, Final

from telemetry.core.lint.words import words_of

__all__ = ["coordinate_names", "has_coordinates", "is_coordinate_pair"]

_NUMBER: Final = r"-?\d{1,3}\.\d{3,15}"
# Nor the first two of three numbers.
_PAIR: Final = re.compile(rf"(?<![\w.,+-])({_NUMBER})(?:\s*[,;]\s*|\s+)({_NUMBER})(?!\w|\.\d|\s*[,;]\s*-?\d)")
_DEGREES: Final = re.compile(
    r"\d{1,3}\s*°\s*\d{1,2}(?:\s*['\u2032]\s*(?:\d{1,2}(?:\.\d+)?\s*(?:[\"\u2033]|'')\s*)?)?\s*[NS]\b"
    r".{0,6}?\d{1,3}\s*°\s*\d{1,2}(?:\s*['\u2032]\s*(?:\d{1,2}(?:\.\d+)?\s*(?:[\"\u2033]|'')\s*)?)?\s*[EWO]\b"
)
# Four decimals of a degree tell houses apart (11 m); a zero at the end may be left out.
_DECIMALS: Final = (3, 4)
_LATITUDE: Final = frozenset({"lat", "latitude"})
_LONGITUDE: Final = frozenset({"lng", "lon", "long", "longitude"})


def has_coordinates(text: str) -> bool:
    """Whether the text holds a latitude and a longitude, in decimals to four places or in degrees and minutes."""
    return any(_is_place(found[1], found[2]) for found in _PAIR.finditer(text)) or (
        "°" in text and _DEGREES.search(text) is not None
    )


def is_coordinate_pair(first: Any, second: Any) -> bool:
    """Whether these two numbers can be latitude and longitude (either may come first), and say it to four places."""
    if type(first) is not float or type(second) is not float:
        return False
    return _is_place(repr(first), repr(second))


def coordinate_names(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of the latitude and the longitude among these values, when both are numbers that can be that."""
    by_axis: dict[str, str] = {}
    for name, value in values.items():
        if type(value) is not float and type(value) is not int:
            continue
        words = set(words_of(name))
        axis = "latitude" if words & _LATITUDE else "longitude" if words & _LONGITUDE else ""
        if axis and abs(value) <= (90 if axis == "latitude" else 180) and value % 1:
            by_axis.setdefault(axis, name)
    return (by_axis["latitude"], by_axis["longitude"]) if len(by_axis) == 2 else None


def _is_place(first: str, second: str) -> bool:
    fewer, more = sorted(len(text.partition(".")[2]) for text in (first, second))
    if fewer < _DECIMALS[0] or more < _DECIMALS[1]:
        return False
    one, other = abs(float(first)), abs(float(second))
    # Two shares of a screen are between 0 and 1; there is only sea there.
    return max(one, other) <= 180 and min(one, other) <= 90 and (one >= 1 or other >= 1)
