"""MCP servers that mean harm, or are only broken: each costs bounded time and memory, and is told in plain words."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.config import McpSettings, NetworkSettings
from antiphon.network.streaming import GuardedHosts
from antiphon.ports.mcp import McpFault, McpHost, McpListed
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
    async def wrong(message: Json) -> Json:
        return {"tools": "all of them"}

    async with connected(Raw({"tools/list": wrong})) as (connector, host):
        assert (await fault_of(connector, McpHost("docs", host.url()))).message == LOST


@pytest.mark.promise("mcp.hostile-servers")
async def test_an_entry_that_is_no_tool_is_left_out_and_logged_and_the_others_are_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    true: Json = {"type": "object", "properties": {"x": True}}
    entries: list[Any] = [
        {"name": "array", "inputSchema": {"type": "array"}},
        {"name": 3, "inputSchema": {"type": "object"}},
        {"name": "none"},
        "nothing",
        {"name": "plain", "inputSchema": {}, "icons": 3, "annotations": "all", "description": 7},
        {"name": "anything", "inputSchema": true, "outputSchema": {"type": "array"}, "description": "Takes all."},
    ]
    async with connected(Raw({"tools/list": listing(*entries)})) as (connector, host):
        tools = await connector.tools(McpHost("docs", host.url()))
    assert list(tools) == [
        McpListed("plain", "", {"type": "object"}),
        McpListed("anything", "Takes all.", true),
    ]
    assert sum("a tool is left out" in record.getMessage() for record in caplog.records) == 4


@pytest.mark.promise("mcp.hostile-servers")
@pytest.mark.parametrize(
    "promised",
    [
        {"type": "object", "properties": {"x": {"pattern": "^(a+)+$"}}},
        {"$ref": "http://127.0.0.1:{port}/schema", "type": "object"},
        {"type": "object", "properties": {"x": {"type": "integer"}}},
    ],
    ids=["a pattern without end", "a schema elsewhere", "a lie"],
)
async def test_what_a_tool_promises_of_its_results_is_neither_judged_nor_fetched(promised: Json) -> None:
    elsewhere = Raw(status=404)

    async def call(message: Json) -> Json:
        return {"content": [], "structuredContent": {"x": "a" * 64 + "!"}}

    async with connected(elsewhere) as (_, other):
        schema = {
            key: value.format(port=other.port) if isinstance(value, str) else value for key, value in promised.items()
        }
        tool: Json = {"name": "look", "inputSchema": {"type": "object"}, "outputSchema": schema}
        raw = Raw({"tools/list": listing(tool), "tools/call": call})
        async with connected(raw) as (connector, host):
            sessions = connector.sessions()
            async with asyncio.timeout(20):
                outcome = await sessions.call(McpHost("docs", host.url()), "look", {})
            await sessions.aclose()
        assert other.asked == []
    assert outcome.content == [{"type": "text", "text": f'{{"x":"{"a" * 64}!"}}'}]
    assert "tools/list" not in [message["method"] for message in raw.called]


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


@pytest.mark.promise("mcp.one-session")
async def test_a_session_that_its_server_has_forgotten_is_begun_anew_with_the_next_call() -> None:
    class Forgetful(Raw):
        forgets = False

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if self.forgets:
                await Raw(status=404)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)

    async def call(message: Json) -> Json:
        return {"content": [{"type": "text", "text": "seen"}]}

    raw = Forgetful({"tools/call": call}, headers={"mcp-session-id": "one"})
    async with connected(raw) as (connector, host):
        sessions, there = connector.sessions(), McpHost("docs", host.url())
        assert not (await sessions.call(there, "look", {})).is_error
        raw.forgets = True
        with pytest.raises(McpFault):
            await sessions.call(there, "look", {})
        raw.forgets = False
        assert not (await sessions.call(there, "look", {})).is_error
        await sessions.aclose()
    assert [message["method"] for message in raw.called].count("initialize") == 2


@pytest.mark.promise("mcp.transports", "mcp.hostile-servers")
async def test_a_stream_of_events_may_be_longer_than_any_of_its_answers_but_no_event_may() -> None:
    server = MCPServer("long")

    @server.tool(structured_output=False)
    def tell(size: int) -> str:  # pyright: ignore[reportUnusedFunction]
        return "x" * size

    async with connected(server.sse_app(), max_bytes=20_000) as (connector, host):
        sessions, there = connector.sessions(), McpHost("docs", host.url("/sse"))
        for _ in range(4):
            assert not (await sessions.call(there, "tell", {"size": 9_000})).is_error
        with pytest.raises(McpFault) as caught:
            await sessions.call(there, "tell", {"size": 30_000})
        assert caught.value.message == "The tool's result is too large."
        assert not (await sessions.call(there, "tell", {"size": 10})).is_error
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


async def test_whoever_speaks_to_a_server_keeps_the_levels_of_its_own_log() -> None:
    def levels() -> list[int]:
        return [logging.getLogger(name).level for name in ("mcp", "client", "httpx2")]

    before = levels()
    async with connected(Raw()) as (connector, host):
        await connector.tools(McpHost("docs", host.url()))
    assert levels() == before
