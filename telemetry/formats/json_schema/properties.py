"""A schema's properties as the properties of an event."""

from collections.abc import Mapping
from typing import Any, Final

from telemetry.core.codec import convert_document
from telemetry.core.enums import PropertyType
from telemetry.core.json_types import types_of
from telemetry.core.spec import MAXIMUM_ALLOWED_VALUES, PropertyDefinition
from telemetry.core.values import PropertyName
from telemetry.formats.json_schema.reading import EventSchema

__all__ = ["properties_of_schema"]

# The longest text of a description, and of an allowed value, that a property takes.
_LONGEST_DESCRIPTION: Final = 4000
_LONGEST_ALLOWED: Final = 200
# Types of JSON without null, and the one type of ours that takes just these.
_TYPES: Final[Mapping[frozenset[str], PropertyType]] = {
    frozenset(("string",)): PropertyType.STRING,
    frozenset(("boolean",)): PropertyType.BOOLEAN,
    frozenset(("integer",)): PropertyType.NUMBER,
    frozenset(("number", "integer")): PropertyType.NUMBER,
}


def properties_of_schema(schema: EventSchema) -> dict[str, PropertyDefinition]:
    """The properties of the event, in the order of the schema.

    Objects, lists and unions are of type json; text with the format ``date-time`` is a timestamp; a property that may
    be null is not required, unless it is json. A list of values becomes the allowed values. Bounds, patterns and what
    is inside objects are left out: a property has no place for them. Raises ``InvalidDocument`` if a name cannot be
    that of a property.
    """
    required = schema.root.get("required", ())
    plain = {
        name: _definition(node if isinstance(node, Mapping) else {}, name in required)
        for name, node in schema.root.get("properties", {}).items()
    }
    return convert_document(plain, dict[PropertyName, PropertyDefinition], what="JSON schema")


def _definition(node: Mapping[str, Any], is_listed: bool) -> dict[str, Any]:
    type_ = _type(node)
    definition: dict[str, Any] = {"type": type_.value}
    if is_listed and (type_ is PropertyType.JSON or "null" not in types_of(node)):
        definition["required"] = True
    if node.get("description", "").strip():
        definition["description"] = node["description"][:_LONGEST_DESCRIPTION]
    allowed = _allowed_values(node, type_)
    if allowed:
        definition["allowedValues"] = allowed
    return definition


def _type(node: Mapping[str, Any]) -> PropertyType:
    type_ = _TYPES.get(types_of(node) - {"null"}, PropertyType.JSON)
    is_instant = type_ is PropertyType.STRING and node.get("format") == "date-time"
    return PropertyType.TIMESTAMP if is_instant else type_


def _allowed_values(node: Mapping[str, Any], type_: PropertyType) -> list[Any]:
    """The values that are listed, when a property of this type can list them."""
    kinds = {PropertyType.STRING: (str,), PropertyType.NUMBER: (int, float)}.get(type_)
    values = [value for value in node.get("enum", ()) if value is not None]
    if kinds is None or len(values) > MAXIMUM_ALLOWED_VALUES:
        return []
    fits = all(type(value) in kinds and len(str(value)) <= _LONGEST_ALLOWED for value in values)
    return values if fits else []
