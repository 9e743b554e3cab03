"""The properties of an event from the JSON Schema of its payload; what a property has no place for is reported."""

from collections.abc import Iterator, Mapping
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.formats.building import PropertyDraft, PropertySet
from telemetry.formats.cursor import Cursor
from telemetry.formats.fitting import allowed_values
from telemetry.formats.json_schema.extension import EXTENSION, read_property_extension
from telemetry.formats.json_schema.views import SchemaView

__all__ = ["KEYWORD_REASONS", "add_properties", "read_property"]

_LENGTHS: Final = "lengths of values are not checked"
_BOUNDS: Final = "bounds of numbers are not checked"
_INSIDE: Final = "what is inside a json value is not described"
_COMBINED: Final = "a property has one type, and json takes every value"
_CLOSED: Final = "what an event does not declare is dropped and reported, whatever a schema says"
_NAMES: Final = "it names the schema or its language, not what it says"
_NULL: Final = "null counts as left out"
# Why keywords have no place, where nobody has said it already.
KEYWORD_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("$schema", "$id", "id", "$anchor", "$comment", "$vocabulary"), _NAMES),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _LENGTHS),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _BOUNDS),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames"), _CLOSED),
    **dict.fromkeys(("if", "then", "else", "not", "dependencies", "dependentRequired", "dependentSchemas"), _COMBINED),
    **dict.fromkeys(("oneOf", "anyOf", "allOf"), _COMBINED),
    **dict.fromkeys(("default", "example", "examples"), "values that serve as examples have no place"),
    **dict.fromkeys(("readOnly", "writeOnly", "deprecated"), "only events can be deprecated"),
    **dict.fromkeys(("$defs", "definitions"), "no event refers to it"),
    **dict.fromkeys(("items", "contains", "additionalItems", "uniqueItems"), _INSIDE),
    "pattern": "values are not checked against patterns",
    "format": "only the format date-time is a type of its own",
    "enum": "the values cannot be listed for a property of this type",
    "const": "the value cannot be listed for a property of this type",
    "title": "the description says what it is",
}
# As in EventSpecs that are written as schemas.
PII_KEYWORD: Final = "x-pii"
_TYPES: Final[Mapping[str, PropertyType]] = {
    "string": PropertyType.STRING,
    "number": PropertyType.NUMBER,
    "integer": PropertyType.NUMBER,
    "boolean": PropertyType.BOOLEAN,
    "object": PropertyType.JSON,
    "array": PropertyType.JSON,
}
_INNER: Final = ("properties", "items", "required", "additionalProperties", "patternProperties")


def add_properties(view: SchemaView, properties: PropertySet) -> None:
    """The set has a property for each one of the schema, and for each one that it requires without describing it."""
    required: dict[str, Cursor] = {}
    for cursor in view.items("required"):
        if isinstance(cursor.value, str):
            required.setdefault(cursor.value, cursor)
    described = list(view.fields("properties"))
    properties.reserve([*(name for name, _ in described), *required])
    for name, schema in described:
        definition = properties.add(name, schema)
        if definition is not None:
            read_property(SchemaView(schema, view.root), definition, required.pop(name, None))
    for name, cursor in required.items():
        definition = properties.add(name, cursor)
        if definition is not None:
            cursor.approximate("it is required without being described; any value is taken", target=definition.target)
            definition.plain["required"] = True


def read_property(view: SchemaView, definition: PropertyDraft, required: Cursor | None) -> None:
    """Fill the property; ``required`` is the entry that requires it, if one does."""
    if view.cursor.value == {} or view.cursor.value is True:
        view.cursor.take()
    constants, nulls = _join_alternatives(view)
    listed = [*_listed(view), *constants]
    type_ = _read_type(view, [cursor for cursor in listed if cursor.value is not None], definition.target)
    definition.plain["type"] = type_.value
    nulls += [cursor for cursor in _said_types(view) if cursor.word == "null"]
    nulls += [cursor for cursor in listed if cursor.value is None]
    values = allowed_values(listed, type_, target=definition.target)
    if values:
        definition.plain["allowedValues"] = values
    _take_nulls(nulls, type_, definition.target)
    _require(required, type_, is_nullable=bool(nulls), definition=definition)
    _describe(view, definition)
    if type_ is PropertyType.JSON:
        for keyword in _INNER:
            view.drop(keyword, _INSIDE)
    marked = view.get(PII_KEYWORD)
    if marked is not None and isinstance(marked.value, bool):
        definition.put("pii", marked)
    read_property_extension(view.get(EXTENSION), definition)


