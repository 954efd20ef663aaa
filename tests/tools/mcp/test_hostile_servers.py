"""MCP servers that mean harm, or are only broken: each costs bounded time and memory, and is told in plain words."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp

from antiphon.config import McpSettings, NetworkSettings
from antiphon.network.streaming import GuardedHosts
from antiphon.ports.mcp import McpFault, McpHost
from antiphon.tools.mcp.connector import Connector
from tests.tools.mcp.hosts import Host, Raw, listing, serving

Json = dict[str, Any]

LOST = "Connection error while communicating with MCP server. The server may be unavailable or unresponsive."


class Clock:
    """Time as a test sets it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def connected(*apps: ASGIApp, clock: Clock | None = None, **settings: Any) -> AsyncGenerator[tuple[Any, ...]]:
    """A connector, and these servers, all of which its owner allows."""
    running: list[Any] = []
    try:
        hosts: list[Host] = []
        for app in apps:
            running.append(serving(app, lifespan=False))
            hosts.append(await running[-1].__aenter__())
        network = NetworkSettings(allow_hosts=tuple(host.allowed for host in hosts))
        guarded = GuardedHosts(network)
        settings.setdefault("connect_timeout", 5.0)
        given = McpSettings(**settings)
        yield (Connector(given, lambda: guarded.transport, clock or Clock()), *hosts)
        await guarded.aclose()
    finally:
        for each in reversed(running):
            await each.__aexit__(None, None, None)


async def fault_of(connector: Connector, host: McpHost) -> McpFault:
    """What is said where the tools cannot be had."""
    with pytest.raises(McpFault) as caught:
        async with asyncio.timeout(20):
            await connector.tools(host)
    return caught.value


@pytest.mark.promise("mcp.dead-server")
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "Connection error while communicating with MCP server: Server error: MCP server error (HTTP 500)"),
        (401, "Invalid authorization token for MCP server 'docs'. Please check your token and try again."),
        (404, LOST),
    ],
)
async def test_a_server_that_answers_with_an_error_is_told_in_the_apis_words(status: int, message: str) -> None:
    async with connected(Raw(status=status)) as (connector, host):
        fault = await fault_of(connector, McpHost("docs", host.url(), "secret"))
    assert fault.message == message
    assert "secret" not in fault.reason


@pytest.mark.promise("mcp.dead-server")
async def test_nobody_at_the_address_is_a_dead_server() -> None:
    async with connected(Raw()) as (connector, host):
        url = host.url()
    network = NetworkSettings(allow_hosts=(host.allowed,))
    connector = Connector(McpSettings(), lambda: GuardedHosts(network).transport)
    assert (await fault_of(connector, McpHost("docs", url))).message == LOST


@pytest.mark.promise("mcp.hostile-servers", "mcp.dead-server")
async def test_a_server_that_hangs_is_given_up() -> None:
    async def hang(message: Json) -> Json:
        await asyncio.Event().wait()
        return {}

    async with connected(Raw({"server/discover": hang, "initialize": hang}), connect_timeout=0.2) as (
        connector,
        host,
    ):
        assert (await fault_of(connector, McpHost("docs", host.url()))).message == LOST


@pytest.mark.promise("mcp.hostile-servers")
async def test_a_listing_that_never_ends_is_cut_off() -> None:
    async def more(message: Json) -> Json:
        tools = [{"name": f"t{n}", "inputSchema": {"type": "object"}} for n in range(40)]
        return {"tools": tools, "nextCursor": "on"}

    async with connected(Raw({"tools/list": more}), max_tools=100) as (connector, host):
        fault = await fault_of(connector, McpHost("docs", host.url()))
    assert fault.message == "MCP server 'docs' has more than 100 tools."


@pytest.mark.promise("mcp.hostile-servers")
async def test_an_empty_listing_that_never_ends_is_given_up() -> None:
    async def more(message: Json) -> Json:
        return {"tools": [], "nextCursor": "on"}

    async with connected(Raw({"tools/list": more}), connect_timeout=1.0) as (connector, host):
        assert (await fault_of(connector, McpHost("docs", host.url()))).message == LOST


