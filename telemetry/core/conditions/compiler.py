"""Compiling the text of a condition, and saying in the author's terms why it does not compile."""

import difflib
from collections.abc import Iterable
from typing import Any, Final

from cel_expr_python import cel

from telemetry.core.conditions.literals import widen_literal
from telemetry.core.conditions.messages import Complaint, read_complaints, type_name
from telemetry.core.conditions.source import ConditionSource
from telemetry.core.errors import InvalidCondition

__all__ = ["compile_source"]

# What a name is, by how it begins; the longer beginning first.
_KINDS: Final = {
    "context.metadata.": "context field",
    "context.": "context field",
    "properties.": "property",
    "": "name",
}


def compile_source(source: ConditionSource, environment: Any, known: Iterable[str]) -> Any:
    """A program that answers true or false; ``known`` lists the names that the author may use.

    Whole literals that meet numbers are rewritten in ``source``. Raises ``InvalidCondition`` for all else.
    """
    # Each round but the last makes at least one whole literal decimal, so the rounds end.
    while True:
        try:
            program = environment.compile(source.text)
        except RuntimeError as error:
            complaints = read_complaints(str(error))
            places = [source.token_at(_offset(source.text, complaint)) for complaint in complaints]
            pairs = list(zip(places, complaints, strict=True))
            if sum(widen_literal(source, place, complaint) for place, complaint in pairs) == 0:
                raise _explain(source, places[0], complaints[0], known) from None
        else:
            return _boolean(program)


def _boolean(program: Any) -> Any:
    returned = program.return_type()
    if returned == cel.Type.BOOL:
        return program
    hint = "; compare it, as in ... == true" if returned == cel.Type.DYN else ""
    raise InvalidCondition(f"must be true or false, not a {type_name(returned.name().lower())}{hint}")


def _offset(text: str, complaint: Complaint) -> int:
    """Where the complaint points to in the compiled text; its end for a complaint without a place."""
    if complaint.line < 1 or complaint.column < 1:
        return len(text)
    before = text.split("\n")[: complaint.line - 1]
    return sum(len(line) + 1 for line in before) + complaint.column - 1


def _explain(source: ConditionSource, place: int, complaint: Complaint, known: Iterable[str]) -> InvalidCondition:
    if complaint.undeclared:
        return _explain_name(source, place, complaint.undeclared, known)
    column = None
    if complaint.line > 0:
        column = source.tokens[place].start + 1 if place < len(source.tokens) else source.length + 1
    return InvalidCondition(complaint.message, column=column)


def _explain_name(source: ConditionSource, place: int, name: str, known: Iterable[str]) -> InvalidCondition:
    """The compiler points at the last dot of an unknown name, and at the parenthesis of a function or of ``has``."""
    tokens = source.tokens
    place = min(place, len(tokens) - 1)
    if tokens[place].text == "(":
        if tokens[place - 1].text != "has" or name == "has":
            return InvalidCondition(f"unknown function {name!r}", column=tokens[place - 1].start + 1)
        place += 1
    while place > 0 and (tokens[place].text == "." or tokens[place - 1].text == "."):
        place -= 1
    return InvalidCondition(_unknown(name, known), column=tokens[place].start + 1)


def _unknown(name: str, known: Iterable[str]) -> str:
    """What is unknown, and the known name that is nearest to it."""
    if name in ("properties", "context", "context.metadata"):
        return f"{name!r} is no value; write {name}.name for one of its values"
    prefix = next((prefix for prefix in _KINDS if name.startswith(prefix)), "")
    own_parts = {key.removeprefix(_prefix(key)).lower(): key for key in known if key.startswith(prefix)}
    rest = name.removeprefix(prefix)
    for part in (rest, rest.partition(".")[0]):
        nearest = difflib.get_close_matches(part.lower(), own_parts, n=1)
        if nearest:
            return f"unknown {_KINDS[prefix]} {prefix + part!r}; did you mean {own_parts[nearest[0]]!r}?"
    return f"unknown {_KINDS[prefix]} {prefix + (rest.partition('.')[0] or rest)!r}"


def _prefix(name: str) -> str:
    return next(prefix for prefix in _KINDS if name.startswith(prefix))
