"""What a request lets its answer cite."""

import orjson
import pytest

from antiphon.dialogue.content import Document, SearchResult
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.media.wanted import NO_MEDIA
from antiphon.request.told.citing import HOW, shown
from tests.request.requests import Json, assistant, body, call, context, local, result, text, told_of, tool, user

ON: Json = {"citations": {"enabled": True}}
PLAIN: Json = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "One."}}
HIT: Json = {"type": "search_result", "source": "s", "title": "t", "content": [text("a")]}


@pytest.mark.promise("citations.index", "citations.search-results")
def test_documents_and_search_results_are_counted_each_for_themselves_over_all_messages() -> None:
    messages = (
        user([PLAIN, HIT, text("a")]),
        assistant([call("toolu_1", "a")]),
        user([result("toolu_1", [HIT, HIT]), PLAIN]),
    )
    case = Case(parse_create(orjson.dumps(body(*messages, tools=[tool("a")])), context()), local(), context())
    assert shown(case, NO_MEDIA).places == {
        "messages.0.content.0": 0,
        "messages.0.content.1": 0,
        "messages.2.content.0.tool_result.content.0": 1,
        "messages.2.content.0.tool_result.content.1": 2,
        "messages.2.content.1": 1,
    }


@pytest.mark.promise("citations.off")
def test_only_what_asks_for_it_is_numbered_and_a_summary_cites_nothing() -> None:
    for asked, more, numbered in (
        ({}, {}, False),
        (ON, {}, True),
        (ON, {"compaction": {"type": "summarize"}}, False),
    ):
        request = body(user([{**PLAIN, **asked}, {**HIT, **asked}, text("a")]), **more)
        betas = ("compact-2026-09-04",) if more else ()
        told = told_of(parse_create(orjson.dumps(request), context(*betas)), context(*betas), local())
        parts = [part for part in told.turns[0].parts if isinstance(part, Document | SearchResult)]
        assert [part.numbered for part in parts] == [numbered, numbered]
        assert [part.text for part in told.system] == ([HOW] if numbered else [])
