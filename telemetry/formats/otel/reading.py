"""Reading semantic conventions: signals are events, attributes are properties."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.formats.building import EventDraft, ImportOptions, PropertyDraft, PropertySet, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import allowed_values
from telemetry.formats.json_schema.extension import read_spec_extension
from telemetry.formats.losses import LossReport
from telemetry.formats.otel.extension import extension_of, read_property_annotation, read_signal_annotation
from telemetry.formats.otel.registry import Attribute, Registry, Signal, is_registry, name_of_signal
from telemetry.formats.sources import Imported, SourceFile, invalid, read_plain

__all__ = ["NAME", "is_conventions", "read_conventions"]

NAME: Final = "otel"
_EXAMPLES: Final = "values that serve as examples have no place"
_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("file_format", "version"), "it names the language of the file, not what it says"),
    **dict.fromkeys(("examples", "example"), _EXAMPLES),
    **dict.fromkeys(("stability", "deprecated"), "only events have it, as a tag or a deprecation"),
    **dict.fromkeys(("members", "allow_custom_values"), "what a listed value means has no place"),
    **dict.fromkeys(("span_kind", "kind", "instrument", "sampling_relevant"), "an event here has none"),
    **dict.fromkeys(("entity_associations", "entities", "role", "identity", "imports"), "there are no entities here"),
    **dict.fromkeys(
        ("annotations", "tag", "display_name", "visibility"), "it is of use to tools of OpenTelemetry only"
    ),
    **dict.fromkeys(
        ("attribute_groups", "attributes", "groups", "brief", "note", "id", "type"), "no event refers to it"
    ),
}
_TYPES: Final[Mapping[str, PropertyType]] = {
    "string": PropertyType.STRING,
    "int": PropertyType.NUMBER,
    "double": PropertyType.NUMBER,
    "boolean": PropertyType.BOOLEAN,
}
_BECAME_EVENT: Final = {
    "metric": "each measurement is an event here; OpenTelemetry adds them up",
    "span": "a span is an event here, sent when it ends",
}
_OPEN: Final = "other values than those listed are refused here; OpenTelemetry lets them pass"


def is_conventions(_file: SourceFile, plain: object) -> bool:
    """Whether the data is a file of semantic conventions."""
    return is_registry(Ledger().open(plain))


def read_conventions(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec with an event for each event, metric and span; without any of them, attributes are those of the context.

    Files of a registry belong together: what one defines, others refer to. Raises ``InvalidDocument`` if a file is none
    of semantic conventions.
    """
    ledger = Ledger(reasons=_REASONS)
    roots: list[Cursor] = []
    for file in files:
        root = ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")
        if not is_registry(root):
            message = "must have groups, each with an id, or definitions with a file_format"
            raise invalid("missing_key", message, path="groups", what=f"file {file.name}")
        roots.append(root)
    registry = Registry(roots)
    draft = SpecDraft(ledger, roots[0], options)
    for extension in filter(None, map(extension_of, _groups(roots))):
        if extension.get("meta") is not None:
            read_spec_extension(extension, draft)
            draft.title(extension.find("meta", "title"))
    for signal in registry.signals:
        _read_signal(signal, registry, draft)
    if not registry.signals:
        for key, definition in registry.attributes.items():
            _read_attribute(Attribute(key, definition, None), draft.context)
            _take_key(definition)
    spec = draft.build(name=files[0].stem)
    names = tuple(file.name for file in files)
    return Imported((spec,), LossReport(format=NAME, sources=names, specs=(spec.meta.name,), losses=ledger.losses()))


def _groups(roots: Sequence[Cursor]) -> Iterator[Cursor]:
    for root in roots:
        groups = root.get("groups")
        yield from groups.items() if groups is not None else ()


def _take_key(definition: Cursor) -> None:
    for key in ("id", "key"):
        cursor = definition.get(key)
        if cursor is not None:
            cursor.take()


def _read_signal(signal: Signal, registry: Registry, draft: SpecDraft) -> None:
    extension, group, name = extension_of(signal.group), signal.group, name_of_signal(signal)
    signal.name.take()
    said = extension.get("version") if extension is not None else None
    event = draft.add_event(name, draft.version_of(said, target=f"{draft.next_target}.version"), signal.name)
    _take_names(signal, name, event)
    _describe(group, event)
    stability = group.get("stability")
    if stability is not None and isinstance(stability.value, str):
        event.tag(stability, f"stability:{stability.value}")
    _read_deprecation(group.get("deprecated"), event)
    if signal.kind == "metric":
        _read_value(group, event)
    for attribute in registry.attributes_of(group):
        _read_attribute(attribute, event.properties)
    body = group.get("body")
    if body is not None:
        _read_body(body, event)
    read_signal_annotation(group, event)


def _take_names(signal: Signal, name: str, event: EventDraft) -> None:
    """What repeats the kind and the name of the signal is said already."""
    identifier, type_ = signal.group.get("id"), signal.group.get("type")
    if identifier is not None and identifier.value in (name, f"{signal.kind}.{name}"):
        identifier.take()
    if type_ is not None and type_.value == signal.kind:
        if signal.kind in _BECAME_EVENT:
            type_.approximate(_BECAME_EVENT[signal.kind], target=event.target)
        else:
            type_.take()


