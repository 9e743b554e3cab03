"""JSON Schema as a format of whole plans: a schema per event, alone, in a list, as alternatives, or as definitions."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import fit_text
from telemetry.formats.json_schema.events import read_payload, write_payload
from telemetry.formats.json_schema.extension import EXTENSION, read_spec_extension
from telemetry.formats.json_schema.importing import KEYWORD_REASONS
from telemetry.formats.json_schema.views import SchemaView
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Exported, Imported, SourceFile, invalid, read_plain

__all__ = ["is_json_schema", "read_json_schemas", "write_json_schema"]

NAME: Final = "json-schema"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_GROUPS: Final = ("oneOf", "anyOf", "$defs", "definitions")


class _Found(NamedTuple):
    """A schema of an event, what it is called where it stands, and the document that its references lead into."""

    schema: Cursor
    name: str
    root: Cursor


def is_json_schema(_file: SourceFile, plain: object) -> bool:
    """Whether the data looks like the schema of an event, or of several."""
    if not isinstance(plain, dict):
        return isinstance(plain, list) and bool(plain) and all(is_json_schema(_file, each) for each in plain)
    dialect = plain.get("$schema")
    is_named = isinstance(dialect, str) and "json-schema.org" in dialect
    return is_named or isinstance(plain.get("properties"), dict) or any(key in plain for key in _GROUPS)


def read_json_schemas(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec with an event for each schema of the files. Raises ``InvalidDocument`` if a file holds none."""
    ledger = Ledger(reasons=KEYWORD_REASONS)
    roots = [(file, ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")) for file in files]
    draft = SpecDraft(ledger, roots[0][1], options)
    for file, root in roots:
        found = list(_find_schemas(root, file.stem))
        extension = root.get(EXTENSION)
        if not found and extension is None:
            raise invalid("wrong_type", "must be a JSON Schema of an object, or several", what=f"file {file.name}")
        if len(files) == 1 and (not found or found[0].schema.path != root.path):
            read_spec_extension(extension, draft)
            draft.title(root.get("title"))
            draft.meta.update(_description(root))
        for each in found:
            _read_event(each, draft)
    spec = draft.build(name=files[0].stem)
    names = tuple(file.name for file in files)
    return Imported((spec,), LossReport(format=NAME, sources=names, specs=(spec.meta.name,), losses=ledger.losses()))


def _description(root: Cursor) -> dict[str, str]:
    text = fit_text(root.get("description"), target="meta.description")
    return {"description": text} if text else {}


def _find_schemas(root: Cursor, name: str) -> Iterator[_Found]:
    if root.kind == "list":
        for each in root.items():
            yield from _find_schemas(each, f"{name}_{each.path[-1]}")
    elif root.get("properties") is not None or _is_object(root) or _is_combined_object(root):
        yield _Found(root, name, root)
    else:
        yield from _find_in_groups(root)


def _find_in_groups(root: Cursor) -> Iterator[_Found]:
    """Alternatives are events; where there are none, definitions of objects are."""
    for keyword in _GROUPS:
        group = root.get(keyword)
        if group is None:
            continue
        entries = [(_name_of_reference(each), each) for each in group.items()] or list(group.fields())
        found = [_Found(each, name, root) for name, each in entries if _describes_object(each, root)]
        if found:
            yield from found
            return


def _is_combined_object(root: Cursor) -> bool:
    """Whether the document is one schema that is put together from others, rather than a set of them."""
    is_set = root.get("oneOf") is not None or root.get("anyOf") is not None
    is_combined = root.get("allOf") is not None or root.get("$ref") is not None
    return is_combined and not is_set and _describes_object(root, root)


def _is_object(schema: Cursor) -> bool:
    said = schema.get("type")
    return said is not None and (said.value == "object" or (said.kind == "list" and "object" in said.value))


def _describes_object(schema: Cursor, root: Cursor) -> bool:
    return any(part.get("properties") is not None or _is_object(part) for part in SchemaView.look(schema, root))


def _name_of_reference(schema: Cursor) -> str:
    reference = schema.get("$ref")
    text = reference.value if reference is not None else ""
    return text.rpartition("/")[2] if isinstance(text, str) and text else f"event_{schema.path[-1]}"


def _read_event(found: _Found, draft: SpecDraft) -> None:
    view = SchemaView(found.schema, found.root)
    extension = view.get(EXTENSION)
    name, cursor = _name_of(view, extension, found)
    said = extension.get("version") if extension is not None else None
    version = draft.version_of(said, target=f"{draft.next_target}.version")
    event = draft.add_event(name, version, cursor)
    event.describe(view.get("description"))
    read_payload(view, event)


def _name_of(view: SchemaView, extension: Cursor | None, found: _Found) -> tuple[str, Cursor]:
    """The event's name: as our extension says, or the title, or the last word of the schema's address or place."""
    said = (extension.get("name") if extension is not None else None, view.get("title"), view.get("$id"))
    for cursor in said:
        if cursor is not None and isinstance(cursor.value, str) and cursor.value.strip(" /#"):
            text = str(cursor.take())
            return (
                (re.sub(r"(\.schema)?\.json$", "", text.rstrip("/#").rpartition("/")[2]), cursor)
                if (cursor is said[2])
                else (text, cursor)
            )
    return found.name, found.schema


def write_json_schema(spec: TelemetrySpec) -> Exported:
    """One document that admits the payload of any event, with a definition for each; it says all that the spec says."""
    ledger = Ledger(write=write_path)
    root = ledger.open(to_plain(spec))
    events = root.get("events")
    definitions = {_key(event): _write_event(event) for event in (events.items() if events is not None else ())}
    document: dict[str, Any] = {"$schema": _DIALECT, "title": spec.meta.title}
    if spec.meta.description:
        document["description"] = spec.meta.description
    document[EXTENSION] = _write_spec_extension(root)
    document["$defs"] = definitions
    if definitions:
        document["oneOf"] = [{"$ref": f"#/$defs/{_pointer(key)}"} for key in definitions]
    data = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    file = SourceFile(f"{spec.meta.name}.schema.json", data)
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((file,), report)


def _key(event: Cursor) -> str:
    return f"{event.value['name']}@{event.value['version']}"


def _pointer(key: str) -> str:
    return quote(key.replace("~", "~0").replace("/", "~1"), safe="~@")


def _write_event(event: Cursor) -> dict[str, Any]:
    payload = write_payload(event, is_extended=True)
    name, version = (cursor.take() for key in ("name", "version") if (cursor := event.get(key)) is not None)
    extension = {"name": name, "version": version, **payload.pop(EXTENSION, {})}
    what = event.find("semantics", "what")
    return {
        "title": name,
        "description": what.value if what is not None else name,
        **payload,
        EXTENSION: extension,
    }


def _write_spec_extension(root: Cursor) -> dict[str, Any]:
    """All of ``meta`` but title and description, and all of ``config``."""
    meta, config = root.get("meta"), root.get("config")
    said: dict[str, Any] = {}
    if meta is not None:
        said["meta"] = {key: text for key, text in meta.take().items() if key not in ("title", "description")}
    if config is not None:
        said["config"] = config.take()
    return said