@pytest.mark.promise("mcp.hostile-servers")
async def test_a_listing_that_is_none_is_a_dead_server() -> None:
    wrong = listing({"name": "a", "inputSchema": {"type": "array"}})
    async with connected(Raw({"tools/list": wrong})) as (connector, host):
        assert (await fault_of(connector, McpHost("docs", host.url()))).message == LOST


@pytest.mark.promise("mcp.hostile-servers", "mcp.tool-errors")
async def test_a_result_of_ten_megabytes_is_an_error_of_its_call() -> None:
    async def call(message: Json) -> Json:
        return {"content": [{"type": "text", "text": "x" * 10_000_000}]}

    async with connected(Raw({"tools/call": call}), max_bytes=100_000) as (connector, host):
        sessions = connector.sessions()
        with pytest.raises(McpFault) as caught:
            await sessions.call(McpHost("docs", host.url()), "look", {})
        assert caught.value.message == "The tool's result is too large."
        await sessions.aclose()


@pytest.mark.promise("mcp.hostile-servers", "mcp.tool-errors")
async def test_a_server_that_dies_in_a_call_is_an_error_and_the_next_call_begins_anew() -> None:
    died: list[bool] = []

    async def call(message: Json) -> Json:
        if not died:
            died.append(True)
            raise ConnectionResetError
        return {"content": [{"type": "text", "text": "alive"}]}

    async with connected(Raw({"tools/call": call}), timeout=2.0) as (connector, host):
        sessions = connector.sessions()
        there = McpHost("docs", host.url())
        try:
            first = await sessions.call(there, "look", {})
        except McpFault:
            first = None
        assert first is None or first.is_error
        assert (await sessions.call(there, "look", {})).content == [{"type": "text", "text": "alive"}]
        await sessions.aclose()


@pytest.mark.promise("mcp.token-to-its-server", "mcp.guarded")
async def test_a_redirect_to_another_host_is_not_followed_and_hears_nothing_of_the_token() -> None:
    async with connected(Raw()) as (_, other):
        away = Raw(status=307, headers={"location": other.url()})
        async with connected(away) as (connector, host):
            fault = await fault_of(connector, McpHost("docs", host.url(), "secret"))
            assert fault.message == LOST
            assert host.tokens == {"Bearer secret"}
        assert other.asked == []


@pytest.mark.promise("mcp.listing-kept")
async def test_a_listing_is_kept_for_its_token_and_for_a_while() -> None:
    raw, clock = Raw(), Clock()
    async with connected(raw, clock=clock, cache_seconds=60) as (connector, host):

        async def asked(token: str | None) -> int:
            before = sum(message["method"] == "tools/list" for message in raw.called)
            await connector.tools(McpHost("docs", host.url(), token))
            return sum(message["method"] == "tools/list" for message in raw.called) - before

        assert [await asked("a"), await asked("a"), await asked("b"), await asked(None)] == [1, 0, 1, 1]
        clock.now = 61.0
        assert await asked("a") == 1


@pytest.mark.promise("mcp.guarded")
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://10.0.0.1/mcp", LOST),
        ("https://169.254.169.254/latest", LOST),
        ("https://127.0.0.1/mcp", LOST),
        ("http://example.com/mcp", "MCP server 'docs': Only HTTPS URLs are supported."),
        ("file:///etc/passwd", "MCP server 'docs': Only HTTPS URLs are supported."),
        ("not a url", LOST),
    ],
)
async def test_what_is_not_public_or_not_https_is_not_visited(url: str, message: str) -> None:
    guarded = GuardedHosts(NetworkSettings())
    connector = Connector(McpSettings(connect_timeout=5.0), lambda: guarded.transport)
    fault = await fault_of(connector, McpHost("docs", url))
    assert fault.message == message
    await guarded.aclose()


@pytest.mark.promise("mcp.guarded")
async def test_a_name_that_resolves_to_the_inside_is_not_visited() -> None:
    class Inward:
        async def addresses(self, host: str, port: int) -> tuple[str, ...]:
            return ("93.184.215.14", "10.0.0.1")

        def close(self) -> None:
            """Nothing is held."""

    guarded = GuardedHosts(NetworkSettings(), Inward())
    connector = Connector(McpSettings(connect_timeout=5.0), lambda: guarded.transport)
    fault = await fault_of(connector, McpHost("docs", "https://mcp.example.com/"))
    assert fault.message == LOST
    assert "not public" in fault.reason
