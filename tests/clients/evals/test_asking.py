"""What a response is read as."""

import json
from typing import Any

import pytest

from antiphon.clients.evals.asking import read_reply
from antiphon.clients.evals.cases import Call
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


@pytest.mark.promise("eval.honest")
@pytest.mark.parametrize(
    ("status", "data", "words"),
    [
        (529, b'{"type":"error"}', '529: {"type":"error"}'),
        (200, b"<html>", "not a message: "),
        (200, b"[]", "not a message: "),
        (200, message({"type": "tool_use", "name": "a"}), "KeyError('input')"),
        (200, b'{"content": null}', "not a message: "),
    ],
)
def test_what_is_no_message_is_an_error_and_no_silence(status: int, data: bytes, words: str):
    assert words in read_reply(status, data).error
