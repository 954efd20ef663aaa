"""Deferred tools are found by a search inside of the reply, and called in it: the tool search tools as a client meets
them."""

from typing import Any

import pytest

from antiphon.request.tools.browser import MEMBERS
from antiphon.tools.tool_search import tool_searches
from tests.web.searching_app import invoke, kinds, resend, says, section
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

REGEX: Json = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
BM25: Json = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
CITY = {"type": "string", "description": "Name of the settlement."}


def deferred(name: str, about: str = "Does a thing.", schema: Json | None = None, **more: Any) -> Json:
    told = schema or {"type": "object", "properties": {"city": CITY}, "required": ["city"]}
    return {"name": name, "description": about, "input_schema": told, "defer_loading": True, **more}


WEATHER = deferred("getWeather", "Tells how the sky is.")
LOOK: Json = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
MANY = [deferred(f"thing_{n}", f"Handles the matter of number {n} in the store.") for n in range(200)]


def by_pattern(pattern: str, **more: str) -> str:
    return section(invoke("tool_search_tool_regex", pattern=pattern, **more))


def by_words(query: str) -> str:
    return section(invoke("tool_search_tool_bm25", query=query))


def app(*rules: str) -> ThinkingApp:
    return ThinkingApp("".join(rules), runs=tool_searches())


def ask(*tools: Json, search: Json = REGEX, content: str = "The weather in Rome?", **more: Any) -> Json:
    return {
        "model": "claude-sonnet-4-5-20250929",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": content}],
        "tools": [search, *tools],
        **more,
    }


def found(message: Json, at: int = 1) -> list[str]:
    """The names that a reply's search found."""
    return [one["tool_name"] for one in message["content"][at]["content"]["tool_references"]]


CALLS = says(section(invoke("getWeather", city="Rome")), prompt="Tells how the sky is")


@pytest.mark.promise("tool-search.one-reply", "server-tools.tool-search")
@pytest.mark.parametrize(
    ("search", "asks"), [(REGEX, by_pattern("get.?weather")), (BM25, by_words("weather in a settlement"))]
)
async def test_a_tool_among_many_is_found_and_called_in_one_reply(search: Json, asks: str) -> None:
    async with app(CALLS, says(asks, "weather")) as served:
        message = await served.reply(ask(*MANY, WEATHER, search=search))
        assert kinds(message) == ["server_tool_use", "tool_search_tool_result", "tool_use"]
        call, result, use = message["content"]
        assert (call["name"], result["tool_use_id"]) == (search["name"], call["id"])
        assert result["content"]["type"] == "tool_search_tool_search_result"
        assert result["content"]["tool_references"][0] == {"type": "tool_reference", "tool_name": "getWeather"}
        assert (use["name"], use["input"], message["stop_reason"]) == ("getWeather", {"city": "Rome"}, "tool_use")
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}


