"""Reading telemetry specs from TypeScript, without running it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.contractspec.evaluating import Evaluator, text_of
from telemetry.formats.contractspec.functions import functions_in
from telemetry.formats.cursor import Ledger
from telemetry.formats.documents import read_spec_document
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Imported, SourceFile, invalid, read_text

__all__ = ["NAME", "is_contract_spec", "read_contract_specs"]

NAME: Final = "contractspec"
_TYPE: Final = "TelemetrySpec"
_ENDINGS: Final = (".ts", ".tsx", ".mts", ".cts", ".js", ".mjs")
_LANGUAGES: Final = {
    False: Language(tree_sitter_typescript.language_typescript()),
    True: Language(tree_sitter_typescript.language_tsx()),
}
_REASONS: Final[Mapping[str, str]] = {
    "docId": "links to documents have no place",
    "context": "an event has no documentation beside its semantics",
    "goal": "an event has no documentation beside its semantics",
}


def is_contract_spec(file: SourceFile, plain: object) -> bool:
    """Whether the file is TypeScript by its name, or text that is no data and mentions the type of specs."""
    if file.name.lower().endswith(_ENDINGS):
        return True
    return plain is None and _TYPE.encode() in file.data


def read_contract_specs(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec for each constant of a file that is one. Raises ``InvalidDocument`` if a file has none."""
    ledger = Ledger(reasons=_REASONS)
    specs: list[TelemetrySpec] = []
    for file in files:
        found = list(_find_specs(file))
        if not found:
            message = f"must have a constant of the type {_TYPE}: an object with meta and events"
            raise invalid("missing_key", message, what=f"file {file.name}")
        for name, value, evaluator in found:
            # Constants of one file are told apart by their name.
            place = file.name if len(files) > 1 else ""
            root = ledger.open(value, file=f"{place}#{name}" if len(found) > 1 else place, lines=evaluator.lines)
            for path, reason in evaluator.notes.items():
                root.at(path).remark(reason, target=write_path(path))
            draft = SpecDraft(ledger, root, options)
            read_spec_document(root, draft)
            specs.append(draft.build(name=name))
    names = tuple(file.name for file in files)
    found_names = tuple(spec.meta.name for spec in specs)
    return Imported(tuple(specs), LossReport(format=NAME, sources=names, specs=found_names, losses=ledger.losses()))


def _find_specs(file: SourceFile) -> Iterator[tuple[str, dict[str, Any], Evaluator]]:
    """Names and values of the constants that are specs, with what evaluated them."""
    text = read_text(file)
    tree = Parser(_LANGUAGES[file.name.lower().endswith("x")]).parse(text.encode())
    declared = dict(_constants(tree.root_node))
    constants = {name: value for name, (value, _) in declared.items()}
    enums = dict(_enums(tree.root_node))
    functions = dict(functions_in(tree.root_node, constants))
    for name, (node, type_) in declared.items():
        evaluator = Evaluator(constants, enums, functions)
        value = evaluator.evaluate(node)
        if isinstance(value, dict) and (type_ == _TYPE or {"meta", "events"} <= set(value)) and "meta" in value:
            yield name, value, evaluator


def _statements(root: Node) -> Iterator[Node]:
    for child in root.named_children:
        yield child
        if child.type == "export_statement":
            yield from child.named_children


def _constants(root: Node) -> Iterator[tuple[str, tuple[Node, str]]]:
    """Top-level constants with their values and the names of their types, and what the file exports by default."""
    for statement in _statements(root):
        if statement.type in ("lexical_declaration", "variable_declaration"):
            for each in statement.named_children:
                name, value = each.child_by_field_name("name"), each.child_by_field_name("value")
                type_ = each.child_by_field_name("type")
                if name is not None and value is not None and name.type == "identifier":
                    yield text_of(name), (value, text_of(type_).lstrip(": ") if type_ is not None else "")
        elif statement.type == "export_statement":
            value = statement.child_by_field_name("value")
            if value is not None and value.type != "identifier":
                yield "default", (value, "")


def _enums(root: Node) -> Iterator[tuple[str, Mapping[str, Node]]]:
    for statement in _statements(root):
        name, body = statement.child_by_field_name("name"), statement.child_by_field_name("body")
        if statement.type != "enum_declaration" or name is None or body is None:
            continue
        members: dict[str, Node] = {}
        for member in body.named_children:
            key, value = member.child_by_field_name("name"), member.child_by_field_name("value")
            if key is not None and value is not None:
                members[text_of(key).strip("'\"")] = value
        yield text_of(name), members
