"""Calls of the server's tools and what they came to, as the model is told of them."""

from typing import Any

import orjson
import pytest

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Call, Result
from antiphon.ports.server_tools import ServerTools
from antiphon.request.case import Case, Issue
from antiphon.request.intake import parse_create
from antiphon.request.ladder import check
from antiphon.request.sealed.found import open_found
from antiphon.request.tools.server_calls import urls_in
from tests.request.requests import (
    SEARCH,
    Json,
    assistant,
    body,
    call,
    context,
    local,
    result,
    server_call,
    system,
    text,
    told_of,
    tool,
    user,
)
from tests.request.sealing import SEALS
from tests.service.server_tools import ScriptedTool, fetcher

TOOLS = ServerTools((ScriptedTool(), fetcher()))

FORM = Text('Put words that rest on one of these between <cite search_result="INDEX"> and </cite>.')


def hit(words: str = "Found.", **more: Any) -> Json:
    sealed = SEALS.seal_found(words, "https://a.example/\nA page", bytes(12))
    return {
        "type": "web_search_result",
        "url": "https://a.example/",
        "title": "A page",
        "encrypted_content": sealed,
        **more,
    }


def found(id: str, *hits: Json) -> Json:  # noqa: A002
    return {"type": "web_search_tool_result", "tool_use_id": id, "content": list(hits)}


def fetched(id: str, **document: Any) -> Json:  # noqa: A002
    source = {"type": "text", "media_type": "text/plain", "data": "Words."}
    page = {
        "type": "web_fetch_result",
        "url": "https://a.example/",
        "content": {"type": "document", "source": source, **document},
    }
    return {"type": "web_fetch_tool_result", "tool_use_id": id, "content": page}


def lowered(*messages: Json, **more: Any) -> Conversation:
    asked = body(*messages, **more)
    request = parse_create(orjson.dumps(asked), context())
    assert check(Case(request, local(), context(), server_tools=TOOLS)) is None
    opened = open_found(Case(request, local(), context()), SEALS)
    assert not isinstance(opened, Issue)
    return told_of(request, context(), server_tools=TOOLS, found=opened)


def test_calls_and_results_in_one_turn_are_turns_for_the_model() -> None:
    said = lowered(
        user(),
        assistant([text("I look."), server_call("srvtoolu_1"), found("srvtoolu_1", hit()), text("Found it.")]),
        user("Thanks."),
    )
    assert said.turns == (
        Turn("user", (Text("Hello"),)),
        Turn("assistant", (Text("I look."), Call("srvtoolu_1", "web_search", {}))),
        Turn(
            "user",
            (
                Result(
                    "srvtoolu_1",
                    "web_search",
                    "",
                    parts=(SearchResult("https://a.example/", "A page", (Text("Found."),), citable=True), FORM),
                ),
            ),
        ),
        Turn("assistant", (Text("Found it."),)),
        Turn("user", (Text("Thanks."),)),
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], Result("srvtoolu_1", "web_search", "Nothing was found.")),
        (
            {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            Result("srvtoolu_1", "web_search", "unavailable: the tool cannot be used now", is_error=True),
        ),
        (
            {"type": "web_search_tool_result_error", "error_code": "query_too_long"},
            Result("srvtoolu_1", "web_search", "query_too_long", is_error=True),
        ),
    ],
)
def test_what_found_nothing_says_so(content: Any, told: Result) -> None:
    block = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": content}
    said = lowered(user(), assistant([server_call("srvtoolu_1"), block]), tools=[SEARCH])
    assert said.turns[-1] == Turn("user", (told,))
    assert said.prefill is None


def test_the_age_of_a_page_is_told_and_not_cited() -> None:
    said = lowered(user(), assistant([server_call("srvtoolu_1"), found("srvtoolu_1", hit(page_age="2 days"))]))
    [told] = said.turns[-1].parts
    assert isinstance(told, Result)
    assert told.parts[0] == SearchResult(
        "https://a.example/", "A page", (Text("Found."), Text("Age of the page: 2 days")), citable=True
    )


@pytest.mark.parametrize("enabled", [True, False])
def test_a_fetched_page_is_a_document(enabled: bool) -> None:
    block = fetched("srvtoolu_1", title="T", citations={"enabled": enabled})
    said = lowered(user(), assistant([server_call("srvtoolu_1", "web_fetch"), block]))
    [told] = said.turns[-1].parts
    assert isinstance(told, Result)
    assert told.parts[:2] == (
        Text("Fetched from https://a.example/"),
        Document("text", ((Text("Words."),),), "T", citable=enabled),
    )
    assert len(told.parts) == 3 if enabled else 2


def test_a_call_that_waits_has_a_place_for_its_result() -> None:
    said = lowered(user(), assistant([text("I look."), server_call("srvtoolu_1")]), tools=[SEARCH])
    assert said.turns[-1] == Turn("user", (Result("srvtoolu_1", "web_search", ""),))
    assert said.prefill is None


def test_a_call_that_waited_for_a_clients_result_stands_with_it() -> None:
    said = lowered(
        user(),
        assistant([server_call("srvtoolu_1"), call("toolu_1", "a")]),
        user([result("toolu_1")]),
        assistant([found("srvtoolu_1"), text("So.")]),
        user(),
        tools=[SEARCH, tool()],
    )
    assert said.turns[2] == Turn(
        "user", (Result("toolu_1", "a", "noon"), Result("srvtoolu_1", "web_search", "Nothing was found."))
    )


def test_a_system_message_does_not_come_between_a_call_and_its_result() -> None:
    paused = assistant([server_call("srvtoolu_1"), server_call("srvtoolu_2"), found("srvtoolu_2")])
    said = lowered(user(), paused, system("Be brief."), tools=[SEARCH])
    assert said.turns[2:] == (
        Turn(
            "user",
            (Result("srvtoolu_2", "web_search", "Nothing was found."), Result("srvtoolu_1", "web_search", "")),
        ),
        Turn("system", (Text("Be brief."),)),
    )


def test_the_pieces_of_a_text_that_cites_are_one_text() -> None:
    cited = {
        "type": "web_search_result_location",
        "cited_text": "c",
        "url": "u",
        "title": None,
        "encrypted_index": "e",
    }
    said = lowered(
        user(),
        assistant([text("So "), text("cats purr", citations=[cited]), text("."), text("A text of its own.")]),
        user(),
    )
    assert said.turns[1] == Turn("assistant", (Text("So cats purr."), Text("A text of its own.")))


def test_the_tool_is_told_as_it_tells_itself() -> None:
    said = lowered(tools=[SEARCH, tool()])
    assert [told.name for told in said.tools] == ["web_search", "a"]
    assert said.tools[0] == ScriptedTool().told({})


@pytest.mark.parametrize(
    ("words", "urls"),
    [
        ("see https://a.example/x.", {"https://a.example/x.", "https://a.example/x"}),
        ("(http://a.example/x_(y))", {"http://a.example/x_(y))", "http://a.example/x_(y)", "http://a.example/x_(y"}),
        ("<https://a.example/>", {"https://a.example/"}),
        ("ftp://a.example https://", set[str]()),
    ],
)
def test_urls_are_found_as_they_are_written(words: str, urls: set[str]) -> None:
    assert set(urls_in(words)) == urls
