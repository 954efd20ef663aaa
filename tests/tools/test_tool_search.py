"""The searches among deferred tools, by themselves."""

import pytest

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerCall
from antiphon.tools.tool_search import ToolSearch, tool_searches

REGEX, BM25 = tool_searches()


def tool(name: str, about: str = "") -> tuple[Tool, ...]:
    return (Tool(name, about, {"type": "object", "properties": {}}),)


async def found(search: ToolSearch, asked: str, *tools: tuple[Tool, ...]) -> list[str]:
    searchable = {described[0].name: described for described in tools}
    parameter = "pattern" if search is REGEX else "query"
    result = await search.run(ServerCall("srvtoolu_1", search.name, {parameter: asked}, searchable=searchable))
    return [reference["tool_name"] for reference in result.content["tool_references"]]


@pytest.mark.promise("tool-search.one-reply")
async def test_words_are_found_in_names_of_either_style_and_the_best_comes_first() -> None:
    tools = (
        tool("send_mail", "Sends a message."),
        tool("readMailBox", "Lists what has come."),
        tool("weather", "The sky. Not by mail."),
    )
    assert await found(BM25, "box", *tools) == ["readMailBox"]
    assert set(await found(BM25, "mail", *tools)) == {"send_mail", "readMailBox", "weather"}
    assert (await found(BM25, "send mail message", *tools))[0] == "send_mail"
    assert await found(BM25, "天气", tool("w", "查询天气"), *tools) == ["w"]


@pytest.mark.promise("tool-search.errors")
async def test_a_pattern_that_would_keep_a_backtracking_engine_for_ever_is_over_at_once() -> None:
    slow = tool("slow", "a" * 5000)
    assert await found(REGEX, "(a+)+$x|(a|aa)+$b", slow) == []


async def test_a_thousand_tools_are_searched_beside_other_work() -> None:
    many = [tool(f"tool_{n}", f"Matter {n}.") for n in range(1000)]
    assert await found(BM25, "matter 777", *many) != []
    assert (await found(BM25, "tool_777", *many))[0] == "tool_777"
    assert await found(REGEX, "^tool_77[78]$|nothing", *many) == []
    assert await found(REGEX, "tool_77[78]\\n", *many) == ["tool_777", "tool_778"]
