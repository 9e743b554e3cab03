"""What the CEL compiler complains of, in the words of a condition's author."""

import re
from typing import Final

import msgspec

__all__ = ["Complaint", "read_complaints", "type_name"]

_COMPLAINT: Final = re.compile(
    r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \| |\nERROR: |\n? ?\[[A-Z_]+\]$|\Z)", re.DOTALL
)
_OVERLOAD: Final = re.compile(r"found no matching overload for '(.+?)' applied to '\((.*)\)'")
_UNDECLARED: Final = re.compile(r"undeclared reference to '(.+?)' ")
_SYNTAX: Final = re.compile(
    r"Syntax error: (?:mismatched input|extraneous input|no viable alternative at input|missing \S+ at"
    r"|token recognition error at:) '(.*?)'(?: expecting .*)?\Z",
    re.DOTALL,
)
_NO_FIELDS: Final = re.compile(r"expression of type '(.+?)' cannot be the operand of a select operation")

_OPERATORS: Final = {"@in": "in", "_[_]": "[]", "_?_:_": "?:", "!_": "!", "-_": "-"}
# What people write who know other languages better.
_CEL_WORDS: Final = {"and": "&&", "or": "||", "not": "!", "=": "=="}
_TYPES: Final = {
    "double": "number",
    "int": "whole number",
    "uint": "whole number",
    "bool": "boolean",
    "dyn": "json value",
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}
_WHOLE: Final = frozenset({"int", "uint"})


class Complaint(msgspec.Struct, frozen=True):
    """One error: ``line`` and ``column`` count from 1 in the compiled text, and are below 1 when it names no place.

    ``undeclared`` is the unknown name, if that is the trouble. ``operator`` and ``types`` are CEL's own words for an
    operation that does not fit its operands.
    """

    line: int
    column: int
    text: str
    undeclared: str = ""
    operator: str = ""
    types: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One line for the author."""
        if self.operator:
            return self._overload_message()
        if match := _SYNTAX.match(self.text):
            if match.group(1) == "<EOF>":
                return "the condition ends too early"
            near = _one_line(match.group(1))
            hint = f"; write {_CEL_WORDS[near]}" if near in _CEL_WORDS else ""
            return f"syntax error near {near!r}{hint}"
        if match := _NO_FIELDS.search(self.text):
            return f"a {type_name(match.group(1))} has no fields"
        return _one_line(self.text)

    def _overload_message(self) -> str:
        operator = _OPERATORS.get(self.operator, self.operator.strip("_"))
        operands = " and ".join(type_name(name) for name in self.types[-2:])
        return f"{operator!r} does not fit {operands}{self._hint()}"

    def _hint(self) -> str:
        if "null_type" in self.types:
            return "; ask has(...) whether a value is there"
        if self.operator == "_%_":
            return "; write int(...) around numbers"
        if "double" in self.types and _WHOLE.intersection(self.types):
            return "; write double(...) around the whole number"
        return ""


def read_complaints(text: str) -> list[Complaint]:
    """The complaints in a message of the compiler, by place; last those that another one brought about, or no place."""
    found = [_read(int(line), int(column), body) for line, column, body in _COMPLAINT.findall(text)]
    if not found:
        return [Complaint(0, 0, _without_noise(text))]
    return sorted(found, key=lambda each: ("*error*" in each.types, each.line < 1, each.line, each.column))


def _read(line: int, column: int, body: str) -> Complaint:
    if match := _OVERLOAD.search(body):
        return Complaint(line, column, body, operator=match.group(1), types=_split_types(match.group(2)))
    if match := _UNDECLARED.search(body):
        return Complaint(line, column, body, undeclared=match.group(1))
    return Complaint(line, column, _without_noise(body))


def _without_noise(text: str) -> str:
    if "recursion" in text:
        return "nested too deeply: at most 32 levels"
    return re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", text.split("\n |")[0])


def _split_types(types: str) -> tuple[str, ...]:
    """``double, map(string, int)`` has two members: commas inside parentheses separate nothing."""
    return tuple(part.strip() for part in re.split(r",(?![^(]*\))", types))


def type_name(name: str) -> str:
    """CEL's name of a type, in words."""
    if match := re.fullmatch(r"list\((.*)\)", name):
        return f"list of {type_name(match.group(1))}"
    return _TYPES.get(name, name)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
