"""What semantic conventions have no key for, in annotations, which are free for anybody.

Source: OpenTelemetry weaver, semantic convention definition language, ``annotations``.
"""

from typing import Final

from telemetry.core.spec import PropertyDefinition
from telemetry.formats.building import EventDraft, PropertyDraft
from telemetry.formats.cursor import Cursor
from telemetry.formats.fitting import fits
from telemetry.formats.json_schema.extension import read_event_extension

__all__ = ["ANNOTATION", "extension_of", "read_property_annotation", "read_signal_annotation"]

ANNOTATION: Final = "telemetry_studio"


def extension_of(cursor: Cursor | None) -> Cursor | None:
    """Where our annotation stands, if there is one."""
    return cursor.find("annotations", ANNOTATION) if cursor is not None else None


def read_property_annotation(entry: Cursor, definition: PropertyDraft) -> None:
    """The property is as our annotation says, which says all of it."""
    said = extension_of(entry)
    if said is not None and fits(said.value, PropertyDefinition):
        definition.plain.clear()
        definition.plain.update(said.take())


def read_signal_annotation(signal: Cursor, event: EventDraft) -> None:
    """The event is as our annotation says, as far as that keeps the rules of specs."""
    said = extension_of(signal)
    if said is not None:
        read_event_extension(said, event)
