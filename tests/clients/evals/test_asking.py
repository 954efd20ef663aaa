"""What a response is read as."""

import json
from typing import Any

import pytest

from antiphon.clients.evals.asking import read_reply
from antiphon.clients.evals.cases import Call, Passage
from antiphon.clients.evals.scoring import Reply


def message(*content: Any) -> bytes:
    return json.dumps({"type": "message", "content": content}).encode()


def test_texts_are_joined_and_calls_are_taken_in_order():
    data = message(
        {"type": "text", "text": "Let "},
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "me."},
        {"type": "tool_use", "id": "1", "name": "a", "input": {"x": 1}},
        {"type": "tool_use", "id": "2", "name": "b", "input": {}},
    )
    assert read_reply(200, data) == Reply((Call("a", {"x": 1}), Call("b", {})), "Let me.")


@pytest.mark.promise("eval.sources")
def test_what_is_cited_and_what_searches_found_is_read():
    found = {"type": "tool_search_tool_search_result", "tool_references": [{"tool_name": "a"}, {"tool_name": "b"}]}
    web = {"type": "web_search_result_location", "url": "https://example.org", "cited_text": "z"}
    data = message(
        {"type": "server_tool_use", "id": "1", "name": "tool_search_tool_bm25", "input": {"query": "x"}},
        {"type": "tool_search_tool_result", "tool_use_id": "1", "content": found},
        {"type": "server_tool_use", "id": "2", "name": "tool_search_tool_regex", "input": {"pattern": "("}},
        {"type": "tool_search_tool_result", "tool_use_id": "2", "content": {"error_code": "invalid_pattern"}},
        {"type": "server_tool_use", "id": "3", "name": "web_search", "input": {"query": "x"}},
        {"type": "text", "text": "a", "citations": [{"document_index": 0, "cited_text": "A."}, web]},
        {"type": "text", "text": "b", "citations": [{"search_result_index": 2, "cited_text": "B."}]},
        {"type": "text", "text": "c", "citations": None},
    )
    cites = (Passage(0, "A."), Passage(2, "B."))
    assert read_reply(200, data) == Reply(text="abc", cites=cites, searches=2, found=("a", "b"))


@pytest.mark.promise("eval.honest")
@pytest.mark.parametrize(
    ("status", "data", "words"),
    [
        (529, b'{"type":"error"}', '529: {"type":"error"}'),
        (200, b"<html>", "not a message: "),
        (200, b"[]", "not a message: "),
        (200, message({"type": "tool_use", "name": "a"}), "KeyError('input')"),
        (200, b'{"content": null}', "not a message: "),
        (200, message({"type": "text", "text": "a", "citations": [{"document_index": 0}]}), "KeyError('cited_text')"),
    ],
)
def test_what_is_no_message_is_an_error_and_no_silence(status: int, data: bytes, words: str):
    assert words in read_reply(status, data).error
