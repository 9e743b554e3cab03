"""Functions of a file that answer one expression: what they are given, and what they answer."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tree_sitter import Node

__all__ = ["Function", "Parameter", "function_of", "functions_in"]

_KINDS = ("arrow_function", "function_expression", "function_declaration")


class Parameter(NamedTuple):
    """A parameter: its name, or the names that it takes out of an object, and what stands in for a missing value."""

    names: tuple[str, ...]
    is_pattern: bool
    default: Node | None


class Function(NamedTuple):
    """A function whose body is one expression."""

    parameters: tuple[Parameter, ...]
    answer: Node


def functions_in(root: Node, constants: Mapping[str, Node]) -> Iterator[tuple[str, Function]]:
    """The functions of a file by name: declared ones, and constants; those that do more than answer are left out."""
    declared = [child for statement in root.named_children for child in (statement, *statement.named_children)]
    named = [(each.child_by_field_name("name"), each) for each in declared if each.type == "function_declaration"]
    found = [*((_text(name), node) for name, node in named if name is not None), *constants.items()]
    for name, node in found:
        function = function_of(node)
        if function is not None:
            yield name, function


def function_of(node: Node) -> Function | None:
    """The function that the node is; ``None`` for anything else, and for one that does more than answer."""
    body = node.child_by_field_name("body")
    if node.type not in _KINDS or body is None:
        return None
    answer = _answer_of(body)
    parameters = list(_parameters_of(node))
    known = [each for each in parameters if each is not None]
    return Function(tuple(known), answer) if answer is not None and len(known) == len(parameters) else None


def _answer_of(body: Node) -> Node | None:
    if body.type != "statement_block":
        return body
    statements = [child for child in body.named_children if child.type != "comment"]
    if len(statements) != 1 or statements[0].type != "return_statement" or not statements[0].named_children:
        return None
    return statements[0].named_children[0]


def _parameters_of(node: Node) -> Iterator[Parameter | None]:
    """Each parameter, ``None`` for one that is written in another way."""
    single, several = node.child_by_field_name("parameter"), node.child_by_field_name("parameters")
    if single is not None:
        yield Parameter((_text(single),), is_pattern=False, default=None)
    for child in several.named_children if several is not None else ():
        pattern = child.child_by_field_name("pattern")
        if child.type == "comment":
            continue
        yield None if pattern is None else _parameter(pattern, child.child_by_field_name("value"))


def _parameter(pattern: Node, default: Node | None) -> Parameter | None:
    if pattern.type == "identifier":
        return Parameter((_text(pattern),), is_pattern=False, default=default)
    names = [_text(each) for each in pattern.named_children if each.type == "shorthand_property_identifier_pattern"]
    if pattern.type != "object_pattern" or len(names) != len(pattern.named_children):
        return None
    return Parameter(tuple(names), is_pattern=True, default=default)


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
