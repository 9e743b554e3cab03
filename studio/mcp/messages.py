"""JSON-RPC 2.0 as the protocol uses it: one message in, one out."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from telemetry.core.codec import parse_document
from telemetry.core.documents import RepeatedKeys
from telemetry.core.errors import InvalidDocument

__all__ = [
    "HEADER_MISMATCH",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "UNSUPPORTED_VERSION",
    "Message",
    "RpcError",
    "read_message",
    "write_error",
    "write_result",
]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
# Codes of the protocol's own.
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022


class RpcError(Exception):
    """The message cannot be answered; ``code`` is JSON-RPC's or the protocol's."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A request, or a notification: that has no ``id`` and gets no answer."""

    method: str
    id: str | int | None = None
    params: Mapping[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        """What stands beside the parameters, about the request itself."""
        found = self.params.get("_meta")
        return found if isinstance(found, dict) else {}


def read_message(body: bytes) -> Message:
    """The one message in the body; raises ``RpcError``. Batches are none: the protocol has dropped them."""
    try:
        plain = parse_document(body, what="message", format="json")
    except InvalidDocument as error:
        raise RpcError(PARSE_ERROR, error.message) from None
    if not isinstance(plain, dict) or plain.get("jsonrpc") != "2.0" or not isinstance(plain.get("method"), str):
        raise RpcError(INVALID_REQUEST, "the body must be one JSON-RPC 2.0 request or notification")
    params = plain.get("params", {})
    if isinstance(plain, RepeatedKeys) or isinstance(params, RepeatedKeys):
        raise RpcError(INVALID_REQUEST, "no key may occur more than once")
    if not isinstance(params, dict):
        raise RpcError(INVALID_REQUEST, "params must be an object")
    identity = plain.get("id")
    if "id" in plain and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise RpcError(INVALID_REQUEST, "id must be a text or a whole number")
    return Message(method=plain["method"], id=identity, params=params)


def write_result(identity: str | int | None, result: Mapping[str, Any]) -> bytes:
    """The answer to the request with this id."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": identity, "result": result})


def write_error(identity: str | int | None, error: RpcError) -> bytes:
    """What is wrong with the request with this id; ``None`` if the id could not be read."""
    said: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        said["data"] = error.data
    return msgspec.json.encode({"jsonrpc": "2.0", "id": identity, "error": said})
