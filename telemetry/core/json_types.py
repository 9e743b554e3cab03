"""What a schema of JSON Schema says about types, and whether a property of a spec can hold such values."""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

from telemetry.core.enums import PropertyType

__all__ = ["admits", "admits_value", "types_of"]

Node = Mapping[str, Any]

_ALL_TYPES: Final = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))
# The types of JSON that values of each type have; json takes every value.
_NATURAL: Final[Mapping[PropertyType, frozenset[str]]] = {
    PropertyType.STRING: frozenset(("string",)),
    PropertyType.TIMESTAMP: frozenset(("string",)),
    PropertyType.NUMBER: frozenset(("number", "integer")),
    PropertyType.BOOLEAN: frozenset(("boolean",)),
}


def types_of(node: Node) -> frozenset[str]:
    """The JSON types that the schema admits, by type and by the list of values; ``number`` comes with ``integer``."""
    said = node.get("type")
    types = _ALL_TYPES if said is None else frozenset((said,) if isinstance(said, str) else said)
    types = types | {"integer"} if "number" in types else types
    return types & {_type_of(value) for value in node["enum"]} if "enum" in node else types


def admits(node: Node, type_: PropertyType) -> bool:
    """Whether a property of this type is a fair declaration of values of the schema; null counts as absent.

    The type has to be among those of the schema. Json is for what no other type can hold: objects, lists, and values
    of several types.
    """
    types = types_of(node) - {"null"}
    if type_ is PropertyType.JSON:
        return not any(types <= natural for natural in _NATURAL.values())
    return bool(types & _NATURAL[type_])


def admits_value(node: Node, value: object) -> bool:
    """Whether the schema admits the value, by its types and the values that it lists; other keywords are not asked."""
    listed = node.get("enum")
    return _type_of(value) in types_of(node) and (listed is None or value in listed)


def _type_of(value: object) -> str:
    """The type of a plain value; a number without fraction is an integer."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    kinds = {str: "string", int: "integer", NoneType: "null", tuple: "array", list: "array"}
    return kinds.get(type(value), "object")
