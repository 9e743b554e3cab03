"""Identifiers of programming languages from names of events and properties."""

import keyword
import re
from collections.abc import Iterable
from typing import Final

from telemetry.formats.naming import Names

__all__ = ["Identifiers", "camel", "pascal", "snake", "upper"]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST: Final = 120
# Words that a language keeps for itself, or that would hide what everybody expects under them.
_KOTLIN: Final = (
    "as break class continue do else false for fun if in interface is null object package return super this throw true "
    "try typealias typeof val var when while tracker context sent"
)
_SWIFT: Final = (
    "Any Self Type Protocol as associatedtype break case catch class continue default defer deinit do else enum "
    "extension fallthrough false fileprivate for func guard if import in init inout internal is let nil open operator "
    "private protocol public repeat rethrows return self static struct subscript super switch throw throws true try "
    "typealias var where while tracker context sent value instant"
)
_TYPESCRIPT: Final = (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends "
    "false finally for function if implements import in instanceof interface let new null package private protected "
    "public return static super switch this throw true try typeof var void while with yield constructor tracker "
    "hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf"
)
RESERVED: Final = {
    "python": frozenset((*keyword.kwlist, *keyword.softkwlist, "self", "context", "properties", "datetime")),
    "kotlin": frozenset(_KOTLIN.split()),
    "swift": frozenset(_SWIFT.split()),
    "typescript": frozenset(_TYPESCRIPT.split()),
}


def _words(text: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(text)] or ["value"]
    return ["n", *words] if words[0][0].isdigit() else words


def snake(text: str) -> str:
    """``duration_ms``."""
    return "_".join(_words(text))[:_LONGEST]


def camel(text: str) -> str:
    """``durationMs``."""
    first, *rest = _words(text)
    return (first + "".join(word.capitalize() for word in rest))[:_LONGEST]


def pascal(text: str) -> str:
    """``DurationMs``."""
    return "".join(word.capitalize() for word in _words(text))[:_LONGEST]


def upper(text: str) -> str:
    """``DURATION_MS``."""
    return snake(text).upper()


class Identifiers:
    """Identifiers that differ from each other and from the words of the language."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._names = Names()
        self._reserved = frozenset(reserved)

    def claim(self, identifier: str) -> str:
        """The identifier, with an underscore or number behind it where it must not stand alone."""
        free = f"{identifier}_" if identifier in self._reserved else identifier
        return self._names.claim(free, longest=_LONGEST + 10)