@pytest.mark.promise("tool-search.streamed")
async def test_a_stream_has_the_search_in_pieces_and_the_references_whole() -> None:
    async with app(CALLS, says(by_pattern("weather"), "weather")) as served:
        answer = await served.post({**ask(*MANY, WEATHER), "stream": True})
        starts = [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
        assert [block["type"] for block in starts] == ["server_tool_use", "tool_search_tool_result", "tool_use"]
        assert starts[0]["input"] == {}
        assert [one["tool_name"] for one in starts[1]["content"]["tool_references"]] == ["getWeather"]


@pytest.mark.promise("tool-search.costs-nothing")
async def test_deferred_tools_are_no_part_of_the_prompt_nor_of_its_cached_beginning() -> None:
    async with app(says("Hello.")) as served:
        few = await served.reply(ask(WEATHER, LOOK))
        many = await served.reply(ask(*MANY, WEATHER, LOOK))
        assert few["usage"]["input_tokens"] == many["usage"]["input_tokens"]
        one, two = served.prompts
        assert one == two
        assert (await served.count(ask(*MANY, LOOK)))["input_tokens"] == many["usage"]["input_tokens"]


@pytest.mark.promise("tool-search.lasts")
async def test_a_tool_that_was_found_is_called_in_later_turns_without_a_search() -> None:
    again = says(section(invoke("getWeather", city="Oslo")), "And in Oslo")
    rules = (again, says("It rains.", "rain in Rome"), CALLS, says(by_pattern("weather"), "The weather"))
    async with app(*rules) as served:
        request = ask(*MANY, WEATHER)
        first = await served.reply(request)
        result = {"type": "tool_result", "tool_use_id": first["content"][-1]["id"], "content": "rain in Rome"}
        told = resend(request, first)
        told["messages"].append({"role": "user", "content": [result]})
        second = await served.reply(told)
        later = resend(told, second)
        later["messages"].append({"role": "user", "content": "And in Oslo?"})
        third = await served.reply(later)
        assert kinds(third) == ["tool_use"]
        assert third["content"][0]["input"] == {"city": "Oslo"}
        # The definition stands where it was found, so that what was read stays read.
        assert served.prompts[-1].startswith(served.prompts[1])


@pytest.mark.promise("tool-search.nothing-found")
async def test_to_find_nothing_is_no_error() -> None:
    async with app(says("There is none.", "No tools were found"), says(by_pattern("zebra"), "weather")) as served:
        message = await served.reply(ask(*MANY, WEATHER))
        assert found(message) == []
        assert (message["content"][-1]["text"], message["stop_reason"]) == ("There is none.", "end_turn")


@pytest.mark.promise("tool-search.errors")
@pytest.mark.parametrize(
    ("search", "asks", "said"),
    [
        (REGEX, by_pattern("["), "Invalid regular expression pattern: missing ]: ["),
        (REGEX, by_pattern("(?=a)"), "Invalid regular expression pattern: invalid perl operator: (?="),
        (REGEX, by_pattern("a" * 201), "pattern: 201 characters are more than 200"),
        (BM25, by_words("a" * 501), "query: 501 characters are more than 500"),
        (REGEX, by_pattern(" "), "pattern: a text is needed"),
        (REGEX, by_pattern("a", limit="0"), "limit: a number from 1 to 10000 is needed"),
    ],
)
async def test_a_search_that_cannot_be_made_says_why_in_its_block(search: Json, asks: str, said: str) -> None:
    rules = (says("I cannot.", "invalid_tool_input"), says(asks, "weather"))
    async with app(*rules) as served:
        message = await served.reply(ask(*MANY, WEATHER, search=search))
        assert message["content"][1]["content"] == {
            "type": "tool_search_tool_result_error",
            "error_code": "invalid_tool_input",
            "error_message": said,
        }
        assert message["content"][-1]["text"] == "I cannot."
        # The reply goes back as it came.
        again = resend(ask(*MANY, WEATHER, search=search), message)
        again["messages"].append({"role": "user", "content": "Well?"})
        await served.count(again)


@pytest.mark.promise("tool-search.searches-parameters")
@pytest.mark.parametrize("pattern", ["GETWEATHER", "how the SKY", "^CITY$", "settlement", "inner_(name|words)"])
async def test_letter_case_does_not_count_and_parameters_are_searched_with_what_is_said_of_them(pattern: str) -> None:
    nested = {
        "type": "object",
        "properties": {
            "city": CITY,
            "list": {"type": "array", "items": {"type": "object", "properties": {"inner_name": {"type": "string"}}}},
        },
    }
    rules = (says("Found.", prompt="Tells how the sky is"), says(by_pattern(f"(?m){pattern}"), "weather"))
    async with app(*rules) as served:
        unlike = deferred("other", schema={"type": "object", "properties": {"x": {"type": "string"}}})
        message = await served.reply(ask(unlike, {**WEATHER, "input_schema": nested}))
        assert found(message) == ["getWeather"]


@pytest.mark.promise("tool-search.limit")
async def test_five_are_found_or_as_many_as_the_call_says_in_the_order_of_the_tools() -> None:
    for limit, most in (({}, 5), ({"limit": "7"}, 7), ({"limit": "1"}, 1)):
        async with app(
            says("Found.", prompt="Handles the matter"), says(by_pattern("thing_", **limit), "weather")
        ) as served:
            assert found(await served.reply(ask(*MANY, LOOK))) == [f"thing_{n}" for n in range(most)]


@pytest.mark.promise("tool-search.refusals")
async def test_a_search_alone_is_enough_to_begin_with_and_a_deferred_search_is_refused() -> None:
    async with app(says("Hello.")) as served:
        await served.reply(ask(WEATHER))
        refused = await served.refusal(ask(WEATHER, search={**REGEX, "defer_loading": True}))
        assert refused == "At least one tool must have defer_loading=false. All tools cannot be deferred."
        unknown = resend(
            ask(WEATHER),
            {
                "content": [
                    {
                        "type": "server_tool_use",
                        "id": "srvtoolu_1",
                        "name": "tool_search_tool_regex",
                        "input": {"pattern": "a"},
                    },
                    {
                        "type": "tool_search_tool_result",
                        "tool_use_id": "srvtoolu_1",
                        "content": {
                            "type": "tool_search_tool_search_result",
                            "tool_references": [{"type": "tool_reference", "tool_name": "lookup_documents"}],
                        },
                    },
                ]
            },
        )
        unknown["messages"].append({"role": "user", "content": "Well?"})
        assert await served.refusal(unknown) == "Tool reference 'lookup_documents' not found in available tools"


@pytest.mark.promise("tool-search.most")
async def test_more_deferred_tools_than_may_be_searched_are_refused() -> None:
    async with app(says("Hello.")) as served:
        crowd = [{"name": f"t{n}", "input_schema": {"type": "object"}, "defer_loading": True} for n in range(10_001)]
        answer = await served.post(ask(*crowd))
        assert answer.status == 400
        assert answer.json["error"]["details"]["error_code"] == "available_tools_limit_exceeded"
        await served.reply(ask(*crowd[1:]))


@pytest.mark.promise("tool-search.beside-a-client-tool")
async def test_beside_a_clients_call_the_search_waits_and_its_result_opens_the_next_reply() -> None:
    both = section(invoke("look"), invoke("tool_search_tool_regex", pattern="weather"))
    async with app(says("Now I know.", prompt="Tells how the sky is"), says(both, "weather")) as served:
        request = ask(WEATHER, LOOK)
        first = await served.reply(request)
        assert kinds(first) == ["tool_use", "server_tool_use"]
        assert first["stop_reason"] == "tool_use"
        told = resend(request, first)
        answer = {"type": "tool_result", "tool_use_id": first["content"][0]["id"], "content": "A cat."}
        told["messages"].append({"role": "user", "content": [answer]})
        second = await served.reply(told)
        assert kinds(second) == ["tool_search_tool_result", "text"]
        assert found(second, 0) == ["getWeather"]


@pytest.mark.promise("tool-search.strict")
async def test_a_found_tool_keeps_its_strict_schema_and_only_found_tools_may_be_called() -> None:
    async with app(CALLS, says(by_pattern("weather"), "weather")) as served:
        schema = {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        }
        await served.reply(ask(*MANY, {**WEATHER, "input_schema": schema, "strict": True}))
        before, after = (work.grammar or "" for work in served.engines["scripted"].asked)
        assert "getWeather" not in before
        assert "getWeather" in after
        assert "Rome" in after
        assert "thing_7" not in before + after


@pytest.mark.promise("tool-search.toolsets")
async def test_a_toolset_is_found_as_one() -> None:
    browser: Json = {
        "type": "browser_toolset_20260801",
        "configs": {member: {"defer_loading": True} for member in MEMBERS},
    }
    rules = (says("Found.", prompt="browser__navigate"), says(by_pattern("navigate"), "weather"))
    async with app(*rules) as served:
        message = await served.reply(ask(browser, WEATHER, LOOK))
        assert found(message) == ["browser"]
        assert message["content"][-1]["text"] == "Found."
