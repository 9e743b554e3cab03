"""OTLP's encodings."""

import json

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from studio.api.compat.otlp.mapping import read_request
from studio.api.compat.otlp.wire import JSON, PROTOBUF, decode, encode_answer, encode_error
from telemetry.core.enums import EventSource
from telemetry.core.errors import InvalidDocument
from tests.studio.api.compat.contents import short
from tests.studio.api.compat.plans import mapper_for
from tests.studio.api.compat.posthog.test_mapping import JSON as JSON_VALUES
from tests.studio.api.compat.posthog.test_mapping import UUID


def test_an_answer_says_what_was_refused_and_nothing_when_all_was_taken() -> None:
    answer = ExportLogsServiceResponse.FromString(
        encode_answer(PROTOBUF, rejected=2, message="records[0].name: is required")
    )

    assert answer.partial_success.rejected_log_records == 2
    assert answer.partial_success.error_message == "records[0].name: is required"
    assert encode_answer(PROTOBUF, rejected=0, message="") == b""
    assert json.loads(encode_answer(JSON, rejected=2, message="m")) == {
        "partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "m"}
    }
    assert json.loads(encode_answer(JSON, rejected=0, message="")) == {}


def test_an_error_is_a_status_of_grpc() -> None:
    status = Status.FromString(encode_error(PROTOBUF, status=401, message="no key"))

    assert (status.code, status.message) == (16, "no key")
    assert json.loads(encode_error(JSON, status=418, message="m")) == {"code": 13, "message": "m"}


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PROTOBUF, b"canary"),
        (PROTOBUF, b"\x0a\xff\xff\xff\xff\x0f"),
        (PROTOBUF, b"\x0a\x82\x01" * 500),
        (JSON, b"[]"),
        (JSON, b'"canary"'),
        (JSON, b'{"resourceLogs": "canary"}'),
        (JSON, b'{"resourceLogs": ["\\ud800"]}'),
        (JSON, b'{"\\ud800": "canary"}'),
        (JSON, b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "canary"}]}]}]}'),
        (JSON, b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "\\ud800"}]}]}]}'),
        (JSON, b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + b'{"arrayValue":{"values":[' * 200),
    ],
    ids=short,
)
def test_what_cannot_be_read_is_refused_without_repeating_it(content_type: str, content: bytes) -> None:
    with pytest.raises(InvalidDocument) as refused:
        decode(content, content_type)

    assert "canary" not in str(refused.value)


@given(st.binary(max_size=300), st.sampled_from([PROTOBUF, JSON]))
def test_any_bytes_are_a_request_or_refused(content: bytes, content_type: str) -> None:
    try:
        request = decode(content, content_type)
    except InvalidDocument:
        return
    list(read_request(request))


@given(
    st.dictionaries(
        st.sampled_from(["timeUnixNano", "eventName", "body", "attributes", "traceId", "severityNumber", "flags"]),
        JSON_VALUES | st.builds(lambda value: {"stringValue": value}, JSON_VALUES),
    )
)
def test_any_record_in_json_becomes_an_event_or_is_refused(record: dict[str, object]) -> None:
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    try:
        request = decode(json.dumps(document).encode(), JSON)
    except InvalidDocument:
        return
    for event in read_request(request):
        mapper_for(EventSource.OTLP, UUID).map(event)
