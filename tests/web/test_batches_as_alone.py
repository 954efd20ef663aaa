"""A request of a batch goes the road of a request that is sent alone: what it asks for is what it gets."""

from pathlib import Path
from typing import Any

import pytest

from antiphon.config import StoreSettings, TurnLimits
from antiphon.testing import Bridge
from tests.service.server_tools import ScriptedTool
from tests.web import searching_app
from tests.web.batches import Client, Json, app, params
from tests.web.files_app import FORM, form, part
from tests.web.searching_app import SEARCH, kinds, says, search
from tests.web.thinking_app import ThinkingApp, reply
from tests.web.thinking_app import ask as think

MARK = {"cache_control": {"type": "ephemeral"}}


def kept(folder: Path) -> dict[str, Any]:
    return {"stores": StoreSettings(data=str(folder)), "drain_timeout": 0.0}


def row(name: str, params: Json) -> Json:
    return {"custom_id": name, "params": params}


async def message(bridge: Bridge, params: Json, headers: dict[str, str | None] | None = None) -> Json:
    """The reply to a request in a batch."""
    client = Client(bridge, headers)
    result = (await client.results(await client.create(row("one", params))))["one"]
    assert result["type"] == "succeeded", result
    return result["message"]


def same(one: Json, other: Json) -> bool:
    """Whether two replies say the same, but for ids, seals and the tier."""
    return [blanked(one), one["stop_reason"], counts(one)] == [blanked(other), other["stop_reason"], counts(other)]


def blanked(reply: Json) -> list[Json]:
    return [
        {key: value for key, value in block.items() if key not in ("id", "signature")} for block in reply["content"]
    ]


def counts(reply: Json) -> Json:
    return {key: value for key, value in reply["usage"].items() if key != "service_tier"}


@pytest.mark.promise("batches.as-online", "batches.tier")
async def test_thoughts_are_thought_and_told_as_ever(tmp_path: Path) -> None:
    script = reply("Four.", "thinking = 'Two and two.'")
    async with ThinkingApp(script, **kept(tmp_path)) as served:
        in_batch = await message(served.bridge, think())
        alone = await served.reply(think())
    assert [block["type"] for block in in_batch["content"]] == ["thinking", "text"]
    assert same(in_batch, alone)
    assert (in_batch["usage"]["service_tier"], alone["usage"]["service_tier"]) == ("batch", "standard")


@pytest.mark.promise("batches.as-online")
async def test_server_tools_run(tmp_path: Path) -> None:
    rules = (says("Cats purr.", prompt="All about"), says(search(), "Tell me"))
    async with searching_app.app(*rules, **kept(tmp_path)) as served:
        found = await message(served.bridge, searching_app.ask())
    assert kinds(found) == ["server_tool_use", "web_search_tool_result", "text"]
    assert found["usage"]["server_tool_use"]["web_search_requests"] == 1


@pytest.mark.promise("batches.longer-turns")
async def test_a_turn_with_the_servers_tools_lasts_longer_before_it_pauses(tmp_path: Path) -> None:
    tool, turn = ScriptedTool(), TurnLimits(rounds=2)
    asked = searching_app.ask(max_tokens=4000)
    async with searching_app.app(says(search()), tools=[tool], turn=turn, **kept(tmp_path)) as served:
        alone = await served.reply(asked)
        in_batch = await message(served.bridge, asked)
    assert (alone["stop_reason"], kinds(alone).count("server_tool_use")) == ("pause_turn", 2)
    assert (in_batch["stop_reason"], kinds(in_batch).count("server_tool_use")) == ("pause_turn", 20)


@pytest.mark.promise("batches.as-online", "batches.together")
async def test_requests_that_begin_alike_are_read_from_the_cache(tmp_path: Path) -> None:
    system = [{"type": "text", "text": "word " * 5000, **MARK}]
    async with app(tmp_path) as bridge:
        first = await message(bridge, think(system=system, thinking=None))
        second = await message(bridge, think("Another.", system=system, thinking=None))
    written = first["usage"]["cache_creation_input_tokens"]
    assert written > 0
    assert second["usage"]["cache_read_input_tokens"] == written


@pytest.mark.promise("batches.as-online")
async def test_the_beta_headers_of_the_call_hold_for_every_request(tmp_path: Path) -> None:
    edits: Json = {"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}
    async with app(tmp_path) as bridge:
        with_header = await message(bridge, think(**edits), {"anthropic-beta": "context-management-2025-06-27"})
        assert with_header["context_management"] == {"applied_edits": []}
        client = Client(bridge)
        result = (await client.results(await client.create(row("one", think(**edits)))))["one"]
        assert result["error"]["error"]["message"] == "context_management: Extra inputs are not permitted"


@pytest.mark.promise("batches.long-output")
@pytest.mark.parametrize(
    ("model", "most", "header", "taken"),
    [
        ("claude-opus-5", 300_000, True, True),
        ("claude-opus-5", 300_001, True, False),
        ("claude-opus-5", 200_000, False, False),
        ("claude-opus-5-5", 200_000, True, False),
    ],
)
async def test_replies_may_be_long_where_the_header_and_the_model_say_so(
    tmp_path: Path, model: str, most: int, header: bool, taken: bool
) -> None:
    asked = think(model=model, max_tokens=most, thinking=None)
    betas = {"anthropic-beta": "output-300k-2026-03-24"} if header else {}
    async with app(tmp_path) as bridge:
        client = Client(bridge, betas)
        result = (await client.results(await client.create(row("one", asked))))["one"]
        assert (result["type"] == "succeeded") is taken, result
        assert (await bridge.post(asked, headers=betas)).status == 400  # alone it is too long in any case


async def test_a_tool_call_of_the_clients_ends_the_reply(tmp_path: Path) -> None:
    call = says(searching_app.section(searching_app.invoke("look")))
    async with searching_app.app(call, tools=[], **kept(tmp_path)) as served:
        found = await message(served.bridge, searching_app.ask(tools=[searching_app.LOOK]))
    assert (kinds(found), found["stop_reason"]) == (["tool_use"], "tool_use")
    assert SEARCH not in found["content"]


@pytest.mark.promise("batches.as-online", "files.used-by-id")
async def test_requests_read_the_files_of_whoever_made_the_batch_and_of_nobody_else(tmp_path: Path) -> None:
    script = says('<cite document="1" at="1">seventeen</cite>', prompt="17 thalers") + says("Lost.")
    keys: dict[str, dict[str, str | None]] = {key: {"x-api-key": key} for key in ("mine", "theirs")}
    async with app(tmp_path, script, api_keys=tuple(keys)) as bridge:
        bill = form(part("file", b"The bill was 17 thalers. It is paid.", "bill.txt", "text/plain"))
        uploaded = await bridge.ask("POST", "/v1/files", bill, headers={**FORM, **keys["mine"]})
        source = {"type": "file", "file_id": uploaded.json["id"]}
        document = {"type": "document", "source": source, "citations": {"enabled": True}}
        asked = params([document, {"type": "text", "text": "How much?"}])
        [block] = (await message(bridge, asked, keys["mine"]))["content"]
        assert (block["text"], block["citations"][0]["file_id"]) == ("seventeen", uploaded.json["id"])
        others = Client(bridge, keys["theirs"])
        result = (await others.results(await others.create(row("one", asked))))["one"]
        assert (result["type"], result["error"]["error"]["type"]) == ("errored", "not_found_error")
