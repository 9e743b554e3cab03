"""From OpenTelemetry's log records to our events."""

import json
from collections.abc import Mapping

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from studio.api.compat.otlp.mapping import read_request
from studio.api.compat.otlp.wire import JSON, decode
from studio.api.errors import BodyTooLarge
from studio.api.ingest.reading import MOST_VALUES
from telemetry.core.enums import EventSource
from telemetry.core.events import Envelope
from tests.core.builders import NOON
from tests.studio.api.compat.plans import RECEIVED_AT, envelopes, mapper_for, only
from tests.studio.api.compat.posthog.test_mapping import UUID

NANOSECONDS = int(NOON.timestamp()) * 1_000_000_000


def attributes(**values: str | float) -> list[KeyValue]:
    """Attributes; an underscore stands for a dot."""
    return [KeyValue(key=name.replace("_", "."), value=any_value(value)) for name, value in values.items()]


def any_value(value: str | float) -> AnyValue:
    """The value in OTLP's wrapping."""
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(double_value=value)


def request_with(*records: LogRecord, resource: Mapping[str, str] | None = None) -> ExportLogsServiceRequest:
    """A request with these records in one scope."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes(**(resource or {})))
    scope = group.scope_logs.add()
    scope.scope.name = "shop"
    scope.log_records.extend(records)
    return request


def as_envelope(record: LogRecord, **resource: str) -> Envelope:
    envelope: Envelope = only(envelopes(read_request(request_with(record, resource=resource)), EventSource.OTLP))
    return envelope


def test_a_record_with_an_event_name() -> None:
    record = LogRecord(
        event_name="Order Completed",
        time_unix_nano=NANOSECONDS + 250_000_000,
        attributes=attributes(
            total=12.5, stray=True, user_id="user-123", session_id="session-9", device_id="device-7", code_lineno=12
        ),
        trace_id=bytes.fromhex("5b8efff798038103d269b633813fc60c"),
    )
    mapper = mapper_for(EventSource.OTLP)
    request = request_with(record, resource={"service_name": "shop", "service_version": "4.2.0", "host_name": "web-1"})

    incoming = mapper.map(only(read_request(request)))

    envelope = incoming.envelope
    assert envelope is not None
    assert (envelope.name, envelope.version, incoming.app_version) == ("Order Completed", None, "4.2.0")
    assert envelope.occurred_at.isoformat() == "2026-11-22T12:00:00.250000+00:00"
    assert envelope.properties == {"total": 12.5, "stray": True}
    assert envelope.context.metadata == {"service.name": "shop", "traceId": "5b8efff798038103d269b633813fc60c"}
    context = envelope.context
    assert (context.user_id, context.session_id, context.device_id) == ("user-123", "session-9", "device-7")
    # service.version, host.name, the scope's name and code.lineno.
    assert mapper.left_out == 4


def test_the_event_name_may_be_an_attribute_and_the_body_may_hold_properties() -> None:
    body = AnyValue(kvlist_value=KeyValueList(values=attributes(total=1, telemetry_event_version=2)))
    body.kvlist_value.values[1].key = "telemetry_event_version"
    record = LogRecord(time_unix_nano=NANOSECONDS, body=body, attributes=attributes(event_name="order_completed"))

    envelope = as_envelope(record)

    assert (envelope.name, envelope.version, envelope.properties) == ("Order Completed", 2, {"total": 1})


def test_a_plain_log_line_is_no_event() -> None:
    record = LogRecord(time_unix_nano=NANOSECONDS, body=AnyValue(string_value="canary@example.com logged in"))

    incoming = mapper_for(EventSource.OTLP).map(only(read_request(request_with(record))))

    assert incoming.envelope is None
    assert incoming.problem is not None
    assert incoming.problem.path == "name"


def test_values_of_every_kind_become_plain_ones() -> None:
    items = AnyValue()
    items.array_value.values.add(string_value="a")
    items.array_value.values.add(kvlist_value=KeyValueList(values=attributes(n=1)))
    items.array_value.values.add(bytes_value=b"\x00\xff")
    items.array_value.values.add()
    record = LogRecord(
        event_name="checkout.started", time_unix_nano=NANOSECONDS, attributes=[KeyValue(key="items", value=items)]
    )

    assert as_envelope(record).properties == {"items": ["a", {"n": 1}, "AP8=", None]}


def test_a_record_without_id_is_stored_once_however_often_it_is_sent() -> None:
    request = request_with(
        LogRecord(event_name="$pageview", time_unix_nano=NANOSECONDS),
        LogRecord(event_name="$pageview", time_unix_nano=NANOSECONDS),
        LogRecord(event_name="$pageview", time_unix_nano=NANOSECONDS, attributes=attributes(log_record_uid=UUID)),
    )

    first = [envelope.id for envelope in envelopes(read_request(request), EventSource.OTLP)]
    again = [envelope.id for envelope in envelopes(read_request(request), EventSource.OTLP)]

    assert first == again
    assert len(set(first)) == 3
    assert first[2] == UUID


def test_a_record_without_a_time_takes_that_of_its_observation() -> None:
    assert as_envelope(LogRecord(event_name="$pageview", observed_time_unix_nano=NANOSECONDS)).occurred_at == NOON

    timeless = only(read_request(request_with(LogRecord(event_name="$pageview"))))
    incoming = mapper_for(EventSource.OTLP, UUID).map(timeless)
    assert incoming.envelope is not None
    assert incoming.envelope.occurred_at == RECEIVED_AT


def test_json_and_protobuf_are_read_alike() -> None:
    document = {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "shop"},
                        "logRecords": [
                            {
                                "timeUnixNano": str(NANOSECONDS),
                                "eventName": "Order Completed",
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "severityNumber": 9,
                                "attributes": [{"key": "total", "value": {"intValue": "12"}}],
                                "unknown": {"field": 1},
                            }
                        ],
                    }
                ],
            }
        ]
    }
    record = LogRecord(
        event_name="Order Completed",
        time_unix_nano=NANOSECONDS,
        trace_id=bytes.fromhex("5b8efff798038103d269b633813fc60c"),
        span_id=bytes.fromhex("eee19b7ec3c1b174"),
        severity_number=9,  # type: ignore[arg-type]  # any number is one of its enumeration
        attributes=attributes(total=12),
    )

    from_json = only(read_request(decode(json.dumps(document).encode(), JSON)))
    from_protobuf = only(read_request(request_with(record, resource={"service_name": "shop"})))

    assert from_json.given == from_protobuf.given == {"total": 12}
    assert from_json.added == from_protobuf.added
    assert from_json.added["spanId"] == "eee19b7ec3c1b174"


def test_nesting_without_end_is_cut_where_the_core_refuses_it_anyway() -> None:
    value = AnyValue(string_value="canary")
    for _ in range(45):
        value = AnyValue(array_value={"values": [value]})  # type: ignore[arg-type]  # the library takes dicts
    record = LogRecord(event_name="checkout.started", time_unix_nano=NANOSECONDS)
    record.attributes.append(KeyValue(key="items", value=value))
    assert "canary" not in json.dumps(dict(as_envelope(record).properties))


def test_more_values_than_fit_into_memory_are_refused() -> None:
    value = AnyValue()
    value.array_value.values.extend([AnyValue()] * (MOST_VALUES + 1))
    record = LogRecord(event_name="checkout.started", attributes=[KeyValue(key="items", value=value)])

    with pytest.raises(BodyTooLarge):
        list(read_request(request_with(record)))
