"""Numbers and texts that are made of others, within bounds: a small file must not grow without end."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from telemetry.formats.cursor import Unevaluated

__all__ = ["LONGEST", "reckon", "short"]

# Characters of a text that is put together: the longest that a spec holds has 4,000.
LONGEST: Final = 100_000
# Whole numbers beyond this are not exact in the language.
_LARGEST: Final = 2**53
_OPERATIONS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def reckon(sign: str, first: Any, second: Any) -> Any:
    """A number that is reckoned from two; whole if it is."""
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in (first, second)):
        return Unevaluated()
    if sign not in _OPERATIONS or (sign == "/" and not second):
        return Unevaluated()
    found = _OPERATIONS[sign](first, second)
    if not abs(found) < _LARGEST:
        return Unevaluated()
    return int(found) if isinstance(found, float) and found.is_integer() else found


def short(text: str) -> Any:
    """The text, unless it is longer than anything that a spec holds."""
    return text if len(text) <= LONGEST else Unevaluated()
