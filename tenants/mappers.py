"""Where rows become core values and back."""

from typing import NamedTuple, TypeVar

import msgspec

from telemetry.core.codec import checksum, decode_document, encode_document
from telemetry.core.config import AppBlueprint, FloorException, PrivacyFloor, TenantOverride
from tenants.models import App, FloorExceptionRecord, FloorRecord, FloorVersion, TenantAppConfig

__all__ = ["Document", "blueprint_of", "document_of", "exception_of", "floor_of", "override_of"]

T = TypeVar("T", bound=msgspec.Struct)


class Document(NamedTuple):
    """A value's canonical JSON and its SHA-256 in hex."""

    text: str
    checksum: str


def document_of(value: msgspec.Struct, *, what: str) -> Document:
    """The value as it is stored, checked once more.

    Values made in code are not checked when they are made. Raises ``InvalidDocument`` with every broken rule.
    """
    encoded = encode_document(value)
    decode_document(encoded, type(value), what=what, format="json")
    return Document(encoded.decode(), checksum(value))


def blueprint_of(app: App) -> AppBlueprint:
    """The app's blueprint; no query."""
    return _stored(app.blueprint, AppBlueprint)


def override_of(config: TenantAppConfig) -> TenantOverride:
    """The changes that this version holds; no query."""
    return _stored(config.document, TenantOverride)


def floor_of(record: FloorRecord | FloorVersion | None) -> PrivacyFloor:
    """The floor, empty if there is no record; no query."""
    return PrivacyFloor() if record is None else _stored(record.document, PrivacyFloor)


def exception_of(record: FloorExceptionRecord) -> FloorException:
    """What the exception frees; its number is the record's id. No query."""
    return msgspec.structs.replace(_stored(record.document, FloorException), number=record.pk)


def _stored(text: str, type_: type[T]) -> T:
    # Checked when it was saved: a rule that became stricter since must not make a live config unreadable.
    return msgspec.json.decode(text, type=type_)
