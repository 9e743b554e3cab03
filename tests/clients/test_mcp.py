"""The official client of the Model Context Protocol, against the studio behind its web server."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tenants.roles import Role
from tests.clients.server import RunningStudio
from tests.studio.api.calls import caller_with_role
from tests.studio.api.compat.sending import Shop
from tests.telemetry.factories import ingest, make_incoming, make_installation

MODES = ["auto", "legacy", "2026-07-28"]


def in_session(address: str, key: str, mode: str, deed: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
    """What the deed returns, done in a session of its own."""

    async def run() -> Any:
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http:
            transport = streamable_http_client(f"{address}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await deed(client)

    return anyio.run(run)


def key_of(role: Role | None, shop: Shop) -> str:
    caller = caller_with_role(role, shop.installation.tenant)
    return caller.headers["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("mode", MODES)
def test_it_finds_tools_and_asks_all_of_them(studio: RunningStudio, shop: Shop, mode: str) -> None:
    ingest(shop.installation, make_incoming(name="Order Completed", properties={"stray": "alice@example.com"}))
    place = str(shop.installation.public_id)
    order = {"orderId": "A-1", "email": "alice@example.com"}

    async def deed(client: Client) -> dict[str, Any]:
        names = [tool.name for tool in (await client.list_tools()).tools]
        violations = (await client.call_tool("list_violations", {})).structured_content
        calls: dict[str, dict[str, Any]] = {
            "search_events": {"query": "order"},
            "get_event": {"name": "Order Completed", "version": 1},
            "list_installations": {},
            "get_effective_config": {"installation": place, "event": "Order Completed", "explain": True},
            "list_violations": {"installation": place},
            "get_violation": {"id": violations["items"][0]["id"]},
            "validate_sample": {"installation": place, "name": "Order Completed", "version": 1, "properties": order},
        }
        assert names == list(calls)
        results = {name: await client.call_tool(name, arguments) for name, arguments in calls.items()}
        assert not any(result.is_error for result in results.values())
        return {name: result.structured_content for name, result in results.items()}

    found = in_session(studio.address, key_of(Role.VIEWER, shop), mode, deed)

    assert [each["version"] for each in found["search_events"]["items"]] == [1, 2]
    assert found["get_event"]["event"]["properties"]["orderId"] == {"type": "string", "required": True}
    assert [each["id"] for each in found["list_installations"]["items"]] == [place]
    assert len(found["get_effective_config"]["details"]) == 2
    assert found["list_violations"]["total"] == 2
    assert found["get_violation"]["violation"]["count"] == 1
    assert found["validate_sample"]["verdict"] == "valid"
    assert "alice" not in str(found)
    assert "alice" not in studio.log.read_text()


@pytest.mark.parametrize("mode", MODES)
def test_it_hears_what_is_wrong(studio: RunningStudio, shop: Shop, mode: str) -> None:
    async def deed(client: Client) -> list[Any]:
        missing = await client.call_tool("get_event", {"name": "nowhere"})
        wrong = await client.call_tool("search_events", {"pageSize": 1_000})
        with pytest.raises(MCPError, match="no such tool"):
            await client.call_tool("forget_everything", {})
        return [missing, wrong]

    missing, wrong = in_session(studio.address, key_of(Role.VIEWER, shop), mode, deed)

    assert (missing.is_error, wrong.is_error) == (True, True)
    assert missing.content[0].text.startswith("unknown_event")
    assert "pageSize: must be at most 100" in wrong.content[0].text


def test_sessions_of_two_tenants_never_see_each_other(studio: RunningStudio, shop: Shop) -> None:
    other = make_installation("other")

    async def places(client: Client) -> list[str]:
        found = (await client.call_tool("list_installations", {})).structured_content
        return [each["tenant"] for each in found["items"]]

    ours = key_of(Role.VIEWER, shop)
    theirs = caller_with_role(Role.VIEWER, other.tenant).headers["Authorization"].removeprefix("Bearer ")
    for _ in range(3):
        assert in_session(studio.address, ours, "auto", places) == ["acme"]
        assert in_session(studio.address, theirs, "auto", places) == ["other"]


@pytest.mark.parametrize("mode", MODES[:2])
def test_a_wrong_key_connects_nobody(studio: RunningStudio, shop: Shop, mode: str) -> None:
    async def deed(client: Client) -> None:
        raise AssertionError

    with pytest.raises(Exception, match=r"401|Unauthorized|unhandled") as raised:
        in_session(studio.address, "tgs_wrong", mode, deed)

    assert "tgs_wrong" not in str(raised.value)
