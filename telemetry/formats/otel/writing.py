"""Writing semantic conventions in version 1: a group of all attributes, and one for each event."""

import re
from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.core.yaml_documents import write_yaml
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.losses import LossReport
from telemetry.formats.naming import Names
from telemetry.formats.otel.extension import ANNOTATION
from telemetry.formats.otel.reading import NAME
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_conventions"]

_TYPES: Final = {
    PropertyType.STRING.value: "string",
    PropertyType.NUMBER.value: "double",
    PropertyType.BOOLEAN.value: "boolean",
    # RFC 3339 text; our annotation says that it is an instant.
    PropertyType.TIMESTAMP.value: "string",
    PropertyType.JSON.value: "any",
}
_UNSETTLED: Final = "development"
_LONGEST_ID: Final = 250


def write_conventions(spec: TelemetrySpec) -> Exported:
    """One file; what conventions have no key for is in annotations, so that it says all that the spec says."""
    ledger = Ledger(write=write_path)
    root = ledger.open(to_plain(spec))
    root.take()
    listed = root.get("events")
    events = list(listed.items()) if listed is not None else []
    names = Names()
    attributes = _write_attributes(events)
    groups = [
        {
            "id": f"registry.{spec.meta.name}",
            "type": "attribute_group",
            "display_name": spec.meta.title,
            "brief": spec.meta.description or spec.meta.title,
            "annotations": {ANNOTATION: {key: root.value[key] for key in ("meta", "config") if key in root.value}},
            "attributes": list(attributes.values()),
        },
        *(_write_event(event, attributes, names) for event in events),
    ]
    data = write_yaml({"groups": groups}).encode()
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.otel.yaml", data),), report)


def _write_attributes(events: list[Cursor]) -> dict[str, dict[str, Any]]:
    """Each attribute once, as the first event that has it says."""
    attributes: dict[str, dict[str, Any]] = {}
    for event in events:
        properties = event.get("properties")
        for key, cursor in properties.fields() if properties is not None else ():
            if key not in attributes:
                attributes[key] = {"id": key, **_write_definition(cursor.value)}
    return attributes


def _write_definition(plain: Any) -> dict[str, Any]:
    definition: dict[str, Any] = {"type": _write_type(plain), "stability": _UNSETTLED}
    definition["brief"] = plain.get("description", "")
    return definition


def _write_type(plain: Any) -> Any:
    values = plain.get("allowedValues", [])
    if not values or not all(isinstance(value, str | int) for value in values):
        return _TYPES[plain["type"]]
    names = Names()
    members = []
    for value in dict.fromkeys(values):
        word = re.sub(r"[^a-z0-9_]+", "_", str(value).lower()).strip("_") or "empty"
        members.append({"id": names.claim(word, longest=_LONGEST_ID), "value": value, "stability": _UNSETTLED})
    return {"members": members}


def _write_event(event: Cursor, attributes: dict[str, dict[str, Any]], names: Names) -> dict[str, Any]:
    plain: Any = event.value
    semantics, deprecation = plain["semantics"], plain.get("deprecation")
    said: dict[str, Any] = {"brief": semantics["what"]}
    if semantics.get("why"):
        said["note"] = semantics["why"]
    if deprecation is not None:
        said["deprecated"] = _write_deprecation(deprecation)
    extension = {key: item for key, item in plain.items() if key not in ("name", "properties")}
    # Readers make tags of other keys where there are none of ours.
    extension.setdefault("tags", [])
    properties = plain.get("properties", {})
    return {
        "id": names.claim(f"event.{plain['name']}", longest=_LONGEST_ID),
        "type": "event",
        "name": plain["name"],
        "stability": _UNSETTLED,
        **said,
        "annotations": {ANNOTATION: extension},
        "attributes": [_write_reference(key, item, attributes[key]) for key, item in properties.items()],
    }


def _write_reference(key: str, plain: Any, defined: dict[str, Any]) -> dict[str, Any]:
    """What the event says of the attribute, and all of it in an annotation."""
    level = "required" if plain.get("required") else "recommended"
    reference: dict[str, Any] = {"ref": key, "requirement_level": level}
    if plain.get("description", "") != defined["brief"]:
        reference["brief"] = plain.get("description", "")
    return {**reference, "annotations": {ANNOTATION: plain}}


def _write_deprecation(deprecation: Any) -> dict[str, str]:
    replacement = deprecation.get("replacedBy")
    if replacement is None:
        return {"reason": "obsoleted", "note": deprecation["reason"]}
    return {"reason": "renamed", "renamed_to": replacement, "note": deprecation["reason"]}
