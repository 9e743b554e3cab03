"""Reading the values of an event: each is of the declared type, safe to store and send, and ours alone.

What comes out is made of exact built-in types and shares no mutable part with what came in. Types are asked for with
``issubclass(type(value), ...)`` and read with the methods of the built-in type, so that no code of a foreign class
(``__class__``, ``__str__``, ``__iter__``) runs. Messages say what is expected, and never what was sent.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from telemetry.core.enums import PropertyType, ViolationCode
from telemetry.core.timestamps import parse_timestamp

__all__ = [
    "LONGEST_TEXT_BYTES",
    "MOST_JSON_VALUES",
    "MOST_PROPERTIES",
    "READERS",
    "InvalidValue",
    "exact_text",
    "is_unicode",
    "only_allowed",
    "plain_json",
    "plain_mapping",
    "plain_text",
]

# More than any sensible event carries, and little enough that one event cannot hold up a worker.
MOST_PROPERTIES: Final = 500
LONGEST_TEXT_BYTES: Final = 65_536
MOST_JSON_VALUES: Final = 10_000
# Below the depth at which parsers of other languages, and PostgreSQL's, start to refuse.
DEEPEST_JSON: Final = 32

_LARGEST_DOUBLE: Final = sys.float_info.max
_TEXT: Final = frozenset({str})


class InvalidValue(Exception):
    """A value that must not go on. ``message`` says what is expected; it never holds the value."""

    def __init__(self, code: ViolationCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _wrong_type(expected: str) -> InvalidValue:
    return InvalidValue(ViolationCode.WRONG_TYPE, f"must be {expected}")


def _unsafe(rule: str) -> InvalidValue:
    return InvalidValue(ViolationCode.UNSAFE_VALUE, rule)


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8: it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def exact_text(value: Any) -> str:
    """The text as a ``str`` and no subclass, whatever it holds."""
    if not issubclass(type(value), str):
        raise _wrong_type("text")
    return str.__str__(value)


def plain_text(value: Any) -> str:
    """The text, at most 64 KiB of UTF-8, without NUL characters and lone surrogates, which databases refuse."""
    text = value if type(value) is str else exact_text(value)
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise _unsafe("must not contain lone surrogates") from None
    if size > LONGEST_TEXT_BYTES:
        raise _unsafe(f"must not be longer than {LONGEST_TEXT_BYTES} bytes")
    if "\0" in text:
        raise _unsafe("must not contain NUL characters")
    return text


def plain_number(value: Any) -> float:
    """The number, finite as a double; ``True`` and ``False`` are none."""
    kind = type(value)
    if kind is int or kind is float:
        number = value
    elif issubclass(kind, float):
        number = float.__float__(value)
    elif issubclass(kind, int) and kind is not bool:
        number = int.__int__(value)
    else:
        raise _wrong_type("a number")
    if -_LARGEST_DOUBLE <= number <= _LARGEST_DOUBLE:
        return number  # type: ignore[no-any-return]  # one of int and float
    raise _unsafe("must be a finite number that a double can hold")


def plain_boolean(value: Any) -> bool:
    """The boolean; numbers and words are none."""
    if value is True or value is False:
        return value
    raise _wrong_type("true or false")


def plain_timestamp(value: Any) -> str:
    """The text of an RFC 3339 timestamp with a zone, as it was sent."""
    text = plain_text(value)
    if parse_timestamp(text) is None:
        raise _wrong_type("an RFC 3339 timestamp with a zone, such as 2026-11-22T10:00:00Z")
    return text


def plain_json(value: Any) -> Any:
    """A copy of the JSON value: at most 32 levels deep, at most 10,000 values, each text and number safe."""
    try:
        return _JsonCopy().copy(value, 1)
    except RuntimeError:  # another thread changed it, or the caller's stack is nearly full
        raise _unsafe("must be readable to the end") from None


class _JsonCopy:
    """Copies one JSON value and counts what it meets, so that cycles and giants end early."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MOST_JSON_VALUES

    def copy(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _unsafe(f"must not hold more than {MOST_JSON_VALUES} values")
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if issubclass(kind, str):
            return plain_text(value)
        if issubclass(kind, int | float):
            return plain_number(value)
        if depth > DEEPEST_JSON:
            raise _unsafe(f"must not be nested deeper than {DEEPEST_JSON} levels")
        if issubclass(kind, dict):
            pairs = dict.items(value)
            return {_plain_key(key): self.copy(item, depth + 1) for key, item in pairs}
        if issubclass(kind, list):
            return [self.copy(item, depth + 1) for item in list.__iter__(value)]
        if issubclass(kind, tuple):
            return [self.copy(item, depth + 1) for item in tuple.__iter__(value)]
        raise _wrong_type("a JSON value")


def _plain_key(key: Any) -> str:
    if not issubclass(type(key), str):
        raise _wrong_type("a JSON value, whose keys are text")
    return plain_text(key)


def plain_mapping(value: Any) -> dict[str, Any]:
    """A shallow copy of the mapping, whose names are text; at most 500 entries, whose values are as they came."""
    if type(value) is dict and len(value) <= MOST_PROPERTIES:
        copy = value.copy()
        if _TEXT.issuperset(map(type, copy)):
            return copy
    if not issubclass(type(value), Mapping):
        raise _wrong_type("an object")
    pairs = _entries(value)
    if len(pairs) > MOST_PROPERTIES:
        raise _unsafe(f"must not have more than {MOST_PROPERTIES} entries")
    if not all(issubclass(type(name), str) for name, _ in pairs):
        raise _wrong_type("an object whose names are text")
    return {exact_text(name): item for name, item in pairs}


def _entries(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """The entries, no more than what is refused anyway: a foreign mapping may never end."""
    try:
        return list(islice(value.items(), MOST_PROPERTIES + 1))
    except Exception:  # noqa: BLE001 - its methods are foreign code, which may raise anything
        raise _unsafe("must be readable to the end") from None


def only_allowed(read: Callable[[Any], Any], allowed: Iterable[Any]) -> Callable[[Any], Any]:
    """``read``, which also refuses values that are not among the ``allowed``; texts are compared as they are."""
    known = frozenset(allowed)

    def read_allowed(value: Any) -> Any:
        plain = read(value)
        if plain not in known:
            raise InvalidValue(ViolationCode.NOT_ALLOWED_VALUE, "must be one of the property's allowed values")
        return plain

    return read_allowed


# Turns a value of an event into a plain one, by declared type; raises ``InvalidValue``.
READERS: Final[Mapping[PropertyType, Callable[[Any], Any]]] = MappingProxyType(
    {
        PropertyType.STRING: plain_text,
        PropertyType.NUMBER: plain_number,
        PropertyType.BOOLEAN: plain_boolean,
        PropertyType.TIMESTAMP: plain_timestamp,
        PropertyType.JSON: plain_json,
    }
)
