"""What a JSON Schema has no keyword for, under one keyword of our own that other readers leave alone."""

from typing import Final

from telemetry.core.plain import document_fields
from telemetry.core.spec import EventDefinition, PropertyDefinition, Semantics, TelemetryDefaults, TelemetryMeta
from telemetry.formats.building import EventDraft, PropertyDraft, SpecDraft
from telemetry.formats.cursor import Cursor
from telemetry.formats.fitting import fits

__all__ = ["EXTENSION", "read_event_extension", "read_property_extension", "read_spec_extension"]

# Source: JSON Schema 2020-12, section 6.5: unknown keywords are annotations; x- marks those of vendors.
EXTENSION: Final = "x-telemetry"


def _keys(type_: type, *without: str) -> frozenset[str]:
    return frozenset(key for _, key, _ in document_fields(type_)) - frozenset(without)


_OF_PROPERTIES: Final = _keys(PropertyDefinition, "type", "required", "description")
_OF_EVENTS: Final = _keys(EventDefinition, "name", "version", "semantics", "privacy", "properties")
_OF_SEMANTICS: Final = _keys(Semantics, "what")
_OF_META: Final = _keys(TelemetryMeta, "name", "version", "title")
_OF_CONFIG: Final = _keys(TelemetryDefaults)


def read_property_extension(said: Cursor | None, definition: PropertyDraft) -> None:
    """The property says what the extension says of it, as far as that keeps the rules of specs."""
    for key, cursor in said.fields() if said is not None else ():
        if key in _OF_PROPERTIES:
            definition.put(key, cursor)


def read_event_extension(said: Cursor | None, event: EventDraft) -> None:
    """The event says what the extension says of it, as far as that keeps the rules."""
    if said is None:
        return
    for key, cursor in said.fields():
        if key in _OF_EVENTS:
            event.put(key, cursor)
    event.protect(said.get("privacy"))
    semantics = said.get("semantics")
    if semantics is not None and fits(semantics.value, Semantics):
        event.plain["semantics"] = semantics.take()
        event.is_described = True
        return
    for key, cursor in semantics.fields() if semantics is not None else ():
        if key in _OF_SEMANTICS:
            event.origins.put(event.plain["semantics"], f"{event.target}.semantics", key, cursor)


def read_spec_extension(said: Cursor | None, draft: SpecDraft) -> None:
    """The spec says what the extension says of it, as far as that keeps the rules."""
    if said is None:
        return
    meta = said.get("meta")
    if meta is not None:
        draft.name(meta.get("name"))
        version = meta.get("version")
        if version is not None:
            draft.meta["version"] = draft.version_of(version, target="meta.version")
        for key, cursor in meta.fields():
            if key in _OF_META:
                draft.origins.put(draft.meta, "meta", key, cursor)
    config = said.get("config")
    for key, cursor in config.fields() if config is not None else ():
        if key in _OF_CONFIG:
            draft.origins.put(draft.config, "config", key, cursor)
