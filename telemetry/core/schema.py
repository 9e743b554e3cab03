"""The JSON Schema of telemetry specs, with which editors complete and check documents while they are written.

It says what single fields may hold. Rules across fields (a threshold's metric must be declared, conditions must
compile) are checked by ``telemetry.core.validation`` only. ``python -m telemetry.core.schema`` prints it.
"""

import inspect
import json
import re
import sys
from enum import Enum
from typing import Any

import msgspec

from telemetry.core import enums
from telemetry.core.descriptions import FIELD_DESCRIPTIONS
from telemetry.core.spec import TelemetrySpec

__all__ = ["build_spec_schema", "render_spec_schema"]


def build_spec_schema() -> dict[str, Any]:
    """The schema as plain data, draft 2020-12, without an address of its own; a new one with each call."""
    schema = msgspec.json.schema(TelemetrySpec)
    definitions: dict[str, Any] = schema["$defs"]
    for definition in definitions.values():
        definition["description"] = _for_editors(definition["description"])
    for name, enum in inspect.getmembers(enums, _is_enum):
        if name in definitions:
            # In the declared order, which means something (levels rise), where msgspec sorts.
            definitions[name] |= {"type": "string", "enum": [member.value for member in enum]}
    for type_, descriptions in FIELD_DESCRIPTIONS.items():
        _describe(definitions[type_.__name__], type_, descriptions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Telemetry spec",
        "description": "A versioned plan of an area's product events.",
        **schema,
    }


def render_spec_schema() -> str:
    """The schema as the text of its file, indented, with a line break at the end."""
    return json.dumps(build_spec_schema(), indent=2, ensure_ascii=False) + "\n"


def _is_enum(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, Enum)


def _describe(definition: dict[str, Any], type_: type[msgspec.Struct], descriptions: Any) -> None:
    for field in msgspec.structs.fields(type_):
        property_ = definition["properties"][field.encode_name]
        property_["description"] = descriptions[field.name]
        # "Unset" says it better than a null that nobody writes.
        if property_.get("default", msgspec.UNSET) is None:
            del property_["default"]


def _for_editors(docstring: str) -> str:
    """A docstring as one paragraph, with names as they are in documents."""
    keys = {field.name: field.encode_name for type_ in FIELD_DESCRIPTIONS for field in msgspec.structs.fields(type_)}
    unmarked = re.sub(r"``(.*?)``", lambda found: keys.get(found[1], found[1]), docstring)
    return " ".join(unmarked.split())


if __name__ == "__main__":
    sys.stdout.write(render_spec_schema())
