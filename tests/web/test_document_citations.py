"""Answers that cite the documents and search results which a request brings, as a client meets them."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.ports.media import Pdf, PdfPage
from antiphon.request.told.citing import HOW
from tests.render.walk import accepts
from tests.service.media.doubles import StandInReader, intake
from tests.web.searching_app import kinds, resend, says
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

ON = {"enabled": True}
TEXT = "Dogs bark a lot. Cats purr when they are content.  Fish say nothing.\n\nBirds sing. 猫喜欢睡觉。狗喜欢跑。"
SENTENCES = [
    "Dogs bark a lot. ",
    "Cats purr when they are content.  ",
    "Fish say nothing.\n\n",
    "Birds sing. ",
    "猫喜欢睡觉。",
    "狗喜欢跑。",
]
BLOCKS = ["First block. It has two sentences.", "Second block.", "Third block."]


def plain(data: str = TEXT, **more: Any) -> Json:
    source = {"type": "text", "media_type": "text/plain", "data": data}
    return {"type": "document", "source": source, "citations": ON, **more}


def custom(*texts: str, **more: Any) -> Json:
    source = {"type": "content", "content": [{"type": "text", "text": text} for text in texts]}
    return {"type": "document", "source": source, "citations": ON, **more}


def hit(*texts: str, source: str = "kb/1", **more: Any) -> Json:
    content = [{"type": "text", "text": text} for text in texts]
    return {"type": "search_result", "source": source, "title": "Notes", "content": content, "citations": ON, **more}


def ask(*content: Json, **more: Any) -> Json:
    asked = [*content, {"type": "text", "text": "Tell me."}]
    return {
        "model": "claude-sonnet-4-5-20250929",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": asked}],
        **more,
    }


def app(*told: str, **options: Any) -> ThinkingApp:
    return ThinkingApp("".join(map(says, told)), **options)


def cited(message: Json) -> list[tuple[str, list[Json] | None]]:
    return [(block["text"], block.get("citations")) for block in message["content"] if block["type"] == "text"]


@pytest.mark.promise("citations.plain-text")
@pytest.mark.parametrize(
    ("at", "first", "last"),
    [(' at="2"', 1, 1), (' at="1-3"', 0, 2), (' at="6-5"', 4, 5), ("", 1, 1), (' at="99"', 1, 1), (" at=3", 2, 2)],
)
async def test_each_citation_of_a_text_is_the_slice_that_it_says(at: str, first: int, last: int) -> None:
    async with app(f'So: <cite document="1"{at}>content cats purr</cite>, they say.') as served:
        message = await served.reply(ask(plain(title="Sounds", context="A list.")))
        before, (words, citations), behind = cited(message)
        assert (before, words, behind) == (("So: ", None), "content cats purr", (", they say.", None))
        assert citations is not None
        [citation] = citations
        start, end = citation["start_char_index"], citation["end_char_index"]
        assert TEXT[start:end] == citation["cited_text"] == "".join(SENTENCES[first : last + 1])
        assert citation == {
            "type": "char_location",
            "cited_text": citation["cited_text"],
            "document_index": 0,
            "document_title": "Sounds",
            "file_id": None,
            "start_char_index": start,
            "end_char_index": end,
        }
        assert served.prompts[-1].count(HOW) == 1
        assert '<s n="2">Cats purr when they are content.' in served.prompts[-1]


@pytest.mark.promise("citations.pdf")
async def test_a_pdf_is_cited_by_pages_from_one_with_an_end_that_is_not_in_it() -> None:
    pdf = Pdf(
        (
            PdfPage("One is first. Two comes next."),
            PdfPage(""),
            PdfPage("Three is third.\r\nFour ends it."),
            PdfPage("Off a picture.", scan="read"),
        )
    )
    source = {"type": "base64", "media_type": "application/pdf", "data": "aGVsbG8="}
    document = {"type": "document", "source": source, "citations": ON}
    told = (
        '<cite document="1" at="2">a</cite> <cite document="1" at="3-4">b</cite> <cite document="1" at="2-3">c</cite>'
    )
    async with app(told, media=intake(StandInReader({b"hello": pdf}))) as served:
        message = await served.reply(ask(document))
        found = [citations[0] for _, citations in cited(message) if citations]
        assert [(one["start_page_number"], one["end_page_number"]) for one in found] == [(1, 2), (3, 4), (1, 4)]
        assert [one["cited_text"] for one in found] == [
            "Two comes next.",
            "Three is third.\r\nFour ends it.",
            "Two comes next.Three is third.\r\n",
        ]
        assert {one["type"] for one in found} == {"page_location"}
        # What was read off a picture has no number.
        assert "Off a picture." in served.prompts[-1]
        assert '<s n="5">' not in served.prompts[-1]


@pytest.mark.promise("citations.custom-content")
async def test_custom_content_is_cited_by_whole_blocks() -> None:
    told = '<cite document="1" at="1">one</cite> <cite document="1" at="2-3">more</cite> <cite document="1">third block</cite>'
    async with app(told) as served:
        message = await served.reply(ask(custom(*BLOCKS)))
        found = [citations[0] for _, citations in cited(message) if citations]
        places = [(one["start_block_index"], one["end_block_index"]) for one in found]
        assert places == [(0, 1), (1, 3), (2, 3)]
        assert [one["cited_text"] for one in found] == ["".join(BLOCKS[start:end]) for start, end in places]
        assert {one["type"] for one in found} == {"content_block_location"}
        assert "<s n=" not in served.prompts[-1].replace(HOW, "")


@pytest.mark.promise("citations.search-results")
async def test_search_results_have_one_running_index_in_user_turns_and_in_results_of_tools() -> None:
    told = '<cite search_result="1" at="2">a</cite> <cite search_result="2" at="1">b</cite> <cite search_result="3">third words</cite>'
    look: Json = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
    async with app(told) as served:
        request = ask(hit("First.", "Second."), tools=[look])
        use: Json = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
        results = [hit("Other.", source="kb/2"), hit("Third words.", source="kb/3")]
        request["messages"] += [
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": results}]},
        ]
        message = await served.reply(request)
        found = [citations[0] for _, citations in cited(message) if citations]
        assert found[0] == {
            "type": "search_result_location",
            "cited_text": "Second.",
            "search_result_index": 0,
            "source": "kb/1",
            "title": "Notes",
            "start_block_index": 1,
            "end_block_index": 2,
        }
        assert [(one["search_result_index"], one["source"], one["cited_text"]) for one in found[1:]] == [
            (1, "kb/2", "Other."),
            (2, "kb/3", "Third words."),
        ]


@pytest.mark.promise("citations.index")
async def test_documents_are_counted_over_the_messages_of_the_whole_request() -> None:
    told = '<cite document="3" at="1">late</cite>'
    async with app(told) as served:
        request = ask(plain("One."), custom("Two."))
        request["messages"] += [
            {"role": "assistant", "content": "I see."},
            {"role": "user", "content": [plain("Three."), {"type": "text", "text": "And?"}]},
        ]
        [(_, citations)] = cited(await served.reply(request))
        assert citations is not None
        assert (citations[0]["document_index"], citations[0]["cited_text"]) == (2, "Three.")


@pytest.mark.promise("citations.several")
async def test_words_that_rest_on_several_sources_have_several_citations_in_one_block() -> None:
    told = '<cite document="1" at="1"><cite document="2" at="1">Both say so</cite>.'
    async with app(told) as served:
        message = await served.reply(ask(plain("One."), custom("Two.")))
        (words, citations), _ = cited(message)
        assert words == "Both say so"
        assert [one["cited_text"] for one in citations or []] == ["One.", "Two."]


@pytest.mark.promise("citations.all-or-none")
async def test_a_mixture_and_a_given_form_are_refused() -> None:
    async with app("Hm.") as served:
        off: Json = {"citations": {"enabled": False}}
        assert await served.refusal(ask(plain(), custom("a", **off))) == (
            "messages.0.content.1.citations: citations must be enabled on all `document` blocks of a request or on "
            "none of them."
        )
        assert "all `search_result` blocks" in await served.refusal(ask(hit("a"), hit("b", **off)))
        # Each kind for itself.
        await served.reply(ask(plain(), hit("b", **off)))
        form: Json = {
            "type": "json_schema",
            "schema": {"type": "object", "properties": {}, "additionalProperties": False},
        }
        assert "structured outputs cannot be combined" in await served.refusal(
            ask(plain(), output_config={"format": form})
        )
        mixed = ask(plain())
        use: Json = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
        content = [hit("a"), {"type": "text", "text": "b"}]
        mixed["tools"] = [{"name": "look", "input_schema": {"type": "object"}}]
        mixed["messages"] += [
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": content}]},
        ]
        assert "all content must be type `search_result` if one block is" in await served.refusal(mixed)


@pytest.mark.promise("citations.off")
async def test_without_citations_the_answer_is_one_text_and_the_prompt_has_no_numbers() -> None:
    async with app("So it is.") as served:
        off: Json = {"citations": {"enabled": False}}
        message = await served.reply(ask(plain(**off), hit("a", **off)))
        assert cited(message) == [("So it is.", None)]
        assert "<s n=" not in served.prompts[-1]
        assert "cite" not in served.prompts[-1]


@pytest.mark.promise("citations.streamed")
async def test_a_stream_tells_each_citation_at_the_beginning_of_its_words() -> None:
    told = 'So: <cite document="1" at="2">content cats purr</cite>, <cite document="1">birds sing songs</cite>.'
    async with app(told) as served:
        whole = await served.reply(ask(plain()))
        answer = await served.post({**ask(plain()), "stream": True})
        folded: list[tuple[str, list[Json] | None]] = []
        for event in answer.events:
            if event["type"] == "content_block_start":
                folded.append(("", event["content_block"].get("citations")))
            elif event["type"] == "content_block_delta" and event["delta"]["type"] == "citations_delta":
                assert folded[-1][0] == ""
                folded[-1] = (folded[-1][0], [*(folded[-1][1] or []), event["delta"]["citation"]])
            elif event["type"] == "content_block_delta":
                folded[-1] = (folded[-1][0] + event["delta"]["text"], folded[-1][1])
        assert folded == cited(whole)


@pytest.mark.promise("citations.replayed")
async def test_an_answer_goes_back_with_its_citations_which_cost_nothing_the_second_time() -> None:
    told = 'So: <cite document="1" at="1-6">all of it</cite>.'
    async with app(told) as served:
        request = ask(plain())
        message = await served.reply(request)
        again = resend(request, message)
        again["messages"].append({"role": "user", "content": "Thanks."})
        bare = {**message, "content": [{"type": "text", "text": "".join(text for text, _ in cited(message))}]}
        without = resend(request, bare)
        without["messages"].append({"role": "user", "content": "Thanks."})
        assert await served.count(again) == await served.count(without)
        raw = resend(request, message)
        raw["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.reply(raw))["stop_reason"] == "end_turn"


@pytest.mark.promise("citations.tokens")
async def test_cited_text_is_no_output_and_the_markup_is() -> None:
    async with app('<cite document="1" at="1-6">all</cite>') as served:
        long = await served.reply(ask(plain()))
        short = await served.reply(ask(plain("One. Two. Three. Four. Five. Six.")))
        assert long["usage"]["output_tokens"] == short["usage"]["output_tokens"]


@pytest.mark.promise("citations.by-decoding")
async def test_decoding_lets_the_answer_cite_only_what_is_there_with_tools_and_without() -> None:
    async with app("Hm.") as served:
        for more in ({}, {"tools": [{"name": "look", "input_schema": {"type": "object"}}]}):
            await served.reply(ask(plain(), custom("Two."), **more))
            grammar = served.engines["scripted"].asked[-1].grammar
            assert grammar is not None
            for tag in ('document="1"', 'document="1" at="6"', 'document="2" at="1"', 'document="1" at="2-4"'):
                assert accepts(grammar, f"So <cite {tag}>it is</cite>."), tag
            for tag in ('document="3"', 'document="1" at="7"', 'document="2" at="2"', 'search_result="1"'):
                assert not accepts(grammar, f"So <cite {tag}>it is</cite>.", whole=False), tag


TAGS = st.sampled_from(
    [
        '<cite document="1">',
        '<cite document="2" at="1">',
        '<cite document="1" at="2-9">',
        "</cite>",
        '<cite document="9">',
        "<cite",
        '<cite search_result="1" at="1">',
        " words ",
        "猫",
        "<s n=",
        "\n",
    ]
)


@pytest.mark.promise("citations.never-wrong")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet="ab. !?。\n\r\tÄ猫", min_size=1, max_size=60).filter(str.strip),
    st.lists(TAGS, max_size=9).map("".join),
)
async def test_no_citation_is_ever_wrong_and_no_markup_leaks(data: str, told: str) -> None:
    async with app(f"x{told}") as served:
        message = await served.reply(ask(plain(data), custom("Two."), hit("Found.")))
        for text, citations in cited(message):
            assert not re.search(r"<cite (document|search_result)=|</cite>", text)
            for one in citations or []:
                match one["type"]:
                    case "char_location":
                        assert data[one["start_char_index"] : one["end_char_index"]] == one["cited_text"]
                        assert one["cited_text"].strip()
                    case "content_block_location":
                        assert (one["cited_text"], one["document_index"]) == ("Two.", 1)
                    case kind:
                        assert (kind, one["cited_text"]) == ("search_result_location", "Found.")
        assert kinds(message)
