"""Reading EventSpecs: documents of their own, and JSON Schemas, which say less about themselves."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from telemetry.core.codec import Format, convert_document, parse_document
from telemetry.core.documents import RepeatedKeys
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.event_specs import EventSpec, payload_properties
from telemetry.core.paths import key_path
from telemetry.formats.json_schema.checking import check_schema
from telemetry.formats.json_schema.reading import read_identity

__all__ = ["GivenMeta", "read_event_spec"]

WHAT: Final = "EventSpec"
# The annotation with which schemas mark personal data where they describe it.
PII_KEYWORD: Final = "x-pii"


class GivenMeta(NamedTuple):
    """What is said beside a document; it fills in what the document leaves open, and never contradicts it.

    ``pii`` are places in the payload that hold personal data, besides those that the document names.
    """

    name: str = ""
    version: int | None = None
    domain: str = ""
    pii: Sequence[str] = ()


NOTHING: Final = GivenMeta()


def read_event_spec(
    document: bytes | str,
    *,
    given: GivenMeta = NOTHING,
    format: Format | None = None,  # noqa: A002
) -> EventSpec:
    """The contract that a JSON or YAML document describes: an EventSpec, or a JSON Schema of the payload.

    A schema's name and version are ``given``, or its own if it is self-describing, whose model counts as the version;
    properties annotated with ``x-pii: true`` are personal data. Raises ``InvalidDocument`` with every broken rule.
    """
    plain = parse_document(document, what=WHAT, format=format)
    if not isinstance(plain, dict):
        raise InvalidDocument([FieldError("wrong_type", "", "must be an object")], what=WHAT)
    # Merged with what is given, an object would forget that its keys repeat.
    repeated = (*_repeated(plain, ""), *_repeated(plain.get("meta"), "meta"))
    if repeated:
        raise InvalidDocument(repeated, what=WHAT)
    is_whole = "payload" in plain or isinstance(plain.get("meta"), dict)
    whole = _filled(plain, given) if is_whole else _from_schema(plain, given)
    prefix = "payload" if is_whole else ""
    schema = whole.get("payload", {})
    errors = tuple(_schema_errors(schema, prefix))
    if errors:
        raise InvalidDocument(errors, what=WHAT)
    try:
        contract = convert_document(whole, EventSpec, what=WHAT)
    except InvalidDocument as error:
        # Who sent a schema knows no payload around it.
        inside = (
            FieldError(e.code, e.path.removeprefix("" if is_whole else "payload."), e.message) for e in error.errors
        )
        raise InvalidDocument(inside, what=WHAT) from None
    _refuse_unknown_places(contract)
    return contract


def _repeated(value: object, path: str) -> Iterator[FieldError]:
    for key in value.repeated if isinstance(value, RepeatedKeys) else ():
        yield FieldError("duplicate_key", key_path(path, str(key)), "this key occurs more than once")


def _filled(plain: dict[str, Any], given: GivenMeta) -> dict[str, Any]:
    """The EventSpec with what it leaves out."""
    meta = plain.get("meta")
    if isinstance(meta, dict):
        said = {"name": given.name, "version": given.version, "domain": given.domain}
        plain = {**plain, "meta": {**{key: value for key, value in said.items() if value}, **meta}}
    pii = plain.get("pii", [])
    return {**plain, "pii": list(dict.fromkeys([*pii, *given.pii]))} if isinstance(pii, list) and given.pii else plain


def _from_schema(plain: dict[str, Any], given: GivenMeta) -> dict[str, Any]:
    identity = read_identity(plain.get("self"))
    meta: dict[str, Any] = {
        "name": given.name or (identity.name if identity else None),
        "version": given.version or (identity.version[0] if identity else None),
        "domain": given.domain,
        "title": _cut(plain.get("title"), 200),
        "description": _cut(plain.get("description"), 4000),
    }
    pii = dict.fromkeys([*_annotated(plain, ""), *given.pii])
    return {"meta": {key: value for key, value in meta.items() if value}, "payload": plain, "pii": list(pii)}


def _cut(text: object, length: int) -> object:
    """A text no longer than meta takes it."""
    return text[:length] if isinstance(text, str) else text


def _annotated(node: object, path: str) -> Iterator[str]:
    """The places of a schema that it marks as personal data, whole ones before what is in them."""
    if not isinstance(node, dict):
        return
    if node.get(PII_KEYWORD) is True and path:
        yield path
        return
    properties = node.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        yield from _annotated(inner, key_path(path, str(name)))


def _schema_errors(schema: object, prefix: str) -> Iterator[FieldError]:
    found = list(check_schema(schema))
    types = schema.get("type", "object") if isinstance(schema, dict) else "object"
    if not found and "object" not in ([types] if isinstance(types, str) else types):
        found.append(FieldError("wrong_type", "type", "must admit objects: payloads are objects"))
    for error in found:
        path = f"{prefix}.{error.path}" if prefix and error.path else prefix or error.path
        yield FieldError(error.code, path, error.message)


def _refuse_unknown_places(contract: EventSpec) -> None:
    """Return if each place with personal data is in a property that the payload has, as far as it says what it has."""
    known = payload_properties(contract)
    if known is None:
        return
    errors = [
        FieldError("unknown_property", f"pii[{index}]", "the payload has no such property")
        for index, path in enumerate(contract.pii)
        if not msgspec.structs.replace(contract, pii=(path,)).personal_properties <= known.keys()
    ]
    if errors:
        raise InvalidDocument(errors, what=WHAT)
