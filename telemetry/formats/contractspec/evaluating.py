"""The plain data that a TypeScript expression stands for, as far as that can be told without running it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tree_sitter import Node

from telemetry.core.shapes import Path
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
_ENVIRONMENTS: Final = ("process.env", "import.meta.env", "Deno.env", "Bun.env")


class Evaluator:
    """Evaluates expressions of one file.

    ``constants`` are the expressions of its top-level constants, ``enums`` the members of its enumerations, each by
    name. By path, ``lines`` say where parts of the value begin, ``notes`` what was guessed; parts that nobody can
    tell are ``Unevaluated``.
    """

    def __init__(self, constants: Mapping[str, Node], enums: Mapping[str, Mapping[str, Node]]) -> None:
        self._constants = constants
        self._enums = enums
        self._busy: list[str] = []
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
        """The value of a constant of this file."""
        name = text_of(node)
        if name in self._busy or name not in self._constants:
            return Unevaluated()
        self._busy.append(name)
        value = self.evaluate(self._constants[name], path)
        self._busy.pop()
        return value

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
        if target is not None and text_of(target) in self._constants:
            value = self.evaluate(target, path)
            return value.get(name, Unevaluated()) if isinstance(value, dict) else Unevaluated()
        if owner != "StabilityEnum":
            self.notes[path] = "the enumeration is not in this file; the value is made of the member's name"
        return _word_of_enum(owner, name)

    def binary(self, node: Node, path: Path) -> Any:
        """Texts that are added, and the first of two of which one is for want of the other."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return Unevaluated()
        first = self.evaluate(left, path)
        if operator.type in ("??", "||") and isinstance(first, str) and first:
            self.notes[path] = "what stands in for a missing value is left out"
            return first
        second = self.evaluate(right, path)
        if operator.type == "+" and isinstance(first, str) and isinstance(second, str):
            return first + second
        return Unevaluated()

    def call(self, node: Node, path: Path) -> Any:
        """What a function is given, if that is one object: functions that define specs answer what they are given."""
        arguments = node.child_by_field_name("arguments")
        given = (
            [child for child in arguments.named_children if child.type != "comment"] if arguments is not None else []
        )
        value = self.evaluate(given[0], path) if len(given) == 1 else None
        return value if isinstance(value, dict) else Unevaluated()

    def template(self, node: Node, path: Path) -> Any:
        """A text with what its parts stand for."""
        parts: list[str] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                value = self.evaluate(child.named_children[0], path) if child.named_children else None
                if not isinstance(value, str | int) or isinstance(value, bool):
                    return Unevaluated()
                parts.append(str(value))
            else:
                parts.append(read_string(child))
        return "".join(parts)

    def number(self, node: Node, _path: Path) -> Any:
        """A number, in any of the ways in which the language writes one."""
        text = text_of(node).replace("_", "")
        try:
            return int(text, 0) if _INTEGER.fullmatch(text) and len(text) < 20 else float(text)
        except ValueError:
            return Unevaluated()

    def unary(self, node: Node, path: Path) -> Any:
        """A negative number."""
        argument, operator = node.child_by_field_name("argument"), node.child_by_field_name("operator")
        value = self.evaluate(argument, path) if argument is not None else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return Unevaluated()
        return -value if operator is not None and operator.type == "-" else Unevaluated()


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
}
