"""Answers that cite what the server's tools found."""

from typing import Any

import pytest

from antiphon.ports.server_tools import ServerCall, ServerResult
from antiphon.service.reply.citations import MOST, excerpt
from antiphon.testing.app import SEALS
from tests.service.server_tools import ScriptedTool, fetcher, hit, page
from tests.web.searching_app import FETCH, SEARCH, app, ask, invoke, kinds, resend, says, search, section

Json = dict[str, Any]

TEXT = "Dogs bark a lot. Cats purr when they are content. Fish say nothing."
TOLD = 'So: <cite search_result="1">content cats purr</cite> <cite search_result="2">and fish are silent</cite>.'


async def two(call: ServerCall) -> ServerResult:
    return ServerResult([hit(text=TEXT), hit("https://b.example/", "Fish are silent. Birds sing.", "Fish")])


def cited(message: Json) -> list[tuple[str, list[Json] | None]]:
    return [(block["text"], block.get("citations")) for block in message["content"] if block["type"] == "text"]


@pytest.mark.promise("server-tools.citations", "streaming.citation-deltas")
@pytest.mark.parametrize("stream", [False, True])
async def test_text_that_rests_on_a_search_result_cites_it(stream: bool) -> None:
    async with app(says(TOLD, "Cats purr"), says(search(), "Tell me"), tools=[ScriptedTool(two)]) as served:
        if stream:
            answer = await served.post(ask(stream=True))
            deltas = [event["delta"] for event in answer.events if event["type"] == "content_block_delta"]
            found = [delta["citation"] for delta in deltas if delta["type"] == "citations_delta"]
            opened = [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
            assert [block.get("citations") for block in opened if block["type"] == "text"] == [None, [], [], None]
            assert [citation["cited_text"] for citation in found] == [
                "Cats purr when they are content.",
                "Fish are silent.",
            ]
            return
        message = await served.reply(ask())
        plain, one, other, end = cited(message)
        assert (plain, end) == (("So: ", None), (".", None))
        assert (one[0], other[0]) == ("content cats purr", " and fish are silent")
        assert one[1] is not None
        [citation] = one[1]
        assert citation == {
            "encrypted_index": citation["encrypted_index"],
            "type": "web_search_result_location",
            "cited_text": "Cats purr when they are content.",
            "url": "https://a.example/",
            "title": "A page",
        }
        assert "".join(text for text, _ in cited(message)) == "So: content cats purr and fish are silent."
        # It goes back as it came, and the model is told of one text.
        again = resend(ask(), message)
        again["messages"].append({"role": "user", "content": "Thanks."})
        await served.reply(again)
        assert "So: content cats purr and fish are silent." in served.prompts[-1]


async def test_the_index_is_sealed_to_its_page() -> None:
    async with app(says(TOLD, "Cats purr"), says(search(), "Tell me"), tools=[ScriptedTool(two)]) as served:
        message = await served.reply(ask())
    index = message["content"][3]["citations"][0]["encrypted_index"]
    assert SEALS.open_index(index, "https://a.example/\nA page") == "17:49"
    assert SEALS.open_index(index, "https://b.example/\nA page") is None
    assert SEALS.open_found(index, "https://a.example/\nA page") is None


@pytest.mark.promise("server-tools.citations")
@pytest.mark.parametrize("enabled", [True, False])
async def test_a_fetched_page_is_cited_where_citations_are_enabled(enabled: bool) -> None:
    async def fetches(call: ServerCall) -> ServerResult:
        return ServerResult(page(TEXT, citations={"enabled": enabled}))

    told = 'So <cite document="1">cats purr</cite>.'
    call = section(invoke("web_fetch", url="https://a.example/"))
    async with app(says(told, "Fish say"), says(call, "Tell me"), tools=[fetcher(fetches)]) as served:
        message = await served.reply(ask(tools=[{**FETCH, "citations": {"enabled": enabled}}]))
        if not enabled:
            assert cited(message) == [(told, None)]
            assert "<cite" not in served.prompts[-1]
            return
        [before, (text, citations), after] = cited(message)
        assert (before, text, after) == (("So ", None), "cats purr", (".", None))
        assert citations == [
            {
                "type": "char_location",
                "cited_text": "Cats purr when they are content.",
                "document_index": 0,
                "document_title": "A page",
                "file_id": None,
                "start_char_index": 17,
                "end_char_index": 49,
            }
        ]
        assert TEXT[17:49] == "Cats purr when they are content."


async def test_the_model_is_told_how_to_cite_only_where_there_is_something_to_cite() -> None:
    async def nothing(call: ServerCall) -> ServerResult:
        return ServerResult([])

    for does, told in ((two, True), (nothing, False)):
        async with app(says("Hm."), says(search(), "Tell me", times=1), tools=[ScriptedTool(does)]) as served:
            pass
        async with app(says(search(), "Tell me"), says("Hm."), tools=[ScriptedTool(does)]) as served:
            await served.reply(ask())
            one, other = served.prompts
            assert "<cite" not in one
            assert ('<cite search_result="INDEX">' in other) == told


async def test_an_answer_of_a_given_form_cites_nothing() -> None:
    form: Json = {
        "type": "json_schema",
        "schema": {"type": "object", "properties": {}, "additionalProperties": False},
    }
    async with app(says("{}", "Cats purr"), says(search(), "Tell me"), tools=[ScriptedTool(two)]) as served:
        message = await served.reply(ask(output_config={"format": form}))
        assert (message["content"][-1]["text"], "<cite" in served.prompts[-1]) == ("{}", False)


async def test_a_reply_that_is_cut_in_a_citation_is_whole() -> None:
    rules = (says('<cite search_result="1">cats ' + "purr " * 30, "Cats purr"), says(search(), "Tell me"))
    async with app(*rules, tools=[ScriptedTool(two)]) as served:
        whole = await served.reply(ask())
        message = await served.reply(ask(max_tokens=whole["usage"]["output_tokens"] - 9))
        assert message["stop_reason"] == "max_tokens"
        assert message["content"][-1]["citations"][0]["cited_text"] == "Cats purr when they are content."
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
        stopped = await served.reply(ask(stop_sequences=["purr purr"]))
        assert (stopped["stop_reason"], stopped["content"][-1]["text"]) == ("stop_sequence", "cats ")


@pytest.mark.parametrize(
    ("texts", "words", "place"),
    [
        (("",), "cats", (0, 0, 0)),
        ((), "cats", (0, 0, 0)),
        (("One. Two cats.", "Cats, three cats."), "three cats", (1, 0, 17)),
        (("Pi is 3.14 today. Other.",), "pi 3.14", (0, 0, 17)),
        (("Line one\nline two",), "two", (0, 9, 17)),
    ],
)
def test_the_sentence_that_says_most_of_it_is_cited(
    texts: tuple[str, ...], words: str, place: tuple[int, int, int]
) -> None:
    assert excerpt(texts, words) == place


def test_a_long_sentence_is_cut_between_words() -> None:
    text = "word " * 100
    _, start, end = excerpt((text,), "word")
    assert (start, end - start <= MOST, text[end]) == (0, True, " ")


async def test_search_in_history_can_still_be_cited() -> None:
    async with app(
        says(TOLD, "Again"), says(search(), "Tell me"), says("Right.", "Cats purr"), tools=[ScriptedTool(two)]
    ) as served:
        message = await served.reply(ask())
        again = resend(ask(tools=[SEARCH]), message)
        again["messages"].append({"role": "user", "content": "Again?"})
        answer = await served.reply(again)
        assert answer["content"][1]["citations"][0]["url"] == "https://a.example/"
