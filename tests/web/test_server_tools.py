"""Tools that the server runs inside of a reply: every order of blocks, streamed and whole."""

from typing import Any

from antiphon.stream.fold import fold  # noqa: F401
from tests.service.server_tools import ScriptedTool
from tests.web.searching_app import app, ask, kinds, says, search

Json = dict[str, Any]

FOUND = "All about"


async def test_text_then_server_then_text() -> None:
    tool = ScriptedTool()
    async with app(says("Cats purr.", FOUND), says(f"Let me look.\n\n{search()}", "Tell me"), tools=[tool]) as served:
        request = ask()
        message = await served.reply(request)
        assert kinds(message) == ["text", "server_tool_use", "web_search_tool_result", "text"]
        text, call, result, answer = message["content"]
        assert text["text"].strip() == "Let me look."
        assert call["id"].startswith("srvtoolu_")
        assert (call["name"], call["input"], call["caller"]) == ("web_search", {"query": "cats"}, {"type": "direct"})
        assert result["tool_use_id"] == call["id"]
        [page] = result["content"]
        assert page.keys() == {"type", "url", "title", "encrypted_content", "page_age"}
        assert FOUND not in page["encrypted_content"]
        assert answer["text"] == "Cats purr."
        assert message["stop_reason"] == "end_turn"
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
        one, two = served.engines["scripted"].asked
        assert message["usage"]["input_tokens"] == len(one.prompt.tokens) + len(two.prompt.tokens)
        assert two.prompt.tokens[: len(one.prompt.tokens)] == one.prompt.tokens
        assert [call.input for call in tool.calls] == [{"query": "cats"}]
