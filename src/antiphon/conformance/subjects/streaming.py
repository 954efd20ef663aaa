"""Replies as streams: the frames, the order of their events, and that they add up to the same message."""

import json
from typing import Any, Final

from antiphon.conformance.api import Api
from antiphon.conformance.check import Subject, count_of, dictionary, expect, text_of
from antiphon.conformance.events import Event, deltas, inputs, of_kind, only, texts
from antiphon.conformance.subjects.messages import tokens
from antiphon.conformance.subjects.words import FORCED, LETTERS, STOP_REASONS, user

SUBJECT: Final = Subject("streaming", "Streaming Messages")
check = SUBJECT.check

KINDS: Final = {
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "ping", "error"),
}
BLOCKS: Final = ("content_block_start", "content_block_delta", "content_block_stop")
DELTAS: Final = {"text": {"text_delta", "citations_delta"}, "tool_use": {"input_json_delta"}}


@check("content-type", "A stream is text/event-stream.")
def _(api: Api) -> None:
    kind = api.post(api.request({"stream": True})).kind
    expect(kind == "text/event-stream", f"content-type is {kind!r}")


@check("names", "Each event has its type as its name.")
def _(api: Api) -> None:
    for event in api.heard():
        expect(event.name == event.kind, f"the event {event.name!r} has data of the type {event.kind!r}")


@check("kinds", "Only documented types of events are sent.")
def _(api: Api) -> None:
    unknown = {event.kind for event in api.heard()} - KINDS
    expect(not unknown, f"there are events of the types {sorted(unknown)}")


@check("no-error", "A stream that goes well has no error event.", source="Streaming Messages: Error events")
def _(api: Api) -> None:
    expect(not of_kind(api.heard(), "error"), f"there is {of_kind(api.heard(), 'error')}")


@check("starts", "A stream begins with one message_start.")
def _(api: Api) -> None:
    only(api.heard(), "message_start")
    first = told(api.heard())[0]
    expect(first.kind == "message_start", f"it begins with {first.kind}")


@check("stops", "A stream ends with one message_stop.")
def _(api: Api) -> None:
    only(api.heard(), "message_stop")
    last = told(api.heard())[-1]
    expect(last.kind == "message_stop", f"it ends with {last.kind}")


@check("delta-once", "The end of a message is told in a message_delta.")
def _(api: Api) -> None:
    expect(bool(of_kind(api.heard(), "message_delta")), "there is no message_delta")


@check("delta-place", "message_delta comes behind all blocks and before message_stop.")
def _(api: Api) -> None:
    order = [event.kind for event in told(api.heard())]
    last_block = max((at for at, kind in enumerate(order) if kind in BLOCKS), default=-1)
    expect(last_block < order.index("message_delta") < order.index("message_stop"), f"the order is {order}")


@check("start-type", "message_start holds a message of the assistant.")
def _(api: Api) -> None:
    message = started(api)
    said = (message.get("type"), message.get("role"))
    expect(said == ("message", "assistant"), f"type and role are {said}")


@check("start-id", "message_start tells the id.")
def _(api: Api) -> None:
    text_of(started(api).get("id"), "message.id")


@check("start-model", "message_start tells the model.")
def _(api: Api) -> None:
    text_of(started(api).get("model"), "message.model")


@check("start-empty", "The message of message_start has no content yet.")
def _(api: Api) -> None:
    expect(started(api).get("content") == [], f"its content is {started(api).get('content')!r}")


@check("start-open", "The message of message_start has no stop reason yet.")
def _(api: Api) -> None:
    message = started(api)
    expect(message.get("stop_reason") is None, f"its stop_reason is {message.get('stop_reason')!r}")


@check("start-usage", "message_start tells the tokens of the input.")
def _(api: Api) -> None:
    count_of(dictionary(started(api).get("usage")).get("input_tokens"), "usage.input_tokens", 1)


@check("start-same-input", "A stream and a reply in one piece have the same input.")
def _(api: Api) -> None:
    streamed, whole = tokens(started(api)), tokens(api.said())
    expect(streamed == whole, f"{streamed} input tokens streamed, {whole} in one piece")


@check("delta-reason", "message_delta tells the stop reason.", source="Handling stop reasons")
def _(api: Api) -> None:
    reason = ended(api.heard()).get("stop_reason")
    expect(reason in STOP_REASONS, f"stop_reason is {reason!r}")


@check("delta-sequence", "message_delta has stop_sequence, null where none has stopped the reply.")
def _(api: Api) -> None:
    delta = ended(api.heard())
    expect("stop_sequence" in delta and delta["stop_sequence"] is None, f"the delta is {delta}")


@check("delta-usage", "message_delta tells the tokens of the output.")
def _(api: Api) -> None:
    usage = dictionary(of_kind(api.heard(), "message_delta")[-1].get("usage"))
    count_of(usage.get("output_tokens"), "usage.output_tokens", 1 if texts(api.heard()) else 0)


@check("index", "The indices of blocks count up from 0.")
def _(api: Api) -> None:
    indices = [event.get("index") for event in of_kind(api.heard(), "content_block_start")]
    expect(indices == list(range(len(indices))), f"the indices are {indices}")


@check("one-block", "One block is open at a time, and deltas are those of the open one.")
def _(api: Api) -> None:
    open_: Any = None
    for event in told(api.heard()):
        index = event.data.get("index")
        if event.kind == "content_block_start":
            expect(open_ is None, f"block {index} begins while block {open_} is open")
            open_ = index
        elif event.kind in BLOCKS:
            expect(open_ == index, f"{event.kind} of block {index} while the open one is {open_}")
            open_ = None if event.kind == "content_block_stop" else open_


