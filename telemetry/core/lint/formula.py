"""Sampling conditions as formulas: comparisons of one variable with literals, joined by and, or, not.

What is no such comparison is ``Opaque``: nothing is concluded from it. Text is read with the tokens of the condition
itself, so that strings, comments and calls are never taken for operators.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Final, NamedTuple

from telemetry.core.conditions import compile_condition
from telemetry.core.conditions.source import ConditionSource, Token
from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidCondition
from telemetry.core.events import Context

__all__ = ["Comparison", "Constant", "Formula", "Junction", "Negation", "Opaque", "Presence", "Scalar", "read_formula"]

# A literal with the kind of its type, because in Python ``True == 1``.
Scalar = tuple[str, bool | float | str]


class Constant(NamedTuple):
    """The same for every event; ``None`` means that it cannot be evaluated, and so never holds."""

    value: bool | None


class Comparison(NamedTuple):
    """A variable beside literals: ``in`` any of them, or ``<``, ``<=``, ``>``, ``>=`` the only one."""

    variable: str
    operator: str
    values: tuple[Scalar, ...]


class Presence(NamedTuple):
    """Whether a variable is there: ``has(...)``."""

    variable: str


class Opaque(NamedTuple):
    """Anything else; equal texts have equal answers."""

    text: str


class Negation(NamedTuple):
    """True where the part is false; not where it cannot be evaluated."""

    part: "Formula"


class Junction(NamedTuple):
    """``&&`` or ``||`` of at least two parts."""

    operator: str
    parts: tuple["Formula", ...]


Formula = Constant | Comparison | Presence | Opaque | Negation | Junction

_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_RELATIONS: Final = (*_FLIPPED, "in")
# A text literal without prefix, escapes or triple quotes: what it says is what it means.
_PLAIN_TEXT: Final = re.compile(r""""(?!"")[^"\\]*"|'(?!'')[^'\\]*'""").fullmatch
# A whole number that a double holds exactly.
_EXACT_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}").fullmatch
_WORDS: Final = frozenset(("true", "false", "null"))


def read_formula(expression: str, types: Mapping[str, PropertyType]) -> Formula:
    """The formula of a condition that compiles; ``types`` are those of its variables, such as ``properties.step``."""
    return _Reading(expression, types).read(tuple(ConditionSource(expression).tokens))


class _Reading:
    """One reading of one condition."""

    def __init__(self, expression: str, types: Mapping[str, PropertyType]) -> None:
        self._expression, self._types = expression, types

    def read(self, tokens: tuple[Token, ...]) -> Formula:
        """The formula of these tokens."""
        if list(_top(tokens, "?", ":")):
            return self._opaque(tokens)
        for operator in ("||", "&&"):
            places = list(_top(tokens, operator))
            if places:
                edges = [-1, *places, len(tokens)]
                parts = tuple(self.read(tokens[left + 1 : right]) for left, right in pairwise(edges))
                return Junction(operator, parts)
        relations = list(_top(tokens, *_RELATIONS))
        if relations:
            return self._relation(tokens, relations)
        return self._unary(tokens)

    def _unary(self, tokens: tuple[Token, ...]) -> Formula:
        if tokens and tokens[0].text == "!":
            return Negation(self._unary(tokens[1:]))
        if _is_group(tokens):
            return self.read(tokens[1:-1])
        if len(tokens) > 3 and tokens[0].text == "has" and tokens[1].text == "(":
            name = _variable(tokens[2:-1])
            return Presence(name) if name in self._types and tokens[-1].text == ")" else self._opaque(tokens)
        name = _variable(tokens)
        return Comparison(name, "in", (("bool", True),)) if name else self._opaque(tokens)

    def _relation(self, tokens: tuple[Token, ...], places: list[int]) -> Formula:
        place = places[0]
        operator, left, right = tokens[place].text, tokens[:place], tokens[place + 1 :]
        if operator != "in" and not _variable(left):
            operator, left, right = _FLIPPED[operator], right, left
        name = _variable(left)
        values = _list(right) if operator == "in" else _single(right)
        if len(places) > 1 or not name or values is None:
            return self._opaque(tokens)
        return self._comparison(name, operator, values, tokens)

    def _comparison(self, name: str, operator: str, values: tuple[Scalar, ...], tokens: tuple[Token, ...]) -> Formula:
        if self._types.get(name) is PropertyType.NUMBER:
            values = tuple((kind, float(value)) if kind == "number" else (kind, value) for kind, value in values)
        if operator == "in":
            return Comparison(name, "in", values)
        if operator in ("==", "!="):
            equal = Comparison(name, "in", values)
            return equal if operator == "==" else Negation(equal)
        # Texts have an order too, from which nothing is concluded here.
        return Comparison(name, operator, values) if values[0][0] == "number" else self._opaque(tokens)

    def _opaque(self, tokens: tuple[Token, ...]) -> Formula:
        text = " ".join(token.text for token in tokens)
        return _constant(text) if tokens and _names_nothing(tokens) else Opaque(text)


