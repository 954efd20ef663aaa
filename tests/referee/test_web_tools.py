"""The server's own search and fetch, as a user configures them and as the official SDKs meet them."""

import asyncio
import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest

from tests.referee.conftest import GREEDY
from tests.referee.live import Live, live_process, run_client
from tests.referee.node import node
from tests.referee.small_web import SmallWeb, small_web

HERE = Path(__file__).parent
REQUEST: Any = {
    "model": "claude-opus-4-8",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "What is new about quantum computers?"}],
    "tools": [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        {"type": "web_fetch_20250910", "name": "web_fetch", "citations": {"enabled": True}},
    ],
}
SEARCHED = ["text", "server_tool_use", "web_search_tool_result"]
FETCHED = ["text", "server_tool_use", "web_fetch_tool_result"]
ANSWERED = ["text"] * 5


@contextmanager
def serving(tmp_path: Path, more: str = "") -> Generator[tuple[Live, SmallWeb]]:
    """The program over the small web; `more`: keys of `[server_tools]`."""
    script = Path(shutil.copy(HERE / "web_tools.toml", tmp_path / "script.toml"))
    config = tmp_path / "antiphon.toml"
    with small_web() as web:
        config.write_text(web.settings(script, more), "utf-8")
        with live_process("--config", str(config)) as live:
            yield live, web


@contextmanager
def client_of(live: Live) -> Generator[Any]:
    with anthropic.Anthropic(base_url=live.url, api_key="k", max_retries=0) as client:
        yield client.messages


@pytest.mark.promise("server-tools.web-search", "server-tools.web-fetch", "server-tools.sdk", "web-tools.configured")
def test_a_configured_server_searches_fetches_and_cites(tmp_path: Path) -> None:
    with serving(tmp_path) as (live, web), client_of(live) as messages:
        with messages.stream(**REQUEST) as stream:
            message = stream.get_final_message()
        assert [block.type for block in message.content] == [*SEARCHED, *FETCHED, *ANSWERED]
        citations = [block.citations[0] for block in message.content if getattr(block, "citations", None)]
        assert [citation.type for citation in citations] == ["web_search_result_location", "char_location"]
        assert citations[1].cited_text == "They are stable at last."
        assert message.usage.server_tool_use.web_search_requests == 1
        assert message.usage.server_tool_use.web_fetch_requests == 1
        assert [asked.params["q"] for asked in web.engine.asked] == ["quantum"]
        told = [{"role": "assistant", "content": message.content}, {"role": "user", "content": "Thanks."}]
        assert messages.create(**{**REQUEST, "messages": [*REQUEST["messages"], *told]}).stop_reason == "end_turn"


@pytest.mark.promise("server-tools.web-search", "server-tools.failures", "web-tools.chaos")
def test_a_provider_that_is_killed_in_the_middle_leaves_the_reply_whole(tmp_path: Path) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    with serving(tmp_path) as (live, web), client_of(live) as messages:
        web.engine.misbehave = hang
        killed = False
        with messages.stream(**REQUEST) as stream:
            for event in stream:
                if event.type == "content_block_stop" and event.content_block.type == "server_tool_use":
                    assert not killed
                    web.run(web.engine.__aexit__())
                    killed = True
            message = stream.get_final_message()
        assert [block.type for block in message.content] == [*SEARCHED, "text"]
        assert message.content[2].content.error_code == "unavailable"
        assert (message.content[3].text, message.stop_reason) == ("The web does not answer.", "end_turn")


@pytest.mark.promise("server-tools.sdk", "server-tools.web-search", "server-tools.web-fetch")
def test_the_typescript_sdk_adds_up_and_sends_back_what_the_server_did(tmp_path: Path) -> None:
    assert (HERE / "ts" / "node_modules").exists(), "`make test` installs the TypeScript SDK"
    with serving(tmp_path) as (live, _):
        whole = json.loads(run_client([node(), HERE / "ts" / "server_tools.mjs"], live.url))
    (tmp_path / "paused").mkdir()
    with serving(tmp_path / "paused", "rounds = 1") as (live, _):
        paused = json.loads(run_client([node(), HERE / "ts" / "server_tools.mjs"], live.url))
    for results in (whole, paused):
        assert [found["raised"] for found in results.values() if "raised" in found] == []
        assert results["replies"]["streamed"] == results["replies"]["whole"]
    content = whole["replies"]["whole"]["content"]
    assert [block["type"] for block in content] == [*SEARCHED, *FETCHED, *ANSWERED]
    answer = "".join(block["text"] for block in content if block["type"] == "text")
    assert whole["replies"]["seen"] == {"text": answer, "citations": 2}
    assert whole["turns"]["reasons"] == ["end_turn"]
    assert paused["turns"]["reasons"] == ["pause_turn", "pause_turn", "end_turn"]
    kinds = [block["type"] for block in paused["turns"]["content"]]
    assert kinds == [block["type"] for block in content]


@pytest.mark.promise("server-tools.web-search", "server-tools.forced", "web-tools.local-index")
def test_the_real_model_searches_files_of_this_machine_where_it_must(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for name in ("quantum", "cats"):
        (tmp_path / "pages" / f"{name}.md").write_text(
            f"# All about {name}\n\nWhat is new about {name}: a lot.", "utf-8"
        )
    config = tmp_path / "antiphon.toml"
    folder = tmp_path / "pages"
    config.write_text(f'{GREEDY}\n[server_tools.web_search]\nprovider = "local"\npath = "{folder}"\n', "utf-8")
    asked = {**REQUEST, "tools": REQUEST["tools"][:1], "max_tokens": 150, "tool_choice": {"type": "any"}}
    with live_process("--config", str(config)) as live, client_of(live) as messages:
        message = messages.create(**asked)
        call, result = message.content[:2]
        assert (call.type, result.type) == ("server_tool_use", "web_search_tool_result")
        assert 0 < len(call.input["query"]) <= 200
        assert isinstance(result.content, list)
        assert message.usage.server_tool_use.web_search_requests >= 1
        assert message.stop_reason in ("end_turn", "max_tokens", "pause_turn")
        told = [{"role": "assistant", "content": message.content}, {"role": "user", "content": "Thanks."}]
        again = messages.create(
            **{**REQUEST, "max_tokens": 20, "messages": [*REQUEST["messages"], *told]} | {"tools": []}
        )
        assert again.type == "message"
