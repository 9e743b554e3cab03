"""One event from a JSON Schema of its payload, and back."""

from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.formats.building import EventDraft
from telemetry.formats.cursor import Cursor
from telemetry.formats.describing import split_description
from telemetry.formats.json_schema.extension import EXTENSION, read_event_extension
from telemetry.formats.json_schema.importing import add_properties
from telemetry.formats.json_schema.views import SchemaView

__all__ = ["read_payload", "write_payload", "write_properties"]

_TYPES: Final[dict[str, dict[str, str]]] = {
    PropertyType.STRING: {"type": "string"},
    PropertyType.NUMBER: {"type": "number"},
    PropertyType.BOOLEAN: {"type": "boolean"},
    PropertyType.TIMESTAMP: {"type": "string", "format": "date-time"},
    PropertyType.JSON: {},
}


def read_payload(view: SchemaView, event: EventDraft) -> None:
    """The event has the properties that the schema describes, and what our extension says of it."""
    said = view.get("type")
    for cursor in [said] if said is not None and said.kind == "text" else view.items("type"):
        if cursor.value == "object":
            cursor.take()
        elif cursor.value == "null":
            cursor.approximate("an event always has its properties", target=event.target)
    add_properties(view, event.properties)
    read_event_extension(view.get(EXTENSION), event)


def write_payload(event: Cursor, *, is_extended: bool) -> dict[str, Any]:
    """The JSON Schema of the event's properties; with our extension, it says all that the event says."""
    schema = {"type": "object", **write_properties(event.get("properties"), is_extended=is_extended)}
    extension = _rest(event, ("name", "version", "semantics", "properties")) if is_extended else {}
    semantics = _unspoken_semantics(event) if is_extended else {}
    if semantics:
        extension["semantics"] = semantics
    return {**schema, EXTENSION: extension} if extension else schema


def write_properties(properties: Cursor | None, *, is_extended: bool) -> dict[str, Any]:
    """The keywords ``properties`` and, if one is, ``required``."""
    fields = list(properties.fields()) if properties is not None else []
    written = {name: _write_property(each, is_extended=is_extended) for name, each in fields}
    required = [name for name, each in fields if _take_flag(each.get("required"))]
    return {"properties": written, "required": required} if required else {"properties": written}


def _write_property(definition: Cursor, *, is_extended: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    type_ = definition.get("type")
    if type_ is not None:
        schema |= _TYPES[type_.take()]
    description = definition.get("description")
    if description is not None:
        schema["description"] = description.take()
    values = _write_values(definition.get("allowedValues"))
    if values:
        schema["enum"] = values
    said = ("type", "required", "description", "allowedValues")
    extension = _rest(definition, said) if is_extended else {}
    return {**schema, EXTENSION: extension} if extension else schema


def _write_values(listed: Cursor | None) -> list[Any]:
    values: list[Any] = []
    for cursor in listed.items() if listed is not None else ():
        if cursor.value not in values:
            values.append(cursor.value)
    if listed is not None and len(values) < len(listed.value):
        listed.approximate("each value is listed once")
    elif listed is not None:
        listed.take()
    return values


def _rest(cursor: Cursor, said: tuple[str, ...]) -> dict[str, Any]:
    return {key: each.take() for key, each in cursor.fields() if key not in said}


def _unspoken_semantics(event: Cursor) -> dict[str, Any]:
    """What the description, which is what happened, does not say; all of it, if the reader would part the text."""
    semantics = event.get("semantics")
    if semantics is None:
        return {}
    whole: dict[str, Any] = semantics.take()
    if split_description(whole["what"]) != (whole["what"], ""):
        return whole
    return {key: text for key, text in whole.items() if key != "what"}


def _take_flag(cursor: Cursor | None) -> bool:
    return cursor is not None and bool(cursor.take())
