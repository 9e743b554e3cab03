"""Talking to the endpoint as clients of either era do, without a library."""

from typing import Any

from tests.studio.api.calls import Caller

__all__ = ["ask", "call", "failure", "stateless"]

VERSION = "2026-07-28"


def ask(caller: Caller, method: str, params: Any = None, **headers: str) -> Any:
    """The answer to one request, of a client that has initialized."""
    return caller.post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}, **headers)


def stateless(caller: Caller, method: str, params: Any = None, **headers: str) -> Any:
    """The answer to one request that stands alone."""
    meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
    named = {"Mcp_Name": params["name"]} if method == "tools/call" else {}
    sent = {"MCP_Protocol_Version": VERSION, "Mcp_Method": method, **named, **headers}
    return ask(caller, method, {**(params or {}), "_meta": meta}, **sent)


def call(caller: Caller, tool: str, **arguments: Any) -> Any:
    """What the tool answers."""
    result = ask(caller, "tools/call", {"name": tool, "arguments": arguments}).json()["result"]
    assert not result["isError"], result["content"]
    return result["structuredContent"]


def failure(caller: Caller, tool: str, **arguments: Any) -> str:
    """What the tool says is wrong."""
    result = ask(caller, "tools/call", {"name": tool, "arguments": arguments}).json()["result"]
    assert result["isError"]
    assert "structuredContent" not in result
    return str(result["content"][0]["text"])
