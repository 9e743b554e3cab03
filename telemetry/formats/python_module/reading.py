"""Reading specs from Python source, without running it."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from telemetry.core import enums, spec
from telemetry.core.plain import document_fields
from telemetry.core.shapes import Path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.cursor import Ledger, Unevaluated
from telemetry.formats.documents import read_spec_document
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Imported, SourceFile, invalid, read_text

__all__ = ["NAME", "is_python_module", "read_python_modules"]

NAME: Final = "python"
_DEEPEST: Final = 60
_TYPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    name: type_
    for name in spec.__all__
    if isinstance(type_ := getattr(spec, name), type) and issubclass(type_, msgspec.Struct)
}
_ENUMS: Final[Mapping[str, type[Enum]]] = {name: getattr(enums, name) for name in enums.__all__}


def is_python_module(file: SourceFile, plain: object) -> bool:
    """Whether the file is Python by its name, or text that is no data and imports the types of the core."""
    return file.name.endswith(".py") or (plain is None and b"from telemetry.core.spec import" in file.data)


def read_python_modules(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec for each ``TelemetrySpec`` that a module assigns to a name. ``InvalidDocument`` if a file has none."""
    ledger = Ledger()
    specs: list[TelemetrySpec] = []
    for file in files:
        found = list(_find_specs(file))
        if not found:
            raise invalid("missing_key", "must assign a TelemetrySpec to a name", what=f"file {file.name}")
        for name, value, lines in found:
            place = file.name if len(files) > 1 else ""
            root = ledger.open(value, file=f"{place}#{name}" if len(found) > 1 else place, lines=lines)
            draft = SpecDraft(ledger, root, options)
            read_spec_document(root, draft)
            specs.append(draft.build(name=name))
    names = tuple(file.name for file in files)
    found_names = tuple(each.meta.name for each in specs)
    return Imported(tuple(specs), LossReport(format=NAME, sources=names, specs=found_names, losses=ledger.losses()))


def _find_specs(file: SourceFile) -> Iterator[tuple[str, dict[str, Any], Mapping[Path, int]]]:
    try:
        tree = ast.parse(read_text(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        raise invalid("bad_syntax", f"is not valid Python{line}", what=f"file {file.name}") from None
    constants = dict(_assignments(tree))
    for name, node in constants.items():
        evaluator = _Evaluator(constants)
        if isinstance(node, ast.Call) and _last_name(node.func) == "TelemetrySpec":
            value = evaluator.evaluate(node, ())
            if isinstance(value, dict):
                yield name, value, evaluator.lines


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                yield target.id, value


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


class _Evaluator:
    """Plain data for the expressions of one module; what only running it could tell is ``Unevaluated``."""

    def __init__(self, constants: Mapping[str, ast.expr]) -> None:
        self._constants = constants
        self._busy: list[str] = []
        self.lines: dict[Path, int] = {}

    def evaluate(self, node: ast.expr, path: Path) -> Any:
        """The value that the expression stands for."""
        if len(path) + len(self._busy) > _DEEPEST:
            return Unevaluated()
        self.lines.setdefault(path, node.lineno)
        read = _READERS.get(type(node))
        return read(self, node, path) if read is not None else Unevaluated()

    def constant(self, node: ast.Constant, _path: Path) -> Any:
        """A text, number, truth value or None."""
        return node.value if isinstance(node.value, str | int | float | None) else Unevaluated()

    def name(self, node: ast.Name, path: Path) -> Any:
        """The value of a constant of the module."""
        if node.id in self._busy or node.id not in self._constants:
            return Unevaluated()
        self._busy.append(node.id)
        value = self.evaluate(self._constants[node.id], path)
        self._busy.pop()
        return value

    def attribute(self, node: ast.Attribute, _path: Path) -> Any:
        """The word of a member of an enumeration of the core."""
        enum = _ENUMS.get(_last_name(node.value))
        return enum[node.attr].value if enum is not None and node.attr in enum.__members__ else Unevaluated()

    def sequence(self, node: ast.List | ast.Tuple, path: Path) -> Any:
        """A list."""
        return [self.evaluate(each, (*path, index)) for index, each in enumerate(node.elts)]

    def mapping(self, node: ast.Dict, path: Path) -> Any:
        """An object whose keys are texts."""
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                merged = self.evaluate(value, path)
                found.update(merged if isinstance(merged, dict) else {"**": Unevaluated()})
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                found[key.value] = self.evaluate(value, (*path, key.value))
            else:
                found[ast.unparse(key)[:80]] = Unevaluated()
        return found

    def call(self, node: ast.Call, path: Path) -> Any:
        """The document of a type of the core that is made."""
        type_ = _TYPES.get(_last_name(node.func))
        if type_ is None or node.args:
            return Unevaluated()
        keys = {name: key for name, key, _ in document_fields(type_)}
        found: dict[str, Any] = {}
        for keyword in node.keywords:
            key = keys.get(keyword.arg or "", keyword.arg or "**")
            found[key] = self.evaluate(keyword.value, (*path, key))
        return found

    def negative(self, node: ast.UnaryOp, path: Path) -> Any:
        """A negative number."""
        value = self.evaluate(node.operand, path)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return -value if isinstance(node.op, ast.USub) and is_number else Unevaluated()


_READERS: Final[Mapping[type[ast.expr], Callable[[_Evaluator, Any, Path], Any]]] = {
    ast.Constant: _Evaluator.constant,
    ast.Name: _Evaluator.name,
    ast.Attribute: _Evaluator.attribute,
    ast.List: _Evaluator.sequence,
    ast.Tuple: _Evaluator.sequence,
    ast.Dict: _Evaluator.mapping,
    ast.Call: _Evaluator.call,
    ast.UnaryOp: _Evaluator.negative,
}
