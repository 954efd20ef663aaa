"""MCP servers beside what else the API has: the tool search, marks, thoughts, batches, owners' certificates."""

from pathlib import Path
from typing import Any

import pytest

from antiphon.config import AllowedHost, McpSettings, NetworkSettings
from antiphon.tools.tool_search import tool_searches
from tests.network.stand_in import authority
from tests.tools.mcp.hosts import serving, tools_server
from tests.web import batches, thinking_app
from tests.web.mcp_app import BETA, ask, mcp_app, server, toolset
from tests.web.searching_app import LOOK, invoke, kinds, resend, says, section
from tests.web.thinking_app import ThinkingApp, tokens

Json = dict[str, Any]

ADDS = says(section(invoke("add", a="2", b="3")), "Tell me.")

ANSWERS = says("It is 5.")


@pytest.mark.promise("mcp.deferred")
async def test_an_agent_with_sixty_deferred_tools_finds_one_calls_it_and_calls_it_again_without_a_search() -> None:
    search: Json = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
    deferred = toolset(default_config={"defer_loading": True})
    rules = (
        says(section(invoke("tool_search_tool_regex", pattern="thing_42")), "Tell me."),
        says(section(invoke("thing_42")), "Once more.", times=1),
        says(section(invoke("thing_42")), prompt="Does thing number 42.", times=1),
        says("It ran."),
    )
    async with (
        serving(tools_server(60).streamable_http_app()) as host,
        mcp_app(*rules, hosts=(host,), tools=tool_searches()) as it,
    ):
        request = ask(server(host.url()), tools=[search, LOOK, deferred])
        counted = await it.count(request, BETA)
        assert counted == await it.count(ask(tools=[search, LOOK]), BETA)
        reply = await it.reply(request, BETA)
        assert "Does thing number" not in it.prompts[0]
        assert "Does thing number 42." in it.prompts[1]
        assert "Does thing number 41." not in it.prompts[1]
        again = resend(request, reply)
        again["messages"].append({"role": "user", "content": "Once more."})
        second = await it.reply(again, BETA)
        assert "Does thing number 42." in it.prompts[-1]
    found = ["server_tool_use", "tool_search_tool_result", "mcp_tool_use", "mcp_tool_result", "text"]
    assert kinds(reply) == found
    assert reply["content"][3]["content"] == [{"type": "text", "text": "tool 42 ran"}]
    assert kinds(second) == found[2:]


@pytest.mark.promise("mcp.cached")
async def test_a_mark_on_a_toolset_caches_up_to_its_last_tool_that_is_not_deferred() -> None:
    later: Json = {"name": "later", "description": "Comes later.", "input_schema": {"type": "object"}}
    last: Json = {"defer_loading": True}
    kept = toolset(cache_control={"type": "ephemeral"}, configs={"thing_59": last})
    async with serving(tools_server(60).streamable_http_app()) as host, mcp_app(ANSWERS, hosts=(host,)) as it:
        plain = {**ask(server(host.url()), tools=[kept, later]), "model": "claude-opus-5"}
        first = (await it.reply(plain, BETA))["usage"]
        other = {**later, "description": "Is another."}
        said = {**kept, "configs": {"thing_59": {**last, "enabled": True}}}
        second = (await it.reply({**plain, "tools": [said, other]}, BETA))["usage"]
        prompt = it.prompts[0]
    created = first["cache_creation_input_tokens"]
    assert created >= tokens(prompt[: prompt.index("Does thing number 58.")])
    assert created <= tokens(prompt[: prompt.index("Comes later.")])
    assert (second["cache_read_input_tokens"], second["cache_creation_input_tokens"]) == (created, 0)


@pytest.mark.promise("mcp.thinking")
async def test_a_model_thinks_calls_a_tool_of_a_server_and_the_turn_can_be_sent_back() -> None:
    script = (
        thinking_app.thought("I add.</thinking>", "times = 1")
        + says(section(invoke("add", a="2", b="3")), "Tell me.", times=1)
        + says("It is 5.")
    )
    async with serving(tools_server().streamable_http_app()) as host:
        network = NetworkSettings(allow_hosts=(host.allowed,))
        async with ThinkingApp(script, network=network, mcp=McpSettings()) as it:
            thinking = {"type": "enabled", "budget_tokens": 2000}
            request = {**ask(server(host.url())), "max_tokens": 4000, "thinking": thinking}
            reply = await it.reply(request, BETA)
            again = resend(request, reply)
            again["messages"].append({"role": "user", "content": "Thanks."})
            assert "text" in kinds(await it.reply(again, BETA))
    assert kinds(reply) == ["thinking", "mcp_tool_use", "mcp_tool_result", "text"]
    assert reply["content"][0]["thinking"] == "I add."
    assert reply["content"][0]["signature"]


