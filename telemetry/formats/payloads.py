"""Schemas of whole calls, as Segment and RudderStack have them, with the schema of the payload inside."""

from typing import Any, Final

from telemetry.formats.building import EventDraft, PropertySet, SpecDraft
from telemetry.formats.cursor import Cursor
from telemetry.formats.describing import join_description
from telemetry.formats.json_schema.events import read_payload, write_payload, write_properties
from telemetry.formats.json_schema.importing import add_properties
from telemetry.formats.json_schema.views import SchemaView

__all__ = [
    "KINDS",
    "kind_of_event",
    "name_of_call",
    "read_call_schema",
    "read_common_schema",
    "read_rule",
    "write_call_schema",
    "write_common_schema",
    "write_description",
    "write_labels",
]

# The kinds of calls that are no tracked events; the studio names their events by the kind.
KINDS: Final = ("identify", "group", "page", "screen", "alias")
# The parts of a call. A plan of Segment may also have the payload's properties at the top, without these.
_PARTS: Final = ("context", "traits", "properties")
_AROUND: Final = (*_PARTS, "type", "event", "userId", "anonymousId", "groupId", "messageId", "timestamp", "name")
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_OTHER_PART: Final = "an event has the properties of one part of a call"


def name_of_call(kind: str, name: str) -> str:
    """What the studio calls the event of such a call: a tracked one by its name, others by their kind."""
    if kind not in KINDS:
        return name
    return f"{kind} {name}" if name.strip() and name.strip().lower() != kind else kind


def kind_of_event(name: str) -> tuple[str, str]:
    """The kind and the name of the call that such an event stands for; the reverse of reading."""
    kind, _, rest = name.partition(" ")
    return (kind, rest) if kind in KINDS else ("track", name)


def read_rule(rule: Cursor, *, key: Cursor | None, kind: str, schema: Cursor | None, draft: SpecDraft) -> EventDraft:
    """A new event from a rule: its name stands at ``key``, the schema of its call at ``schema``."""
    said = str(key.take()) if key is not None and isinstance(key.value, str) else ""
    name = name_of_call(kind, said)
    version = draft.version_of(rule.get("version"), target=f"{draft.next_target}.version")
    event = draft.add_event(name, version, key or rule)
    if said and name != said:
        (key or rule).rename(said, name, "the studio names such calls by their kind", target=f"{event.target}.name")
    description = rule.get("description")
    if schema is not None:
        inner = schema.get("description")
        event.describe(description if description is not None and description.value else inner)
        if inner is not None and description is not None and inner.value == description.value:
            inner.take()
        _take_metadata(schema, said, word=kind.upper())
        read_call_schema(schema, kind, event, draft.context)
    else:
        event.describe(description)
    for labels in filter(None, (rule.get("labels"), schema.get("labels") if schema is not None else None)):
        _read_labels(labels, event)
    return event


def _take_metadata(schema: Cursor, name: str, *, word: str) -> None:
    """What repeats the rule's own name and type is said already."""
    for key, value in (("name", name), ("type", word)):
        cursor = schema.find("eventMetadata", key)
        if cursor is not None and cursor.value == value:
            cursor.take()


def _read_labels(labels: Cursor, event: EventDraft) -> None:
    """The label privacy is the event's level, if it names one; other labels are tags."""
    if labels.is_leaf and labels.kind == "object":
        labels.take()
    for name, cursor in labels.fields():
        if name == "privacy":
            event.protect(cursor)
        elif isinstance(cursor.value, str):
            event.tag(cursor, f"{name}:{cursor.value}" if cursor.value else name)


def read_call_schema(schema: Cursor, kind: str, event: EventDraft, context: PropertySet) -> None:
    """The event has the properties that the schema of its call describes."""
    root = schema
    view = SchemaView(schema, root)
    if not _has_parts(view):
        read_payload(view, event)
        return
    part = _payload_part(kind)
    for name, each in view.fields("properties"):
        if name == part:
            read_payload(SchemaView(each, root), event)
        elif name == "context":
            _read_context(SchemaView(each, root), part, event, context)
        elif each.is_leaf and each.kind == "object":
            each.take()
        else:
            each.drop(_OTHER_PART)
    said = view.get("type")
    if said is not None and said.value == "object":
        said.take()
    for required in view.items("required"):
        if required.value == part:
            required.approximate("an event always has its properties", target=event.target)


def _read_context(view: SchemaView, part: str, event: EventDraft, context: PropertySet) -> None:
    """Properties of the context; the traits of a person may stand among them."""
    said = view.get("type")
    if said is not None and said.value == "object":
        said.take()
    traits = view.cursor.find("properties", "traits")
    if part == "traits" and traits is not None:
        read_payload(SchemaView(traits, view.root), event)
    else:
        add_properties(view, context)


def _payload_part(kind: str) -> str:
    return "traits" if kind in ("identify", "group") else "properties"


def read_common_schema(schema: Cursor, context: PropertySet) -> None:
    """The context has the properties that a schema describes for the context of every call."""
    view = SchemaView(schema, schema)
    for name, each in view.fields("properties"):
        if name == "context":
            add_properties(SchemaView(each, schema), context)
        elif each.is_leaf and each.kind == "object":
            each.take()
        else:
            each.drop("properties belong to one event")


def _has_parts(view: SchemaView) -> bool:
    """Whether the schema is one of a whole call: its properties are the parts of calls, and those are objects."""
    found = [(name, each) for part in SchemaView.look(view.cursor, view.root) for name, each in _fields_of(part)]
    names = [name for name, _ in found]
    are_parts = all(name in _AROUND for name in names) and any(name in _PARTS for name in names)
    return are_parts and all(_is_object(each) for name, each in found if name in _PARTS)


def _fields_of(part: Cursor) -> list[tuple[str, Cursor]]:
    properties = part.get("properties")
    return list(properties.fields()) if properties is not None else []


def _is_object(schema: Cursor) -> bool:
    if schema.kind != "object":
        return False
    said = schema.get("type")
    types = [] if said is None else said.value if said.kind == "list" else [said.value]
    return not types or "object" in types


def write_call_schema(event: Cursor, kind: str) -> dict[str, Any]:
    """The schema of the call that the event stands for; both vendors write draft 7."""
    part = _payload_part(kind)
    parts = {name: {"type": "object"} for name in _PARTS}
    parts[part] = write_payload(event, is_extended=False)
    return {"$schema": _DIALECT, "type": "object", "properties": parts, "required": [part]}


def write_common_schema(context: Cursor) -> dict[str, Any]:
    """The schema of the context of every call."""
    inner = {"type": "object", **write_properties(context, is_extended=False)}
    return {"$schema": _DIALECT, "type": "object", "properties": {"context": inner}}


def write_description(event: Cursor) -> str:
    """What happened and why, as one text."""
    what, why = event.find("semantics", "what"), event.find("semantics", "why")
    text, is_same = join_description(*(str(each.value) if each is not None else "" for each in (what, why)))
    for cursor in filter(None, (what, why)):
        if is_same:
            cursor.take()
        else:
            cursor.approximate("what and why are one text, and readers part it elsewhere")
    return text


def write_labels(event: Cursor) -> dict[str, str]:
    """The event's level and those of its tags that labels can hold: the words before their first colon differ."""
    labels: dict[str, str] = {}
    privacy, tags = event.get("privacy"), event.get("tags")
    if privacy is not None:
        labels["privacy"] = privacy.take()
    for tag in tags.items() if tags is not None else ():
        name, colon, value = str(tag.value).partition(":")
        if name not in labels and (value or not colon):
            labels[name] = value
            tag.take()
    return labels
