"""Replies in one piece: the message, its content, its usage; what requests may say."""

import json
from typing import Any, Final

from antiphon.conformance.api import Api, blocks, says
from antiphon.conformance.check import Subject, count_of, dictionary, expect, text_of
from antiphon.conformance.subjects.words import LETTERS, STOP_REASONS, user

SUBJECT: Final = Subject("messages", "API reference: Create a Message")
check = SUBJECT.check
LIMITS: Final = (4, 7, 11)


@check("type", "A reply is an object of the type message.")
def _(api: Api) -> None:
    expect(api.said().get("type") == "message", f"type is {api.said().get('type')!r}")


@check("role", "A reply's role is assistant.")
def _(api: Api) -> None:
    expect(api.said().get("role") == "assistant", f"role is {api.said().get('role')!r}")


@check("id", "A reply has an id.")
def _(api: Api) -> None:
    text_of(api.said().get("id"), "id")


@check("ids-differ", "Two replies have two ids.")
def _(api: Api) -> None:
    first, second = (api.said(user(text)).get("id") for text in ("Say hello.", "Say hello again."))
    expect(first != second, f"both ids are {first!r}")


@check("model", "A reply names the model that has answered.")
def _(api: Api) -> None:
    text_of(api.said().get("model"), "model")


@check("content", "A reply's content is a list of blocks, each with a type.")
def _(api: Api) -> None:
    for block in blocks(api.said()):
        text_of(block.get("type"), "a block's type")


@check("text", "A text block has a text.")
def _(api: Api) -> None:
    for block in blocks(api.said(), "text"):
        text_of(block.get("text"), "a block's text")


@check("stop-reason", "A reply ends with one of the documented stop reasons.", source="Handling stop reasons")
def _(api: Api) -> None:
    reason = api.said().get("stop_reason")
    expect(reason in STOP_REASONS, f"stop_reason is {reason!r}")


@check("stop-sequence-null", "stop_sequence is there, and null, where none was asked for.")
def _(api: Api) -> None:
    reply = api.said()
    expect(
        "stop_sequence" in reply and reply["stop_sequence"] is None, f"it is {reply.get('stop_sequence', 'absent')!r}"
    )


@check("input-tokens", "usage tells the tokens of the input.")
def _(api: Api) -> None:
    count_of(dictionary(api.said().get("usage")).get("input_tokens"), "usage.input_tokens", 1)


@check("output-tokens", "usage tells the tokens of the output.")
def _(api: Api) -> None:
    least = 1 if says(api.said()) else 0
    count_of(dictionary(api.said().get("usage")).get("output_tokens"), "usage.output_tokens", least)


@check("json", "A reply in one piece is application/json.")
def _(api: Api) -> None:
    kind = api.post(api.request()).kind
    expect(kind == "application/json", f"content-type is {kind!r}")


