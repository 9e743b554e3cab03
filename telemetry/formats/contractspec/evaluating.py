"""The plain data that a TypeScript expression stands for, as far as that can be told without running it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tree_sitter import Node

from telemetry.core.shapes import Path
from telemetry.formats.contractspec.functions import Function
from telemetry.formats.contractspec.reckoning import LONGEST, reckon, short
from telemetry.formats.contractspec.strings import read_string
from telemetry.formats.cursor import Unevaluated

__all__ = ["Evaluator"]

_DEEPEST: Final = 60
_MOST_STEPS: Final = 200_000
# Expressions that stand for what is inside them.
_TRANSPARENT: Final = (
    *("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "type_assertion"),
    "const_assertion",
)
_INTEGER: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+")
# Functions that answer what they are given, by the habit of the origin and the rules of the language.
_DEFINES: Final = re.compile(r"(?:[A-Za-z_$][\w$]*\.)*(?:define|create|make)[A-Z]\w*|Object\.freeze").fullmatch
_ENVIRONMENTS: Final = ("process.env", "import.meta.env", "Deno.env", "Bun.env")


class Evaluator:
    """Evaluates expressions of one file.

    ``constants`` are the expressions of its top-level constants, ``enums`` the members of its enumerations,
    ``functions`` those that answer one expression, each by name. By path, ``lines`` say where parts of the value begin,
    ``notes`` what was guessed; parts that nobody can tell are ``Unevaluated``.
    """

    def __init__(
        self,
        constants: Mapping[str, Node],
        enums: Mapping[str, Mapping[str, Node]],
        functions: Mapping[str, Function],
    ) -> None:
        self._constants = constants
        self._enums = enums
        self._functions = functions
        self._busy: list[str] = []
        # What the parameters of the functions that are being evaluated stand for, the innermost last.
        self._scopes: list[dict[str, Any]] = []
        self._steps = 0
        self.lines: dict[Path, int] = {}
        # What was guessed or left out on the way, by path.
        self.notes: dict[Path, str] = {}

    def evaluate(self, node: Node, path: Path = ()) -> Any:
        """The value; parts of it that cannot be told are ``Unevaluated``."""
        self._steps += 1
        if len(path) + len(self._busy) > _DEEPEST or self._steps > _MOST_STEPS:
            return Unevaluated()
        self.lines.setdefault(path, node.start_point.row + 1)
        if node.type in _TRANSPARENT:
            inner = node.named_child(0)
            return self.evaluate(inner, path) if inner is not None else Unevaluated()
        read = _READERS.get(node.type)
        return read(self, node, path) if read is not None else Unevaluated()

    def object(self, node: Node, path: Path) -> Any:
        """The keys and values; what a spread object has comes first and gives way to what follows it."""
        found: dict[str, Any] = {}
        for child in node.named_children:
            if child.type == "pair":
                key = self._key(child.child_by_field_name("key"))
                value = child.child_by_field_name("value")
                if key is not None and value is not None:
                    found[key] = self.evaluate(value, (*path, key))
            elif child.type == "shorthand_property_identifier":
                found[text_of(child)] = self.identifier(child, (*path, text_of(child)))
            elif child.type == "spread_element":
                spread = self.evaluate(child.named_child(0), path) if child.named_child(0) is not None else None
                found.update(spread if isinstance(spread, dict) else {f"...{text_of(child)[3:80]}": Unevaluated()})
            elif child.type != "comment":
                found[text_of(child)[:80]] = Unevaluated()
        return found

    def _key(self, node: Node | None) -> str | None:
        if node is None:
            return None
        if node.type in ("string", "template_string"):
            return read_string(node)
        if node.type == "computed_property_name":
            value = self.evaluate(node.named_children[0]) if node.named_children else None
            return value if isinstance(value, str) else text_of(node)[:80]
        return text_of(node)

    def array(self, node: Node, path: Path) -> Any:
        """The entries, those of spread lists among them."""
        found: list[Any] = []
        for child in node.named_children:
            if child.type == "spread_element" and child.named_children:
                spread = self.evaluate(child.named_children[0], (*path, len(found)))
                found.extend(spread if isinstance(spread, list) else [Unevaluated()])
            elif child.type != "comment":
                found.append(self.evaluate(child, (*path, len(found))))
        return found

    def identifier(self, node: Node, path: Path) -> Any:
        """The value of a constant of this file, or of a parameter."""
        name = text_of(node)
        if self._scopes and name in self._scopes[-1]:
            return self._counted(self._scopes[-1][name])
        if name in self._busy or name not in self._constants:
            return Unevaluated()
        self._busy.append(name)
        # A constant knows nothing of the parameters of whoever uses it.
        self._scopes.append({})
        value = self.evaluate(self._constants[name], path)
        self._scopes.pop()
        self._busy.pop()
        return value

    def _counted(self, value: Any) -> Any:
        """The value once more; each of its parts is a step, lest functions that double what they get grow for ever."""
        waiting = [value]
        while waiting and self._steps <= _MOST_STEPS:
            self._steps += 1
            part = waiting.pop()
            waiting.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
        return value if self._steps <= _MOST_STEPS else Unevaluated()

    def member(self, node: Node, path: Path) -> Any:
        """An environment variable as a reference, a member of an enumeration or constant; else the words of its name.

        Enumerations of other files are those of the origin, whose values are their names in words.
        """
        said = re.sub(r"[?!\s]", "", text_of(node))
        for environment in _ENVIRONMENTS:
            found = re.fullmatch(re.escape(environment) + r"""(?:\.|\[['"])([A-Za-z_][A-Za-z0-9_]*)(?:['"]\])?""", said)
            if found is not None:
                return f"${{{found[1]}}}"
        owner, _, name = said.rpartition(".")
        if owner in self._enums:
            member = self._enums[owner].get(name)
            return self.evaluate(member, path) if member is not None else Unevaluated()
        target = node.child_by_field_name("object")
        if target is not None and (text_of(target) in self._constants or text_of(target) in (self._scopes or [{}])[-1]):
            value = self.evaluate(target, path)
            return value.get(name, Unevaluated()) if isinstance(value, dict) else Unevaluated()
        if owner != "StabilityEnum":
            self.notes[path] = "the enumeration is not in this file; the value is made of the member's name"
        return _word_of_enum(owner, name)

    def binary(self, node: Node, path: Path) -> Any:
        """Texts that are added, numbers that are reckoned with, and what one of two stands in for."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        sign = node.child_by_field_name("operator")
        if left is None or right is None or sign is None:
            return Unevaluated()
        first = self.evaluate(left, path)
        if sign.type in ("??", "||") and isinstance(first, str) and first:
            self.notes[path] = "what stands in for a missing value is left out"
            return first
        second = self.evaluate(right, path)
        if sign.type == "+" and isinstance(first, str) and isinstance(second, str):
            return short(first + second)
        return reckon(sign.type, first, second)

    def call(self, node: Node, path: Path) -> Any:
        """What a function answers: of this file, as its one expression says; of elsewhere, the object that it is given.

        Functions that define specs answer what they are given; of others that is a guess, which is noted.
        """
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or arguments is None:
            return Unevaluated()
        given = [child for child in arguments.named_children if child.type != "comment"]
        name = text_of(callee)
        if callee.type == "member_expression" and name.rpartition(".")[2] in ("join", "trim"):
            return self._method(callee, given, path)
        if name in self._functions:
            return self._apply(name, given, path)
        value = self.evaluate(given[0], path) if len(given) == 1 else None
        if not isinstance(value, dict):
            return Unevaluated()
        if name in self._constants or not _DEFINES(name):
            self.notes[path] = "only running the function could tell what it answers; what it is given is taken"
        return value

    def _method(self, callee: Node, given: list[Node], path: Path) -> Any:
        """A list of texts in one, or a text without the space around it."""
        target, name = callee.child_by_field_name("object"), text_of(callee).rpartition(".")[2]
        value = self.evaluate(target, path) if target is not None else None
        if name == "trim":
            return value.strip() if isinstance(value, str) and not given else Unevaluated()
        between = self.evaluate(given[0], path) if given else ","
        if not isinstance(value, list) or not all(isinstance(each, str) for each in (between, *value)):
            return Unevaluated()
        # Only the whole text has a place of its own.
        self.lines = {place: line for place, line in self.lines.items() if place[: len(path)] != path or place == path}
        return short(between.join(value)) if sum(map(len, value)) < LONGEST else Unevaluated()

    def _apply(self, name: str, given: list[Node], path: Path) -> Any:
        """What the function of this file answers, with its parameters in place."""
        function = self._functions[name]
        if name in self._busy or len(given) > len(function.parameters):
            return Unevaluated()
        scope: dict[str, Any] = {}
        for place, parameter in enumerate(function.parameters):
            node = given[place] if place < len(given) else parameter.default
            value = self.evaluate(node, path) if node is not None else None
            parts = value if isinstance(value, dict) else {}
            scope |= (
                {each: parts.get(each) for each in parameter.names}
                if parameter.is_pattern
                else {parameter.names[0]: value}
            )
        self._busy.append(name)
        self._scopes.append(scope)
        answer = self.evaluate(function.answer, path)
        self._scopes.pop()
        self._busy.pop()
        return answer

    def ternary(self, node: Node, path: Path) -> Any:
        """The one of two that a condition chooses, if that can be told."""
        condition, chosen = node.child_by_field_name("condition"), None
        truth = self.evaluate(condition, path) if condition is not None else None
        if isinstance(truth, bool):
            chosen = node.child_by_field_name("consequence" if truth else "alternative")
        return self.evaluate(chosen, path) if chosen is not None else Unevaluated()

    def template(self, node: Node, path: Path) -> Any:
        """A text with what its parts stand for."""
        parts: list[str] = []
        length = 0
        for child in node.named_children:
            if child.type == "template_substitution":
                value = self.evaluate(child.named_children[0], path) if child.named_children else None
                if not isinstance(value, str | int) or isinstance(value, bool):
                    return Unevaluated()
                parts.append(str(value))
            else:
                parts.append(read_string(child))
            length += len(parts[-1])
            if length > LONGEST:
                return Unevaluated()
        return "".join(parts)

    def number(self, node: Node, _path: Path) -> Any:
        """A number, in any of the ways in which the language writes one."""
        text = text_of(node).replace("_", "")
        try:
            return int(text, 0) if _INTEGER.fullmatch(text) and len(text) < 20 else float(text)
        except ValueError:
            return Unevaluated()

    def unary(self, node: Node, path: Path) -> Any:
        """A negative number, or the other truth."""
        argument, mark = node.child_by_field_name("argument"), node.child_by_field_name("operator")
        value = self.evaluate(argument, path) if argument is not None else None
        sign = mark.type if mark is not None else ""
        if isinstance(value, bool):
            return not value if sign == "!" else Unevaluated()
        return -value if sign == "-" and isinstance(value, int | float) else Unevaluated()


def text_of(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode(errors="replace")


def _word_of_enum(owner: str, name: str) -> Any:
    """``in_creation`` for ``StabilityEnum.InCreation``, ``@platform.sigil`` for ``OwnersEnum.PlatformSigil``."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    if not re.fullmatch(r"[A-Z][A-Za-z]*", owner) or not words:
        return Unevaluated()
    lowered = [word.lower() for word in words]
    return f"@{'.'.join(lowered)}" if owner.startswith("Owner") else "_".join(lowered)


_READERS: Final[Mapping[str, Callable[[Evaluator, Node, Path], Any]]] = {
    "object": Evaluator.object,
    "array": Evaluator.array,
    "string": lambda _evaluator, node, _path: read_string(node),
    "template_string": Evaluator.template,
    "number": Evaluator.number,
    "true": lambda *_: True,
    "false": lambda *_: False,
    "null": lambda *_: None,
    "undefined": lambda *_: None,
    "identifier": Evaluator.identifier,
    "member_expression": Evaluator.member,
    "subscript_expression": Evaluator.member,
    "binary_expression": Evaluator.binary,
    "call_expression": Evaluator.call,
    "unary_expression": Evaluator.unary,
    "ternary_expression": Evaluator.ternary,
}
