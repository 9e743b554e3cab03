"""The protocol itself: both eras, versions, errors, and who may connect."""

from typing import Any

import pytest
from django.db import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pytest_django import Settings

from studio.mcp.catalogue import TOOLS
from studio.mcp.eras import HANDSHAKE_VERSIONS, VERSIONS
from studio.mcp.reading import reading_only
from studio.mcp.tool import describe_tool
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.strategies import json_values
from tests.studio.api.calls import Caller, caller_with_role, code_of, signed_in
from tests.studio.mcp.asking import ask, call, stateless
from tests.telemetry.factories import everything_stored, make_published
from tests.tenants.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Caller:
    return caller_with_role(Role.VIEWER)


def error_of(answer: Any) -> tuple[int, int]:
    """The HTTP status, and the code of JSON-RPC."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
def test_a_handshake_agrees_on_the_version_that_the_client_wants(viewer: Caller, version: str) -> None:
    answer = ask(viewer, "initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {}})

    result = answer.json()["result"]
    assert (result["protocolVersion"], result["capabilities"]) == (version, {"tools": {"listChanged": False}})
    assert result["serverInfo"]["name"] == "telemetry-studio"
    assert viewer.post("/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202
    assert ask(viewer, "ping", MCP_Protocol_Version=version).json()["result"] == {}


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", 7, None])
def test_a_handshake_with_another_version_is_offered_the_newest(viewer: Caller, version: Any) -> None:
    answer = ask(viewer, "initialize", {"protocolVersion": version})

    assert answer.json()["result"]["protocolVersion"] == HANDSHAKE_VERSIONS[-1]


def test_a_request_that_stands_alone_needs_no_handshake(viewer: Caller) -> None:
    found = stateless(viewer, "server/discover").json()["result"]
    tools = stateless(viewer, "tools/list").json()["result"]

    assert found["supportedVersions"] == list(VERSIONS)
    for result in (found, tools):
        assert (result["resultType"], result["cacheScope"]) == ("complete", "private")
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "telemetry-studio"
    assert [tool["name"] for tool in tools["tools"]] == list(TOOLS)


def test_headers_must_say_what_the_body_says(viewer: Caller) -> None:
    params = {"name": "search_events", "arguments": {}}

    assert error_of(stateless(viewer, "tools/call", params, Mcp_Name="get_event")) == (400, -32020)
    assert error_of(stateless(viewer, "tools/list", Mcp_Method="tools/call")) == (400, -32020)
    assert error_of(stateless(viewer, "tools/list", MCP_Protocol_Version="2025-06-18")) == (400, -32020)
    wrapped = "=?base64?c2VhcmNoX2V2ZW50cw==?="
    assert stateless(viewer, "tools/call", params, Mcp_Name=wrapped).json()["result"]["resultType"] == "complete"
    assert error_of(stateless(viewer, "tools/call", params, Mcp_Name="=?base64?%%?=")) == (400, -32020)


def test_a_version_that_nobody_speaks_is_refused_with_those_that_we_do(viewer: Caller) -> None:
    answer = ask(viewer, "tools/list", MCP_Protocol_Version="2099-01-01")

    assert error_of(answer) == (400, -32022)
    assert answer.json()["error"]["data"] == {"supported": list(VERSIONS), "requested": "2099-01-01"}


@pytest.mark.parametrize("method", ["resources/list", "prompts/list", "logging/setLevel", "tools/forget", ""])
def test_a_method_that_is_none_has_a_code_and_of_the_newer_era_a_status(viewer: Caller, method: str) -> None:
    assert error_of(ask(viewer, method)) == (200, -32601)
    if method:
        assert error_of(stateless(viewer, method)) == (404, -32601)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b'{"jsonrpc": "2.0", "jsonrpc": "2.0", "id": 1, "method": "ping"}', -32600),
        (b"[]", -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "result": {}}', -32600),
    ],
)
def test_what_is_no_message_is_refused(viewer: Caller, body: bytes, code: int) -> None:
    answer = viewer.send("POST", "/mcp", body)

    assert error_of(answer) == (400, code)


def test_a_tool_that_is_none_is_an_error_of_the_protocol(viewer: Caller) -> None:
    answer = ask(viewer, "tools/call", {"name": "drop_tables", "arguments": {}})

    assert error_of(answer) == (200, -32602)
    assert "search_events" in answer.json()["error"]["message"]
    assert "drop_tables" not in answer.content.decode()


def test_every_tool_says_that_it_only_reads_and_has_valid_schemas(viewer: Caller) -> None:
    tools = ask(viewer, "tools/list").json()["result"]["tools"]

    assert len(tools) == 7
    for tool in tools:
        assert tool["annotations"]["readOnlyHint"] is True
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False


@given(arguments=json_values(), name=st.sampled_from(sorted(TOOLS)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_arguments_give_an_answer_or_a_clear_refusal(viewer: Caller, arguments: Any, name: str) -> None:
    answer = ask(viewer, "tools/call", {"name": name, "arguments": arguments})

    result = answer.json()["result"]
    assert answer.status_code == 200
    assert result["isError"] is not ("structuredContent" in result)


def test_nothing_that_a_tool_does_can_write(viewer: Caller) -> None:
    before = everything_stored()

    with pytest.raises(DatabaseError, match="read-only"), reading_only():
        make_tenant("sneaky")

    make_tenant("allowed")
    assert len(everything_stored()["tenants.Tenant"]) == len(before["tenants.Tenant"]) + 1


def test_a_call_leaves_nothing_behind_but_that_the_key_was_used(viewer: Caller) -> None:
    make_published()
    call(viewer, "search_events")
    before = everything_stored()

    for tool in TOOLS:
        ask(viewer, "tools/call", {"name": tool, "arguments": {}})

    assert everything_stored() == before


def test_only_keys_open_it() -> None:
    person = signed_in(make_user(is_superuser=True))

    assert (ask(Caller(), "ping").status_code, ask(person, "ping").status_code) == (401, 401)
    answer = ask(Caller(key="tgs_wrong"), "ping")
    assert (answer.status_code, code_of(answer)) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_a_person_without_a_role_learns_nothing() -> None:
    nobody = caller_with_role(None)
    make_published()

    for tool in TOOLS:
        arguments = {"name": "sigil.telemetry.workflow_step", "installation": "acme/sigil/production", "id": 1}
        known = describe_tool(TOOLS[tool])["inputSchema"]["properties"]
        sent = {name: value for name, value in arguments.items() if name in known}
        result = ask(nobody, "tools/call", {"name": tool, "arguments": sent}).json()["result"]
        assert result["isError"], tool
        assert result["content"][0]["text"].startswith(("not_allowed", "not_found")), tool
    assert AuditEntry.objects.filter(action="access.denied").count() == 0


def test_pages_of_other_sites_have_no_access(viewer: Caller) -> None:
    assert ask(viewer, "ping", Origin="http://testserver").status_code == 200

    answer = ask(viewer, "ping", Origin="https://evil.example")

    assert (answer.status_code, code_of(answer)) == (403, "cross_site_request")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_there_are_neither_streams_nor_sessions(viewer: Caller, method: str) -> None:
    answer = viewer.send(method, "/mcp", Accept="text/event-stream, application/json")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_body_that_is_too_large_or_of_another_type_is_refused(viewer: Caller, settings: Settings) -> None:
    settings.STUDIO_REQUEST_MAX_BYTES = 100

    assert viewer.send("POST", "/mcp", b"{" + b" " * 200 + b"}").status_code == 413
    assert viewer.send("POST", "/mcp", b"{}", "text/plain").status_code == 415


def test_a_caller_may_ask_only_so_often(viewer: Caller, settings: Settings) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = 0

    answer = ask(viewer, "ping")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
