"""Letting authors write ``properties.durationMs > 100``, which CEL's type check refuses: it wants ``100.0``.

The compiler says where a number meets a whole number; the whole literal in that operand is then rewritten. Literals
elsewhere (``size(properties.step) > 3``) stay whole.
"""

from collections.abc import Iterator
from typing import Final

from telemetry.core.conditions.messages import Complaint
from telemetry.core.conditions.source import ConditionSource, Token

__all__ = ["widen_literal"]

_OPERATORS: Final = frozenset(
    {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "@in", "_?_:_"}
)
_BOUNDARIES: Final = frozenset({"&&", "||", "?", ":", ",", "==", "!=", "<", "<=", ">", ">=", "in"})
_WHOLE: Final = frozenset({"int", "uint"})


def widen_literal(source: ConditionSource, index: int, complaint: Complaint) -> bool:
    """Whether whole literals were made decimal to settle this complaint about the operator at this token."""
    if complaint.operator not in _OPERATORS or index >= len(source.tokens):
        return False
    first, second = complaint.types[-2:] if len(complaint.types) > 1 else ("", "")
    if first == "double" and second in {f"list({whole})" for whole in _WHOLE}:
        return _widen_list(source, index)
    if first == "double" and second in _WHOLE:
        start = _else_branch(source, index) if complaint.operator == "_?_:_" else index
        return _widen_first(_operand(source, start, 1))
    if first in _WHOLE and second in ("double", "list(double)"):
        return _widen_first(_operand(source, index, 1 if complaint.operator == "_?_:_" else -1))
    return False


def _operand(source: ConditionSource, index: int, step: int) -> Iterator[Token]:
    """The tokens on one side of the operator at ``index``, up to where its operand ends; calls are skipped."""
    opening, closing = ("(", ")") if step > 0 else (")", "(")
    frame = source.tokens[index].frame
    depth = 0
    place = index + step
    while 0 <= place < len(source.tokens):
        token = source.tokens[place]
        place += step
        if token.frame != frame:
            continue
        if token.text == opening:
            depth += 1
        elif token.text == closing:
            depth -= 1
        if depth < 0 or (depth == 0 and token.text in _BOUNDARIES):
            return
        yield token


def _else_branch(source: ConditionSource, index: int) -> int:
    """The index of the colon that belongs to the question mark at ``index``."""
    open_marks = 1
    place = index
    while open_marks and place + 1 < len(source.tokens):
        place += 1
        token = source.tokens[place]
        if token.frame == source.tokens[index].frame:
            open_marks += (token.text == "?") - (token.text == ":")
    return place


def _widen_list(source: ConditionSource, index: int) -> bool:
    """Rewrites every whole literal of the list after ``in``."""
    brackets = (place for place in range(index, len(source.tokens) - 1) if source.tokens[place].text == "[")
    frame = source.tokens[next(brackets, index) + 1].frame
    return sum(_widen_first(iter([token])) for token in source.tokens if token.frame == frame) > 0


def _widen_first(tokens: Iterator[Token]) -> bool:
    """Rewrites the first whole literal, if there is one."""
    for token in tokens:
        if token.kind == "whole":
            token.text = f"{int(token.text.rstrip('uU'), 0) if token.text[:2] == '0x' else token.text.rstrip('uU')}.0"
            token.kind = "decimal"
            return True
    return False