def _describe(group: Cursor, event: EventDraft) -> None:
    """What happened is the brief, the rest and the note stand under why."""
    event.describe(group.get("brief"))
    note = group.get("note")
    if note is not None and isinstance(note.value, str) and note.value.strip():
        event.explain(note)


def _read_deprecation(said: Cursor | None, event: EventDraft) -> None:
    if said is None or not said.value:
        return
    if said.kind == "text":
        event.deprecate(said, _line(str(said.value)))
        return
    note, reason = said.get("note"), said.get("reason")
    text = next((_line(each.value) for each in (note, reason) if each is not None and isinstance(each.value, str)), "")
    if text:
        event.deprecate(note or reason or said, text, replaced_by=said.get("renamed_to"))


def _line(text: str) -> str:
    """At most 1,000 characters of text that is not blank."""
    return " ".join(text.split())[:1000] or "Deprecated"


def _read_value(group: Cursor, event: EventDraft) -> None:
    value = event.properties.add("value", group)
    if value is not None:
        value.plain.update({"type": PropertyType.NUMBER.value, "required": True})
        unit = group.get("unit")
        if unit is not None and isinstance(unit.value, str):
            value.put("unit", unit)


def _read_attribute(attribute: Attribute, properties: PropertySet) -> None:
    entry, found = attribute.entry, attribute.definition
    definition = properties.add(attribute.key, entry)
    if definition is None:
        return
    type_ = attribute.get("type")
    if type_ is None:
        entry.remark("these files do not define the attribute; any value is taken", target=definition.target)
    else:
        _read_type(type_, definition)
    _write_description(attribute, definition)
    _read_level(entry.get("requirement_level") or entry.get("required"), definition)
    if found is not None:
        _take_key(found)
    for place in filter(None, (found, entry)):
        read_property_annotation(place, definition)


def _read_type(type_: Cursor, definition: PropertyDraft) -> None:
    members = type_.get("members")
    if members is not None:
        _read_members(members, definition)
        return
    if not isinstance(type_.value, str):
        return
    word = type_.value
    kind = _TYPES.get(word, PropertyType.JSON)
    definition.plain["type"] = kind.value
    if word == "int":
        type_.approximate("every number is taken, not only whole ones", target=f"{definition.target}.type")
    elif kind is PropertyType.JSON and word not in ("any", "undefined"):
        type_.approximate("json takes any value", target=f"{definition.target}.type")
    else:
        type_.take()


def _read_members(members: Cursor, definition: PropertyDraft) -> None:
    """Members have a value; in old files, their id is one."""
    values = [each.get("value") or each.get("id") for each in members.items()]
    cursors = [value for value in values if value is not None]
    kinds = {cursor.kind for cursor in cursors}
    type_ = {"text": PropertyType.STRING, "number": PropertyType.NUMBER, "boolean": PropertyType.BOOLEAN}.get(
        kinds.pop() if len(kinds) == 1 else "", PropertyType.JSON
    )
    definition.plain["type"] = type_.value
    listed = allowed_values(cursors, type_, target=definition.target)
    if listed:
        definition.plain["allowedValues"] = listed
        members.remark(_OPEN, target=f"{definition.target}.allowedValues")


def _write_description(attribute: Attribute, definition: PropertyDraft) -> None:
    parts = [attribute.get(key) for key in ("brief", "note")]
    texts = [str(part.value).strip() for part in parts if part is not None and isinstance(part.value, str)]
    definition.describe_with([part for part in parts if part is not None], "\n\n".join(filter(None, texts)))


def _read_level(level: Cursor | None, definition: PropertyDraft) -> None:
    """Required or not; a condition stands in the description."""
    if level is None:
        return
    # The word of before version 1.15 of the conventions, under the key ``required``.
    if level.value in ("required", "always"):
        definition.put("required", level, True)
    elif level.value == "recommended":
        level.take()
    elif level.value == "opt_in":
        level.approximate("it is as good as recommended here", target=f"{definition.target}.required")
    for word, cursor in level.fields():
        if isinstance(cursor.value, str):
            cursor.approximate("the condition stands in the description", target=f"{definition.target}.description")
            heading = word.replace("_", " ").capitalize()
            said = definition.plain.get("description", "")
            definition.plain["description"] = f"{said}\n\n{heading}: {' '.join(cursor.value.split())}".strip()[:4000]


def _read_body(body: Cursor, event: EventDraft) -> None:
    """Fields of the body stand beside the attributes."""
    fields = body.get("fields")
    for field in fields.items() if fields is not None else ():
        key = field.get("id")
        if key is not None and isinstance(key.value, str):
            key.approximate("the field of the body is a property of the event", target=f"{event.target}.properties")
            members = field.get("members")
            definition = event.properties.add(key.value, key)
            if definition is None:
                continue
            if members is not None:
                _read_members(members, definition)
            elif (type_ := field.get("type")) is not None:
                _read_type(type_, definition)
            _write_description(Attribute(key.value, field, None), definition)
            _read_level(field.get("requirement_level"), definition)
