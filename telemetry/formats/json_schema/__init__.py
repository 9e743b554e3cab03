"""JSON Schemas of events, self-describing ones among them: read as properties, and compared version by version."""

from telemetry.formats.json_schema.comparing import SchemaChange, SchemaComparison, compare_schemas
from telemetry.formats.json_schema.properties import properties_of_schema
from telemetry.formats.json_schema.reading import EventSchema, SchemaIdentity, read_schema
from telemetry.formats.json_schema.rules import SCHEMA_RULES, SchemaRule, VersionPart

__all__ = [
    "SCHEMA_RULES",
    "EventSchema",
    "SchemaChange",
    "SchemaComparison",
    "SchemaIdentity",
    "SchemaRule",
    "VersionPart",
    "compare_schemas",
    "properties_of_schema",
    "read_schema",
]
