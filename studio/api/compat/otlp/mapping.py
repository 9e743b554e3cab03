"""From OpenTelemetry's log records to our events: a record is an event if it has an event name.

Works on the decoded protobuf message, whichever encoding it came in.
"""

import base64
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from studio.api.compat.bodies import too_many_values
from studio.api.compat.events import ClientEvent, take_version
from studio.api.compat.values import EPOCH, app_version_of, text_of
from studio.api.ingest.reading import MOST_VALUES
from telemetry.core.events import Context

__all__ = ["read_request"]

# Deeper than what the core takes, so that it says what is wrong; far less than Python's stack.
DEEPEST: Final = 40
# Attributes that say who and where. Source: OpenTelemetry semantic conventions (user, session, device, app, log).
USER: Final = ("user.id", "enduser.id")
SESSION: Final = ("session.id",)
DEVICE: Final = ("app.installation.id", "device.id")
RECORD_ID: Final = "log.record.uid"
NAME: Final = "event.name"
PLAIN: Final = frozenset({"string_value", "bool_value", "int_value", "double_value"})
TAKEN: Final = frozenset({*USER, *SESSION, *DEVICE, RECORD_ID, NAME})
# What bridges from logging libraries add to each record.
ADDED_PREFIXES: Final = ("code.", "thread.", "process.", "otel")


class Surroundings(NamedTuple):
    """What all records of one scope share."""

    attributes: dict[str, Any]
    fingerprint: bytes


def read_request(request: ExportLogsServiceRequest) -> Iterator[ClientEvent]:
    """The events of the request, in its order; raises ``BodyTooLarge`` for too many values."""
    values = _Values()
    for resource_logs in request.resource_logs:
        resource = values.mapping(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            scope = scope_logs.scope
            named = {"otel.scope.name": scope.name, "otel.scope.version": scope.version}
            own = {name: value for name, value in named.items() if value}
            around = Surroundings(
                {**resource, **values.mapping(scope.attributes), **own}, _bytes(resource_logs.resource) + _bytes(scope)
            )
            for record in scope_logs.log_records:
                yield _read_record(record, around, values)


class _Values:
    """Turns OTLP's values into plain ones, so many in one request.

    A short one takes six bytes on the way, and many times as much here.
    """

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def mapping(self, pairs: Iterable[KeyValue], depth: int = 0) -> dict[str, Any]:
        """The values by their keys."""
        return {pair.key: self.plain(pair.value, depth) for pair in pairs}

    def plain(self, value: AnyValue, depth: int = 0) -> Any:
        """The plain value; bytes as base64 text, as in OTLP's JSON."""
        self._left -= 1
        if self._left < 0:
            raise too_many_values()
        kind = value.WhichOneof("value")
        if depth > DEEPEST:
            return None
        if kind == "kvlist_value":
            return self.mapping(value.kvlist_value.values, depth + 1)
        if kind == "array_value":
            return [self.plain(each, depth + 1) for each in value.array_value.values]
        if kind == "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        return getattr(value, kind) if kind in PLAIN else None


def _read_record(record: LogRecord, around: Surroundings, values: _Values) -> ClientEvent:
    attributes = values.mapping(record.attributes)
    body = values.plain(record.body)
    payload = {**body, **attributes} if isinstance(body, dict) else attributes
    version, rest = take_version(payload)
    given = {name: value for name, value in rest.items() if name not in TAKEN and not name.startswith(ADDED_PREFIXES)}
    added = {name: value for name, value in rest.items() if name.startswith(ADDED_PREFIXES)}
    everything = {**around.attributes, **attributes}
    return ClientEvent(
        name=record.event_name or attributes.get(NAME),
        version=version,
        id=text_of(attributes.get(RECORD_ID)),
        occurred_at=_instant(record.time_unix_nano or record.observed_time_unix_nano),
        context=Context(
            user_id=_first(everything, USER),
            session_id=_first(everything, SESSION),
            device_id=_first(everything, DEVICE),
        ),
        given=given,
        added={**_without_subjects(around.attributes), **added, **_around_record(record, body)},
        app_version=app_version_of(around.attributes.get("service.version")),
        record=around.fingerprint + _bytes(record),
    )


def _around_record(record: LogRecord, body: object) -> dict[str, Any]:
    """What a record says beside its attributes, under the names of OTLP's JSON."""
    found = {
        "body": None if isinstance(body, dict) else body,
        "severityText": record.severity_text or None,
        "severityNumber": record.severity_number or None,
        "traceId": _id_text(record.trace_id, 16),
        "spanId": _id_text(record.span_id, 8),
    }
    return {name: value for name, value in found.items() if value is not None}


def _id_text(content: bytes, size: int) -> str | None:
    """The id in hex. OTLP's JSON has it in hex too, which protobuf's reader took for base64: that is undone."""
    return content.hex() if len(content) == size else base64.b64encode(content).decode() or None


def _without_subjects(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in TAKEN}


def _first(values: dict[str, Any], names: Iterable[str]) -> str | None:
    return next((found for name in names if (found := text_of(values.get(name)))), None)


def _instant(nanoseconds: int) -> datetime | None:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds else None


def _bytes(message: Message) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))
