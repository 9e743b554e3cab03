"""Whether the payload of an emitted event is as its EventSpec says: names, types and listed values of properties."""

from collections.abc import Iterator, Mapping
from typing import Any

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.event_specs import EventSpec, payload_properties
from telemetry.core.json_types import admits_value
from telemetry.core.paths import key_path

__all__ = ["check_payload"]


def check_payload(contract: EventSpec, payload: Mapping[str, Any]) -> None:
    """Return if the payload is as the contract says; raises ``InvalidDocument``, which never repeats a value."""
    errors = tuple(_errors(contract, payload))
    if errors:
        name, version = contract.identity
        raise InvalidDocument(errors, what=f"payload of version {version} of the event {name}")


def _errors(contract: EventSpec, payload: Mapping[str, Any]) -> Iterator[FieldError]:
    known = payload_properties(contract) or {}
    for name in contract.payload.get("required", ()):
        if name not in payload:
            yield FieldError("missing_key", key_path("", name), "is required")
    for name, value in payload.items():
        schema = known.get(name)
        if schema is None:
            if contract.payload.get("additionalProperties") is False:
                yield FieldError("unknown_key", key_path("", name), "is no property of the payload")
        elif isinstance(schema, Mapping) and not admits_value(schema, value):
            yield FieldError(
                "wrong_type", key_path("", name), "is of a type, or a value, that the schema does not admit"
            )
