"""Whether plain data is a JSON Schema as far as we read it: keywords have values of the right kind, at any depth."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from telemetry.core.documents import MAXIMUM_DEPTH, RepeatedKeys
from telemetry.core.errors import FieldError
from telemetry.core.shapes import Path, write_path

__all__ = ["check_schema"]

# A level of an event is two levels of its schema: "properties", and the name.
_DEEPEST: Final = 2 * MAXIMUM_DEPTH
_TYPES: Final = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))
# Keywords that hold schemas by name, one schema, and a list of schemas; "items" may be one or a list.
_BY_NAME: Final = ("properties", "patternProperties", "definitions", "$defs")
_SINGLE: Final = ("additionalProperties", "items", "not")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "items")


def check_schema(root: object) -> tuple[FieldError, ...]:
    """Every broken rule of the data as the schema of an event; codes as in ``telemetry.core.shapes``."""
    if _is_too_deep(root):
        return (FieldError("too_deep", "", f"must be at most {_DEEPEST} levels deep"),)
    if isinstance(root, bool):
        return (FieldError("wrong_type", "", "must be an object: a schema"),)
    return tuple(_errors(root, ()))


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for each in level for item in _items(each)]
    return bool(level)


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _errors(schema: object, path: Path) -> Iterator[FieldError]:
    # As a schema, true admits everything and false nothing.
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield FieldError("wrong_type", write_path(path), "must be an object: a schema")
        return
    for key in schema.repeated if isinstance(schema, RepeatedKeys) else ():
        yield FieldError("duplicate_key", write_path((*path, key)), "this key occurs more than once")
    for keyword, (is_right, message) in _KEYWORDS.items():
        if keyword in schema and not is_right(schema[keyword]):
            yield FieldError("wrong_type", write_path((*path, keyword)), message)
    for place, inner in _inner_schemas(schema):
        yield from _errors(inner, path + place)


def _inner_schemas(schema: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    for keyword in _BY_NAME:
        named = schema.get(keyword)
        if isinstance(named, dict):
            yield from (((keyword, name), inner) for name, inner in named.items())
    for keyword in _LISTS:
        listed = schema.get(keyword)
        if isinstance(listed, list):
            yield from (((keyword, position), inner) for position, inner in enumerate(listed))
    for keyword in _SINGLE:
        if keyword in schema and not isinstance(schema[keyword], list):
            yield (keyword,), schema[keyword]


def _is_type(value: object) -> bool:
    words = value if isinstance(value, list) else [value]
    return bool(words) and all(isinstance(word, str) and word in _TYPES for word in words)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_bound(value: object) -> bool:
    """In draft 4, the exclusive bounds are switches for the bounds beside them."""
    return isinstance(value, bool) or _is_number(value)


def _is_divisor(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and value > 0


Kind = tuple[Callable[[object], bool], str]
_TEXT: Final[Kind] = (lambda value: isinstance(value, str), "must be text")
_NUMBER: Final[Kind] = (_is_number, "must be a finite number")
_SCHEMAS_BY_NAME: Final[Kind] = (lambda value: isinstance(value, dict), "must be an object: schemas by name")
_KEYWORDS: Final[Mapping[str, Kind]] = {
    "type": (_is_type, "must be a JSON type, or a list of them"),
    # Draft 3 wrote a truth value into the property itself, with another meaning.
    "required": (_is_names, "must be a list of names"),
    "enum": (lambda value: isinstance(value, list), "must be a list of values"),
    "uniqueItems": (lambda value: isinstance(value, bool), "must be true or false"),
    "multipleOf": (_is_divisor, "must be a number above 0"),
    "exclusiveMinimum": (_is_bound, "must be a number, or in draft 4 true or false"),
    "exclusiveMaximum": (_is_bound, "must be a number, or in draft 4 true or false"),
    **dict.fromkeys(("title", "description", "format", "pattern"), _TEXT),
    **dict.fromkeys(("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"), _NUMBER),
    **dict.fromkeys(("minProperties", "maxProperties"), _NUMBER),
    **dict.fromkeys(_BY_NAME, _SCHEMAS_BY_NAME),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), (lambda value: isinstance(value, list), "must be a list of schemas")),
}
