"""The rules of single values: which one a value breaks, as a code and a message that never repeats the value."""

import math
import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final

from msgspec import inspect

from telemetry.core.plain import LARGEST_EXACT_INT

__all__ = ["UNUSABLE_CHARACTER", "Fault", "find_fault"]

# Code and message of a broken rule.
Fault = tuple[str, str]

# NUL, which PostgreSQL cannot store, and halves of surrogate pairs, which UTF-8 cannot.
UNUSABLE_CHARACTER: Final = re.compile("[\x00\ud800-\udfff]")


def find_fault(value: object, info: inspect.Type) -> Fault | None:
    """The rule of the scalar type ``info`` that ``value`` breaks, or ``None``; of other types only text has rules.

    Codes: ``wrong_type``, ``unknown_word``, ``out_of_range``, ``bad_number``, ``bad_length``, ``bad_format``,
    ``bad_character``.
    """
    rule = _RULES.get(type(info), _foreign_fault)
    return rule(value, info)


def _described_fault(value: object, info: inspect.Metadata) -> Fault | None:
    """A type with a description, which says better than a pattern what is expected."""
    if isinstance(info.type, inspect.StrType):
        return _text_fault(value, info.type, (info.extra_json_schema or {}).get("description", ""))
    return find_fault(value, info.type)


def _text_fault(value: object, info: inspect.StrType, hint: str = "") -> Fault | None:
    if not isinstance(value, str):
        is_scalar = value is None or isinstance(value, bool | int | float)
        return (
            "wrong_type",
            "must be text; quote what looks like a number, true, false or null" if is_scalar else "must be text",
        )
    if UNUSABLE_CHARACTER.search(value):
        return "bad_character", "must not contain NUL characters or lone surrogates"
    if info.min_length is not None and len(value) < info.min_length:
        return "bad_length", "must not be empty" if not value else f"must be at least {info.min_length} characters long"
    if info.max_length is not None and len(value) > info.max_length:
        return "bad_length", f"must be at most {info.max_length} characters long"
    if info.pattern is not None and not re.search(info.pattern, value):
        return "bad_format", f"must be {hint}" if hint else f"must match {info.pattern}"
    return None


def _int_fault(value: object, info: inspect.IntType) -> Fault | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "bad_number", "must be a finite number"
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return "wrong_type", "must be a whole number"
    return _range_fault(value, info) or _exactness_fault(int(value))


def _float_fault(value: object, info: inspect.FloatType) -> Fault | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "wrong_type", "must be a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "bad_number", "must be a finite number"
    return _range_fault(value, info) or _exactness_fault(value)


def _range_fault(value: float, info: inspect.IntType | inspect.FloatType) -> Fault | None:
    if info.ge is not None and value < info.ge:
        return "out_of_range", f"must be at least {info.ge}"
    if info.gt is not None and value <= info.gt:
        return "out_of_range", f"must be more than {info.gt}"
    if info.le is not None and value > info.le:
        return "out_of_range", f"must be at most {info.le}"
    if info.lt is not None and value >= info.lt:
        return "out_of_range", f"must be less than {info.lt}"
    return None


def _exactness_fault(value: float) -> Fault | None:
    if isinstance(value, int) and abs(value) > LARGEST_EXACT_INT:
        return "out_of_range", f"must lie within ±{LARGEST_EXACT_INT}: larger whole numbers lose digits; use text"
    return None


def _truth_fault(value: object, _info: inspect.BoolType) -> Fault | None:
    return None if isinstance(value, bool) else ("wrong_type", "must be true or false")


def _word_fault(value: object, info: inspect.EnumType) -> Fault | None:
    words = _words(info.cls)
    return None if isinstance(value, str) and value in words else ("unknown_word", _one_of(words))


@cache
def _words(enum: type[Enum]) -> tuple[str, ...]:
    return tuple(member.value for member in enum)


def _literal_fault(value: object, info: inspect.LiteralType) -> Fault | None:
    # By type as well, because True equals 1.
    if any(type(value) is type(word) and value == word for word in info.values):
        return None
    return "unknown_word", _one_of(info.values)


def _one_of(words: Sequence[object]) -> str:
    known = ", ".join(str(word) for word in words)
    return f"must be {known}" if len(words) == 1 else f"must be one of: {known}"


def _free_fault(value: object, _info: inspect.AnyType) -> Fault | None:
    if isinstance(value, str):
        return _text_fault(value, inspect.StrType())
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _float_fault(value, inspect.FloatType())
    return "wrong_type", "must be a JSON value"


def _foreign_fault(value: object, _info: inspect.Type) -> Fault | None:
    """For types whose form msgspec reads itself, such as instants, which takes text that UTF-8 can carry only."""
    return _text_fault(value, inspect.StrType()) if isinstance(value, str) else None


_RULES: Final[dict[type[inspect.Type], Callable[[object, Any], Fault | None]]] = {
    inspect.Metadata: _described_fault,
    inspect.StrType: _text_fault,
    inspect.IntType: _int_fault,
    inspect.FloatType: _float_fault,
    inspect.BoolType: _truth_fault,
    inspect.EnumType: _word_fault,
    inspect.LiteralType: _literal_fault,
    inspect.AnyType: _free_fault,
}