def _join_alternatives(view: SchemaView) -> tuple[list[Cursor], list[Cursor]]:
    """The constants and the nulls among the alternatives of the schema; a single other one becomes part of it."""
    constants: list[Cursor] = []
    nulls: list[Cursor] = []
    for keyword in ("oneOf", "anyOf"):
        others: list[Cursor] = []
        for each in view.items(keyword):
            null = _null_in(each)
            nulls.extend([null] if null is not None else [])
            others.extend([each] if null is None else [])
        if len(others) == 1:
            view.extend(others[0])
        elif all(_constants_of(each) for each in others):
            constants += [constant for each in others for constant in _constants_of(each)]
        else:
            view.drop(keyword, _COMBINED)
    return constants, nulls


def _null_in(schema: Cursor) -> Cursor | None:
    """Where a schema that admits null alone says so."""
    constant = schema.get("const")
    if constant is not None and constant.value is None:
        return constant
    said = schema.get("type")
    return said if said is not None and said.value == "null" else None


def _constants_of(schema: Cursor) -> list[Cursor]:
    constant, listed = schema.get("const"), schema.get("enum")
    return [constant] if constant is not None else list(listed.items()) if listed is not None else []


def _listed(view: SchemaView) -> Iterator[Cursor]:
    constant = view.get("const")
    if constant is not None:
        yield constant
    yield from view.items("enum")


def _said_types(view: SchemaView) -> list[Cursor]:
    said = view.get("type")
    if said is None:
        return []
    return list(said.items()) if said.kind == "list" else [said]


def _read_type(view: SchemaView, listed: list[Cursor], target: str) -> PropertyType:
    """The one type of ours that takes all values that the schema takes."""
    said = [cursor for cursor in _said_types(view) if cursor.word in _TYPES]
    types = {_TYPES[cursor.word] for cursor in said}
    if len(types) > 1:
        for cursor in said:
            cursor.approximate(_COMBINED, target=f"{target}.type")
        return PropertyType.JSON
    if not said:
        return _type_of_values(listed)
    for cursor in said:
        _take_type(cursor, {each.word for each in said}, target)
    return _refine(view, types.pop())


def _take_type(cursor: Cursor, words: set[str], target: str) -> None:
    if cursor.value == "integer" and "number" not in words:
        cursor.approximate("every number is taken, not only whole ones", target=f"{target}.type")
    elif cursor.value in ("object", "array"):
        cursor.approximate("json takes any value", target=f"{target}.type")
    else:
        cursor.take()


def _type_of_values(listed: list[Cursor]) -> PropertyType:
    """Without a type, what the listed values are."""
    kinds = {cursor.kind for cursor in listed}
    return {"text": PropertyType.STRING, "number": PropertyType.NUMBER, "boolean": PropertyType.BOOLEAN}.get(
        kinds.pop() if len(kinds) == 1 else "", PropertyType.JSON
    )


def _refine(view: SchemaView, type_: PropertyType) -> PropertyType:
    """Text of the format of instants is a timestamp."""
    format_ = view.get("format")
    if type_ is PropertyType.STRING and format_ is not None and format_.value == "date-time":
        format_.take()
        return PropertyType.TIMESTAMP
    return type_


def _take_nulls(nulls: list[Cursor], type_: PropertyType, target: str) -> None:
    for cursor in nulls:
        if type_ is PropertyType.JSON:
            cursor.take()
        else:
            cursor.approximate(_NULL, target=target)


def _require(required: Cursor | None, type_: PropertyType, *, is_nullable: bool, definition: PropertyDraft) -> None:
    if required is None:
        return
    if is_nullable and type_ is not PropertyType.JSON:
        required.approximate(f"the value may be null, and {_NULL}", target=f"{definition.target}.required")
    else:
        definition.put("required", required, True)


def _describe(view: SchemaView, definition: PropertyDraft) -> None:
    """The description, or else the title."""
    description, title = view.get("description"), view.get("title")
    definition.describe(description)
    if "description" not in definition.plain and title is not None and title.value:
        title.approximate("the title became the description", target=f"{definition.target}.description")
        definition.describe(title)