@check("string-is-block", "A text as content, and the same in a block, are one request.")
def _(api: Api) -> None:
    block = {"messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}]}
    same(api, {}, block)


@check("system-is-block", "A system prompt as a text, and the same in a block, are one request.")
def _(api: Api) -> None:
    same(api, {"system": "Be brief."}, {"system": [{"type": "text", "text": "Be brief."}]})


@check("escapes", "What JSON escapes is what it stands for.")
def _(api: Api) -> None:
    plain = api.request(user("Say é 你 🙂."))
    raw = json.dumps(plain, ensure_ascii=False).encode()
    one, two = (tokens(api.look("POST", "/v1/messages", body).json) for body in (plain, raw))
    expect(one == two, f"{one} input tokens escaped, {two} as they are")


@check("system-counts", "A system prompt is part of the input.")
def _(api: Api) -> None:
    # Not against a request without one: a model may have a system prompt of its own.
    more(api, {"system": "Be brief."}, {"system": "Be brief. " * 30})


@check("longer-counts", "A longer text is more input.")
def _(api: Api) -> None:
    more(api, {}, user("Say hello. " * 20))


@check("history-counts", "Earlier turns are part of the input.")
def _(api: Api) -> None:
    more(api, {}, {"messages": [turn("user", "Hi."), turn("assistant", "Hello."), turn("user", "Say hello.")]})


@check("same-role", "Two turns of the user in a row are taken.", source="API reference: Create a Message, messages")
def _(api: Api) -> None:
    api.said({"messages": [turn("user", "Good morning."), turn("user", "Say hello.")]})


@check("max-tokens", "A reply has no more tokens than max_tokens.")
def _(api: Api) -> None:
    reply = api.said({**user("Count from one to one hundred, in words."), "max_tokens": 4})
    written = count_of(dictionary(reply.get("usage")).get("output_tokens"), "usage.output_tokens")
    expect(written <= 4, f"usage.output_tokens is {written}, max_tokens was 4")


@check("max-tokens-reason", "A reply that max_tokens has cut says so.", source="Handling stop reasons: max_tokens")
def _(api: Api) -> None:
    hidden = 0
    for most in LIMITS:
        reply = api.said({**user("Count from one to one hundred, in words."), "max_tokens": most})
        written = count_of(dictionary(reply.get("usage")).get("output_tokens"), "usage.output_tokens")
        reason = reply.get("stop_reason")
        expect(reason in STOP_REASONS, f"stop_reason is {reason!r}")
        expect(
            reason != "max_tokens" or written == most, f"stop_reason is max_tokens behind {written} of {most} tokens"
        )
        hidden += reason == "end_turn" and written == most
    # One reply may end by itself at its very limit, and not each of them.
    expect(hidden < len(LIMITS), f"replies of {LIMITS} tokens all end in end_turn, at their limit")


@check("stop-sequences", "A reply ends before a stop sequence.", source="Handling stop reasons: stop_sequence")
def _(api: Api) -> None:
    text = says(api.said(LETTERS))
    found = [letter for letter in LETTERS["stop_sequences"] if letter in text]
    expect(not found, f"the text has {found}: {text!r}")


@check(
    "stop-sequence-named",
    "The stop sequence that ended a reply is named.",
    source="Handling stop reasons: stop_sequence",
)
def _(api: Api) -> None:
    reply = api.said(LETTERS)
    reason, named = reply.get("stop_reason"), reply.get("stop_sequence")
    stopped = reason == "stop_sequence"
    expect(stopped == (named in LETTERS["stop_sequences"]), f"stop_reason is {reason!r}, stop_sequence is {named!r}")


@check("metadata", "metadata.user_id is taken.")
def _(api: Api) -> None:
    api.said({"metadata": {"user_id": "13803d75-b4b5-4c3e-b2a2-6f21399b021b"}})


@check("stream-false", "stream: false asks for one piece.")
def _(api: Api) -> None:
    expect(api.said({"stream": False}).get("type") == "message", "it is no message")


@check("nulls", "stop_reason is never null in a finished reply.")
def _(api: Api) -> None:
    for changes in ({}, LETTERS):
        expect(api.said(changes).get("stop_reason") is not None, "stop_reason is null")


@check("prefill", "A reply may be begun by the client.", source="Prefill the response", needs="prefill")
def _(api: Api) -> None:
    api.said({"messages": [turn("user", "Say hello."), turn("assistant", "Hel")]})


def turn(role: str, text: str) -> dict[str, Any]:
    """A turn of text."""
    return {"role": role, "content": text}


def tokens(message: Any) -> int:
    """All input tokens of a reply, cached or not."""
    usage = dictionary(dictionary(message).get("usage"))
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(count_of(usage.get(name) or 0, f"usage.{name}") for name in names)


def same(api: Api, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two requests come to the same input."""
    first, second = tokens(api.said(one)), tokens(api.said(other))
    expect(first == second, f"{first} input tokens and {second}")


def more(api: Api, less: dict[str, Any], longer: dict[str, Any]) -> None:
    """One request has more input than another."""
    first, second = tokens(api.said(less)), tokens(api.said(longer))
    expect(first < second, f"{first} input tokens, and {second} with more")
