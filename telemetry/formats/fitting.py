"""Cutting single values of foreign plans to what a spec may hold."""

from collections.abc import Iterable
from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.core.plain import LARGEST_EXACT_INT
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.core.spec import MAXIMUM_ALLOWED_VALUES
from telemetry.core.validation import read_value
from telemetry.formats.cursor import Cursor

__all__ = ["LONGEST_LINE", "LONGEST_TEXT", "allowed_values", "fit_text", "fits"]

# The longest texts that a line, a text and an allowed value of a spec may be.
LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 4000
_LONGEST_ALLOWED: Final = 200


def fits(value: object, type_: type) -> bool:
    """Whether plain data keeps every rule of a type of the core."""
    return not read_value(value, type_)[1]


def fit_text(cursor: Cursor | None, *, target: str, longest: int = LONGEST_TEXT) -> str:
    """The text that stands at the cursor, cut where a spec's text ends; empty for anything else."""
    if cursor is None or not isinstance(cursor.value, str):
        return ""
    text = UNUSABLE_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", cursor.value)
    if text != cursor.value:
        cursor.approximate("characters that no text may hold are replaced", target=target)
    if len(text) > longest:
        cursor.approximate(f"the text is cut after {longest} characters", target=target)
        return text[: longest - 3] + "..."
    cursor.take()
    return text


def allowed_values(cursors: Iterable[Cursor], type_: PropertyType, *, target: str) -> list[Any]:
    """The values that are listed, taken over if a property of this type can list them all; else none is taken."""
    listed = [cursor for cursor in cursors if cursor.value is not None]
    kinds = {PropertyType.STRING: (str,), PropertyType.NUMBER: (int, float)}.get(type_, ())
    if not listed or len(listed) > MAXIMUM_ALLOWED_VALUES or not all(_is_allowed(each.value, kinds) for each in listed):
        return []
    values: list[Any] = []
    for cursor in listed:
        if cursor.value in values:
            cursor.approximate("it is listed once", target=target)
        else:
            values.append(cursor.take())
    return values


def _is_allowed(value: Any, kinds: tuple[type, ...]) -> bool:
    if type(value) not in kinds:
        return False
    if isinstance(value, str):
        return len(value) <= _LONGEST_ALLOWED and not UNUSABLE_CHARACTER.search(value)
    return abs(value) <= LARGEST_EXACT_INT if isinstance(value, int) else abs(value) < float("inf")
