"""OTLP's two encodings of requests, answers and errors. Source: OpenTelemetry protocol specification, OTLP/HTTP."""

from typing import Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from studio.api.compat.bodies import read_json
from telemetry.core.documents import refusal

__all__ = ["JSON", "PROTOBUF", "decode", "encode_answer", "encode_error"]

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
# What the library raises for what it cannot read; ``SystemError`` for names with lone surrogates.
UNREADABLE: Final = (
    AttributeError,
    DecodeError,
    RecursionError,
    # A number that no double holds.
    OverflowError,
    SystemError,
    TypeError,
    ValueError,
    json_format.ParseError,
)
# The codes of gRPC that stand for a status of HTTP. Source: google.rpc.Code.
INTERNAL: Final = 13
GRPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 409: 9, 413: 8, 415: 3, 429: 8, 500: INTERNAL, 503: 14}


def decode(content: bytes, content_type: str) -> ExportLogsServiceRequest:
    """The request; raises ``InvalidDocument``, whose message holds nothing of it."""
    request = ExportLogsServiceRequest()
    try:
        if content_type == JSON:
            json_format.ParseDict(_object(read_json(content)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(content)
    except UNREADABLE:
        # Their messages quote what they could not read.
        raise refusal("bad_syntax", "is not an ExportLogsServiceRequest") from None
    return request


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def encode_answer(content_type: str, *, rejected: int, message: str) -> bytes:
    """The answer to a request that was taken, with how many records were refused, and why."""
    answer = ExportLogsServiceResponse()
    if rejected:
        answer.partial_success.rejected_log_records = rejected
        answer.partial_success.error_message = message
    return _encode(answer, content_type)


def encode_error(content_type: str, *, status: int, message: str) -> bytes:
    """The body of an error: OTLP wants ``google.rpc.Status``."""
    return _encode(Status(code=GRPC_CODES.get(status, INTERNAL), message=message), content_type)


def _encode(message: Message, content_type: str) -> bytes:
    if content_type == JSON:
        return bytes(json_format.MessageToJson(message, indent=None).encode())
    return bytes(message.SerializeToString())