@pytest.mark.promise("mcp.in-batches")
async def test_requests_of_a_batch_name_servers_too_and_one_that_is_dead_costs_its_own_request_alone(
    tmp_path: Path,
) -> None:
    async with serving(tools_server().streamable_http_app()) as host, serving(tools_server().sse_app()) as gone:
        pass
    async with serving(tools_server().streamable_http_app()) as host:
        network = NetworkSettings(allow_hosts=(host.allowed, gone.allowed))
        async with batches.app(tmp_path, ADDS + ANSWERS, network=network, mcp=McpSettings()) as bridge:
            client = batches.Client(bridge, {"anthropic-beta": BETA})
            asked = [{"custom_id": "one", "params": ask(server(host.url()))}]
            asked += [{"custom_id": "two", "params": ask(server(gone.url("/sse")))}]
            found = await client.results(await client.create(*asked))
    assert kinds(found["one"]["message"]) == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert found["two"]["type"] == "errored"
    assert found["two"]["error"]["error"]["message"].startswith("Connection error while communicating with MCP")


@pytest.mark.promise("mcp.own-certificates")
async def test_a_server_inside_speaks_tls_with_its_owners_authority_and_no_other(tmp_path: Path) -> None:
    authority().cert_pem.write_to_path(tmp_path / "authority.pem")
    chain = tmp_path / "host.pem"
    authority().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(chain)
    async with serving(tools_server().streamable_http_app(), chain=chain) as host:
        url = f"https://localhost:{host.port}/mcp"
        allowed = (AllowedHost("https", "localhost", host.port),)
        for ca_file in (str(tmp_path / "authority.pem"), None):
            network = NetworkSettings(allow_hosts=allowed, ca_file=ca_file)
            async with ThinkingApp(ADDS + ANSWERS, network=network, mcp=McpSettings()) as it:
                answer = await it.post(ask(server(url, authorization_token="secret")), BETA)
                if ca_file is not None:
                    assert kinds(answer.json) == ["mcp_tool_use", "mcp_tool_result", "text"]
                    assert host.tokens == {"Bearer secret"}
                    host.asked.clear()
                else:
                    assert answer.status == 400
                    assert host.asked == []


CHANGES = "mid-conversation-tool-changes-2026-07-01"


def changed(*blocks: tuple[str, Json], **more: Any) -> Json:
    """A request whose system message changes tools of the server `calc`."""
    told = [{"type": kind, "tool": {"server_name": "calc", **tool}} for kind, tool in blocks]
    messages = [{"role": "user", "content": "Tell me."}, {"role": "system", "content": told}]
    return {"messages": messages, "model": "claude-opus-4-8", **more}


@pytest.mark.promise("mcp.changes")
async def test_tools_of_a_server_come_and_go_by_reference_one_and_all() -> None:
    add: Json = {"type": "mcp_tool_reference", "name": "add"}
    everything: Json = {"type": "mcp_toolset_reference"}
    deferred = toolset(default_config={"defer_loading": True})
    rules = (says(section(invoke("add", a="2", b="3")), prompt="Adds two numbers.", times=1), ANSWERS)
    async with serving(tools_server().streamable_http_app()) as host, mcp_app(*rules, hosts=(host,)) as it:
        entry = server(host.url())

        async def reply(tools: list[Json], *blocks: tuple[str, Json]) -> Json:
            return await it.reply({**ask(entry, tools=tools), **changed(*blocks)}, BETA, CHANGES)

        one = await reply([LOOK, deferred], ("tool_addition", add))
        assert "Adds two numbers." in it.prompts[0]
        assert "Always fails." not in it.prompts[0]
        assert kinds(one) == ["mcp_tool_use", "mcp_tool_result", "text"]
        await reply([LOOK, deferred], ("tool_addition", everything), ("tool_removal", add))
        assert "Always fails." in it.prompts[-1]
        gone = ask(entry, tools=[LOOK, toolset()], tool_choice={"type": "tool", "name": "add"})
        message = await it.refusal({**gone, **changed(("tool_removal", everything))}, BETA, CHANGES)
        assert message == "Tool 'add' not found in provided tools"


@pytest.mark.promise("mcp.changes")
async def test_a_reference_to_a_tool_that_no_server_has_is_refused_once_they_were_asked() -> None:
    async with serving(tools_server().streamable_http_app()) as host, mcp_app(ANSWERS, hosts=(host,)) as it:
        for server_name, said in (("calc", "calc/gone"), ("other", "other/gone")):
            tool = {"type": "mcp_tool_reference", "server_name": server_name, "name": "gone"}
            request = {**ask(server(host.url())), **changed(("tool_addition", tool))}
            message = await it.refusal(request, BETA, CHANGES)
            assert message == f"messages.1.content.0: Tool reference '{said}' not found in available tools"