@check("block-stop", "Every block that begins ends.")
def _(api: Api) -> None:
    events = api.heard()
    begun, over = (of_kind(events, kind) for kind in ("content_block_start", "content_block_stop"))
    expect(len(begun) == len(over), f"{len(begun)} blocks begin, {len(over)} end")


@check("block-empty", "A text block begins with an empty text.")
def _(api: Api) -> None:
    for event in of_kind(api.heard(), "content_block_start"):
        block = dictionary(event.get("content_block"))
        expect(block.get("type") != "text" or block.get("text") == "", f"it begins with {block}")


@check("delta-kinds", "The deltas of a block are of its kind.")
def _(api: Api) -> None:
    of_their_kind(api.heard())


@check("text", "Each text_delta has a text.")
def _(api: Api) -> None:
    for _, delta in deltas(api.heard()):
        if delta.get("type") == "text_delta":
            expect(isinstance(delta.get("text"), str), f"it is {delta}")


@check("says-something", "What is said comes in deltas.")
def _(api: Api) -> None:
    written = dictionary(of_kind(api.heard(), "message_delta")[-1].get("usage")).get("output_tokens")
    blocks = of_kind(api.heard(), "content_block_start")
    expect(not blocks or bool(deltas(api.heard())), f"{len(blocks)} blocks and {written} tokens without a delta")


@check(
    "max-tokens",
    "A stream has no more tokens than max_tokens, and says what cut it.",
    source="Handling stop reasons: max_tokens",
)
def _(api: Api) -> None:
    events = api.heard({**user("Count from one to one hundred, in words."), "max_tokens": 4})
    usage = dictionary(of_kind(events, "message_delta")[-1].get("usage"))
    written, reason = count_of(usage.get("output_tokens"), "usage.output_tokens"), ended(events).get("stop_reason")
    expect(written <= 4, f"usage.output_tokens is {written}, max_tokens was 4")
    expect(reason in STOP_REASONS, f"stop_reason is {reason!r}")
    expect(reason != "max_tokens" or written == 4, f"stop_reason is max_tokens behind {written} of 4 tokens")


@check(
    "stop-sequences",
    "A stream ends before a stop sequence, and names it.",
    source="Handling stop reasons: stop_sequence",
)
def _(api: Api) -> None:
    events = api.heard(LETTERS)
    delta, text = ended(events), texts(events)
    found = [letter for letter in LETTERS["stop_sequences"] if letter in text]
    expect(not found, f"the text has {found}: {text!r}")
    stopped = delta.get("stop_reason") == "stop_sequence"
    expect(stopped == (delta.get("stop_sequence") in LETTERS["stop_sequences"]), f"the delta is {delta}")


@check(
    "tool-start",
    "A call begins with its id, its name and an empty input.",
    source="Streaming Messages: Input JSON delta",
    needs="forced_tools",
)
def _(api: Api) -> None:
    for block in calls(api):
        text_of(block.get("id"), "the call's id")
        expect(block.get("name") == "conformance_probe", f"the call's name is {block.get('name')!r}")
        expect(block.get("input") == {}, f"the call's input begins with {block.get('input')!r}")


@check(
    "tool-input",
    "The pieces of a call's input join to a JSON object.",
    source="Streaming Messages: Input JSON delta",
    needs="forced_tools",
)
def _(api: Api) -> None:
    calls(api)
    of_their_kind(api.heard(FORCED))
    for text in inputs(api.heard(FORCED)):
        try:
            dictionary(json.loads(text or "{}"))
        except ValueError:
            expect(False, f"they join to {text!r}")


@check(
    "tool-reason",
    "A stream with a call ends in tool_use.",
    source="Handling stop reasons: tool_use",
    needs="forced_tools",
)
def _(api: Api) -> None:
    reason = ended(api.heard(FORCED)).get("stop_reason")
    expect(reason == "tool_use", f"stop_reason is {reason!r}")


@check("refused", "A stream of a wrong request is an error with its status, and no stream.", source="Errors")
def _(api: Api) -> None:
    answer = api.post(api.request({"stream": True, "max_tokens": "many"}))
    expect(answer.status == 400, f"the status is {answer.status}")
    expect(answer.kind == "application/json", f"content-type is {answer.kind!r}")


def of_their_kind(events: list[Event]) -> None:
    """Each delta is of the kind of its block."""
    for kind, delta in deltas(events):
        allowed = DELTAS.get(kind)
        expect(allowed is None or delta.get("type") in allowed, f"a {kind} block has a {delta.get('type')}")


def told(events: list[Event]) -> list[Event]:
    """The events without pings, which may come at any time."""
    found = [event for event in events if event.kind != "ping"]
    expect(bool(found), "there is no event")
    return found


def started(api: Api) -> dict[str, Any]:
    """The message that message_start opens."""
    return dictionary(only(api.heard(), "message_start").get("message"))


def ended(events: list[Event]) -> dict[str, Any]:
    """What the last message_delta says."""
    found = of_kind(events, "message_delta")
    expect(bool(found), "there is no message_delta")
    return dictionary(found[-1].get("delta"))


def calls(api: Api) -> list[dict[str, Any]]:
    """The blocks of calls, as they begin."""
    begun = [dictionary(event.get("content_block")) for event in of_kind(api.heard(FORCED), "content_block_start")]
    found = [block for block in begun if block.get("type") == "tool_use"]
    expect(bool(found), f"a call was forced, and the blocks are {[block.get('type') for block in begun]}")
    return found
