"""Reading a JSON Schema that describes one event."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from telemetry.core.documents import decode_text, read_json
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.values import deep_freeze
from telemetry.formats.json_schema.checking import check_schema

__all__ = ["EventSchema", "SchemaIdentity", "read_identity", "read_schema"]

_WHAT: Final = "JSON schema"
_VERSION: Final = re.compile(r"([1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})").fullmatch


class SchemaIdentity(NamedTuple):
    """What a self-describing schema says of itself; the version is model, revision, addition.

    Source: self-describing JSON Schemas,
    https://docs.snowplow.io/docs/api-reference/iglu/common-architecture/self-describing-json-schemas.
    """

    vendor: str
    name: str
    version: tuple[int, int, int]


class EventSchema(msgspec.Struct, frozen=True):
    """A schema of objects, as frozen plain data; ``identity`` is ``None`` for one that does not describe itself."""

    identity: SchemaIdentity | None
    root: Mapping[str, Any]


def read_schema(data: bytes | str) -> EventSchema:
    """The schema of an event that a JSON document holds.

    Keywords that matter here are checked to have values of the right kind, others are kept as they are. Raises
    ``InvalidDocument`` with every broken rule.
    """
    try:
        root = read_json(decode_text(data))
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=_WHAT) from None
    errors = check_schema(root)
    if errors or not isinstance(root, dict):
        raise InvalidDocument(errors, what=_WHAT)
    types = root.get("type", "object")
    if "object" not in ([types] if isinstance(types, str) else types):
        raise InvalidDocument([FieldError("wrong_type", "type", "must admit objects: events are objects")], what=_WHAT)
    return EventSchema(identity=read_identity(root.get("self")), root=deep_freeze(root))


def read_identity(said: object) -> SchemaIdentity | None:
    """What a schema says under ``self``, ``None`` if nothing; raises ``InvalidDocument`` if it cannot be understood."""
    if said is None:
        return None
    vendor, name, version = (said.get(key) if isinstance(said, dict) else None for key in ("vendor", "name", "version"))
    parts = _VERSION(version) if isinstance(version, str) else None
    if not (isinstance(vendor, str) and vendor and isinstance(name, str) and name and parts):
        error = FieldError("wrong_type", "self", "must have vendor, name and a version such as 1-0-0")
        raise InvalidDocument([error], what=_WHAT)
    return SchemaIdentity(vendor, name, (int(parts[1]), int(parts[2]), int(parts[3])))