def _variable(tokens: tuple[Token, ...]) -> str:
    """The dotted name that these tokens are, nothing more; empty when they are anything else."""
    names, dots = tokens[::2], tokens[1::2]
    is_name = len(tokens) % 2 == 1 and all(dot.text == "." for dot in dots)
    if not is_name or any(token.kind not in ("name", "quoted") for token in names) or tokens[0].kind != "name":
        return ""
    name = ".".join(token.text.strip("`") for token in names)
    return name if name.startswith(("properties.", "context.")) else ""


def _list(tokens: tuple[Token, ...]) -> tuple[Scalar, ...] | None:
    """The literals of a list of nothing else."""
    if len(tokens) < 2 or tokens[0].text != "[" or tokens[-1].text != "]":
        return None
    inner = tokens[1:-1]
    edges = [-1, *_top(inner, ","), len(inner)]
    parts = [inner[left + 1 : right] for left, right in pairwise(edges)] if inner else []
    values = tuple(value for part in parts if (value := _scalar(part)) is not None)
    return values if len(values) == len(parts) else None


def _single(tokens: tuple[Token, ...]) -> tuple[Scalar, ...] | None:
    value = _scalar(tokens)
    return None if value is None else (value,)


def _names_nothing(tokens: tuple[Token, ...]) -> bool:
    """Whether the tokens speak of no variable: every name is a literal or is called."""
    following = (*(token.text for token in tokens[1:]), "")
    return all(
        token.text in _WORDS or after == "("
        for token, after in zip(tokens, following, strict=True)
        if token.kind in ("name", "quoted") and token.text != "in"
    )


@lru_cache(maxsize=1_000)
def _constant(text: str) -> Formula:
    """What an expression without variables comes to; the run time itself evaluates it."""
    try:
        if compile_condition(text, {}, {}).holds({}, Context()):
            return Constant(True)
        return Constant(False if compile_condition(f"!({text})", {}, {}).holds({}, Context()) else None)
    except InvalidCondition:
        return Opaque(text)


def _scalar(tokens: tuple[Token, ...]) -> Scalar | None:
    """The literal that these tokens are, if they are a plain one."""
    sign = -1 if tokens and tokens[0].text == "-" else 1
    rest = tokens[1:] if sign < 0 else tokens
    if len(rest) != 1:
        return None
    text, kind = rest[0].text, rest[0].kind
    if kind == "decimal" or (kind == "whole" and _EXACT_WHOLE(text)):
        number = float(text) if kind == "decimal" else int(text)
        return ("number", sign * number) if isfinite(number) else None
    if sign > 0 and kind == "text" and _PLAIN_TEXT(text):
        return "text", text[1:-1]
    return ("bool", text == "true") if sign > 0 and text in ("true", "false") else None


def _is_group(tokens: tuple[Token, ...]) -> bool:
    """Whether one pair of parentheses encloses all tokens."""
    if len(tokens) < 3 or tokens[0].text != "(" or tokens[-1].text != ")":
        return False
    depth = 0
    for token in tokens[:-1]:
        depth += _step(token)
        if depth == 0:
            return False
    return True


def _top(tokens: tuple[Token, ...], *wanted: str) -> Iterator[int]:
    """The places of these signs outside all brackets."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += _step(token)
        if depth == 0 and token.kind in ("sign", "name") and token.text in wanted:
            yield place


def _step(token: Token) -> int:
    if token.kind != "sign":
        return 0
    return 1 if token.text in ("(", "[", "{") else -1 if token.text in (")", "]", "}") else 0
