"""Revisions of the protocol: those that begin with a handshake, and those in which each request stands alone."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from studio.mcp.messages import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Message, RpcError

__all__ = ["HANDSHAKE_VERSIONS", "VERSIONS", "Era", "agreed_version", "era_of"]

HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS_VERSIONS: Final = ("2026-07-28",)
# What we speak, the newest first.
VERSIONS: Final = (*reversed(STATELESS_VERSIONS), *reversed(HANDSHAKE_VERSIONS))

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
# A header's value that is no plain ASCII travels as base64 between these signs.
_WRAPPED: Final = re.compile(r"=\?base64\?(.*)\?=").fullmatch


class Era(Enum):
    """How a client talks: ``HANDSHAKE`` since it initialized, ``STATELESS`` with all it has to say in each request."""

    HANDSHAKE = "handshake"
    STATELESS = "stateless"


def era_of(message: Message, headers: Mapping[str, str]) -> Era:
    """How the sender of the message talks; raises ``RpcError`` if it names no version of ours, or contradicts itself.

    ``headers`` are found by their names in any case.
    """
    version = headers.get("MCP-Protocol-Version")
    if version is not None and version not in VERSIONS:
        said = {"supported": list(VERSIONS), "requested": version[:64]}
        raise RpcError(UNSUPPORTED_VERSION, "this version of the protocol is not spoken here", said)
    if version not in STATELESS_VERSIONS and VERSION_KEY not in message.meta:
        return Era.HANDSHAKE
    if message.id is not None:
        _check_envelope(message, version, headers)
    return Era.STATELESS


def agreed_version(wanted: object) -> str:
    """The version to go on with after a handshake: the one that the client wants if we speak it, else our newest."""
    return wanted if isinstance(wanted, str) and wanted in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]


def _check_envelope(message: Message, version: str | None, headers: Mapping[str, str]) -> None:
    """Return if the request says all that it must, and the same in its headers and its body.

    Source: revision 2026-07-28, Streamable HTTP: whoever stands between reads headers, and must not be misled.
    """
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in message.meta]
    if missing:
        raise RpcError(INVALID_PARAMS, f"params._meta must have {' and '.join(missing)}")
    named: dict[str, Any] = {"MCP-Protocol-Version": message.meta[VERSION_KEY], "Mcp-Method": message.method}
    if message.method == "tools/call":
        named["Mcp-Name"] = message.params.get("name")
    said = {"MCP-Protocol-Version": version, "Mcp-Method": headers.get("Mcp-Method"), "Mcp-Name": _name_in(headers)}
    for header, value in named.items():
        if said[header] != value:
            raise RpcError(HEADER_MISMATCH, f"the header {header} must say what the body says")


def _name_in(headers: Mapping[str, str]) -> str | None:
    value = headers.get("Mcp-Name", "")
    wrapped = _WRAPPED(value)
    if wrapped is None:
        return value or None
    try:
        return base64.b64decode(wrapped[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
