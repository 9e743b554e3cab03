"""Documents of the core's values: read with every broken rule named, written in one canonical form.

The canonical form of a value is compact JSON in UTF-8: keys in the order in which the type declares them (or, in
mappings, in which they were authored), defaults left out, numbers without a fraction written as integers, no line break
at the end. Equal documents, in JSON or YAML, have the same canonical bytes, and so the same checksum.
"""

import hashlib
from typing import Literal, TypeVar

import msgspec

from telemetry.core.documents import decode_text, read_json
from telemetry.core.errors import InvalidDocument
from telemetry.core.plain import to_plain
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import read_value
from telemetry.core.yaml_documents import read_yaml, write_yaml

__all__ = [
    "Format",
    "checksum",
    "convert_document",
    "decode_document",
    "decode_spec",
    "encode_document",
    "encode_spec",
    "parse_document",
    "spec_to_yaml",
]

T = TypeVar("T")

Format = Literal["json", "yaml"]
_SPEC = "telemetry spec"


def decode_spec(data: bytes | str, *, format: Format | None = None) -> TelemetrySpec:  # noqa: A002
    """The valid spec that a document describes; see ``decode_document``."""
    return decode_document(data, TelemetrySpec, what=_SPEC, format=format)


def encode_spec(spec: TelemetrySpec) -> bytes:
    """The canonical form of a valid spec."""
    return encode_document(spec)


def spec_to_yaml(spec: TelemetrySpec) -> str:
    """The spec as a YAML document for people; ``decode_spec`` reads an equal spec from it."""
    return write_yaml(to_plain(spec))


def checksum(value: msgspec.Struct) -> str:
    """SHA-256 of the canonical form, as 64 lower-case hex digits."""
    return hashlib.sha256(encode_document(value)).hexdigest()


def decode_document(data: bytes | str, type: type[T], *, what: str, format: Format | None = None) -> T:  # noqa: A002
    """The value that a JSON or YAML document describes, once it keeps every rule of ``type``.

    Without ``format``, text that starts with ``{`` is JSON and all other text YAML. ``what`` names the document in the
    message of the error. Raises ``InvalidDocument`` with all broken rules, and nothing else.
    """
    return convert_document(parse_document(data, what=what, format=format), type, what=what)


def convert_document(builtins: object, type: type[T], *, what: str) -> T:  # noqa: A002
    """The value that already parsed data describes (dicts, lists, scalars); errors as for ``decode_document``."""
    value, errors = read_value(builtins, type)
    if value is None or errors:
        raise InvalidDocument(errors, what=what)
    return value


def encode_document(value: object) -> bytes:
    """The canonical form of a valid value, ready to store, send or hash."""
    return msgspec.json.encode(to_plain(value))


def parse_document(data: bytes | str, *, what: str, format: Format | None = None) -> object:  # noqa: A002
    """The plain data that a document holds, not yet checked against any type; see ``decode_document``."""
    try:
        text = decode_text(data)
        chosen = format or ("json" if text.lstrip().startswith("{") else "yaml")
        return read_json(text) if chosen == "json" else read_yaml(text)
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=what) from None
