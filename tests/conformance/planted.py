"""The faults, one for what each check is about. What each must make fail is in `expected.toml`."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote

from antiphon.conformance.asking import Answer, Asked
from antiphon.conformance.subjects.messages import LIMITS
from antiphon.conformance.subjects.words import LETTERS
from tests.conformance.faults import (
    Edit,
    Events,
    Fault,
    answered,
    asks,
    at,
    block,
    drop,
    each,
    failing,
    header,
    items,
    put,
    stream,
    whole,
    without,
)
from tests.conformance.replay import body_of

TWO_TURNS = [{"role": "user", "content": text} for text in ("Good morning.", "Say hello.")]
COUNT = "/v1/messages/count_tokens"
MODELS, FILES, BATCHES = "/v1/models", "/v1/files", "/v1/messages/batches"


def second_block(events: Events, _: dict[str, Any]) -> Events:
    """A block begins before the first has ended."""
    begins = [event for event in events if event["type"] == "content_block_start"]
    at_ = events.index(begins[0]) + 1 if begins else 0
    extra = {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}
    return [*events[:at_], *([extra] if begins else []), *events[at_:]]


def early_delta(events: Events, _: dict[str, Any]) -> Events:
    """message_delta comes before the blocks."""
    delta = [event for event in events if event["type"] == "message_delta"]
    rest = [event for event in events if event["type"] != "message_delta"]
    return [rest[0], *delta, *rest[1:]]


def cut_letters(message: dict[str, Any], request: dict[str, Any]) -> None:
    """The stop sequence stays in the text."""
    if request.get("stop_sequences"):
        message["content"] = [{"type": "text", "text": "These are letters."}]


def unnamed(message: dict[str, Any], request: dict[str, Any]) -> None:
    """Which sequence it was is not said."""
    if request.get("stop_sequences"):
        message["stop_sequence"] = None


def wordless(message: dict[str, Any], request: dict[str, Any]) -> None:
    """A reply to letters has no stop reason."""
    if request.get("stop_sequences"):
        message.update(stop_reason=None, stop_sequence=None)


def talkative(message: dict[str, Any], request: dict[str, Any]) -> None:
    """max_tokens is not kept."""
    if request.get("max_tokens") == 4:
        message["usage"]["output_tokens"] = 9


def calm(message: dict[str, Any], request: dict[str, Any]) -> None:
    """A cut reply seems to be whole."""
    if request.get("max_tokens") in LIMITS:
        message["stop_reason"] = "end_turn"


def choice_of(request: dict[str, Any]) -> dict[str, Any]:
    """A request's tool_choice; empty where there is none, or it is wrong."""
    choice = request.get("tool_choice")
    return cast("dict[str, Any]", choice) if isinstance(choice, dict) else {}


def is_forced(request: dict[str, Any], kind: str = "") -> bool:
    """Whether a request forces a call."""
    found = choice_of(request).get("type")
    return found == kind if kind else found in ("tool", "any")


def charged(by: Callable[[dict[str, Any], int], int]) -> Edit:
    """The input is counted in another way."""

    def change(message: dict[str, Any], request: dict[str, Any]) -> None:
        message["usage"]["input_tokens"] = by(request, message["usage"]["input_tokens"])

    return change


def parts_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of the last message."""
    content: object = request.get("messages", [{}])[-1].get("content", "")
    return cast("list[dict[str, Any]]", content) if isinstance(content, list) else []


def pictures(request: dict[str, Any]) -> int:
    """How many pictures the last message has."""
    return sum(part.get("type") == "image" for part in parts_of(request))


def ill_input(events: Events, _: dict[str, Any]) -> None:
    """The first piece of a call's input has a brace too many."""
    for event in events:
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "input_json_delta":
            event["delta"]["partial_json"] = "{" + event["delta"]["partial_json"]
            return


def streams_letters(change: Any) -> Any:
    """A change of the stream of a request with stop sequences."""

    def edit(events: Events, request: dict[str, Any]) -> None:
        if request.get("stop_sequences") == LETTERS["stop_sequences"]:
            each("message_delta", change)(events, request)

    return edit


def streams_counts(events: Events, request: dict[str, Any]) -> None:
    """max_tokens is not kept in a stream."""
    if request.get("max_tokens") == 4:
        each("message_delta", put("usage", "output_tokens", value=9))(events, request)


def unsigned(events: Events, _: dict[str, Any]) -> Events:
    """Thoughts end without a signature."""
    return [event for event in events if event.get("delta", {}).get("type") != "signature_delta"]


def calls_twice(message: dict[str, Any], request: dict[str, Any]) -> None:
    """One call too many where there may be one."""
    if choice_of(request).get("disable_parallel_tool_use"):
        message["content"] *= 2


def calls_anyway(message: dict[str, Any], request: dict[str, Any]) -> None:
    """A call where there may be none."""
    if is_forced(request, "none"):
        message["content"] = [{"type": "tool_use", "id": "toolu_9", "name": "conformance_probe", "input": {}}]


def no_call(kind: str) -> Any:
    """A forced call does not come."""

    def change(message: dict[str, Any], request: dict[str, Any]) -> None:
        single = choice_of(request).get("disable_parallel_tool_use")
        if is_forced(request, kind) and not single:
            message["content"] = [{"type": "text", "text": "No."}]

    return change


def shaped(text: str) -> Any:
    """A given format is not kept."""

    def change(message: dict[str, Any], request: dict[str, Any]) -> None:
        if "output_config" in request:
            message["content"] = [{"type": "text", "text": text}]

    return change


def strict_breaks(message: dict[str, Any], request: dict[str, Any]) -> None:
    """A strict tool gets what it has not asked for."""
    if any(tool.get("strict") for tool in request.get("tools", ())):
        message["content"][0]["input"] = {"colour": "blue"}


def thinks_off(message: dict[str, Any], request: dict[str, Any]) -> None:
    """There is a thought where thinking is off."""
    if request.get("thinking") == {"type": "disabled"}:
        message["content"].insert(0, {"type": "thinking", "thinking": "Hm.", "signature": "s"})


def thinks_late(message: dict[str, Any], _: dict[str, Any]) -> None:
    """The thought stands behind the answer."""
    if message["content"] and message["content"][0]["type"] == "thinking":
        message["content"].reverse()


def bad_frame(asked: Asked, answer: Answer) -> Answer:
    """The data of an event is no JSON."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return Answer(
            answer.status, answer.headers, answer.body.replace(b'data: {"type":"content_block_delta"', b"data: {{")
        )
    return answer


def every_id(asked: Asked, answer: Answer) -> dict[str, str]:
    """All request ids are one."""
    return {"request-id": "req_1"}


def counts(*, wrong: int) -> Any:
    """The counts of a batch do not add up."""

    def change(batch: dict[str, Any], _: dict[str, Any]) -> None:
        if "request_counts" in batch:
            batch["request_counts"]["expired"] = wrong

    return change


def result(custom_id: str, value: Any) -> Fault:
    """The result of a request is another one."""

    def change(asked: Asked, answer: Answer) -> Answer:
        if not asked.path.endswith("/results") or answer.status != 200:
            return answer
        rows = [json.loads(line) for line in answer.body.splitlines()]
        for row in rows:
            if row["custom_id"] == custom_id:
                row["result"] = value
        kept = [row for row in rows if row["result"] is not None]
        return replace(answer, body="\n".join(map(json.dumps, kept)).encode())

    return Fault(f"the result of {custom_id} is {value}", change)


def batch_field(name: str, field: str, value: Any, *, when: str = "") -> Fault:
    """A field of a batch, of those in a state."""

    def change(batch: dict[str, Any], _: dict[str, Any]) -> None:
        if batch.get("type") == "message_batch" and batch.get("processing_status") == (
            when or batch["processing_status"]
        ):
            batch[field] = value

    return at(f"a batch {name}", BATCHES, change)


class Restless:
    """Counts one more every second time."""

    def __init__(self) -> None:
        self._times = 0

    def __call__(self, asked: Asked, answer: Answer) -> Answer:
        """The count, changed."""
        if asked.path != COUNT or answer.status != 200:
            return answer
        self._times += 1
        count = json.loads(answer.body)["input_tokens"] + self._times % 2
        return replace(answer, body=b'{"input_tokens": %d}' % count)


restless = Restless()


def begin_anew(asked: Asked, answer: Answer) -> Answer:
    """What is asked behind a model begins with that model."""
    _, behind, id_ = asked.path.partition("after_id=")
    return replace(answer, body=json.dumps({"data": [{"id": unquote(id_)}]}).encode()) if behind else answer


def counts_by(request: dict[str, Any], tokens: int) -> int:
    """A count that has not seen the system prompt."""
    return 12 if "system" in request else tokens


FAULTS: tuple[Fault, ...] = (
    whole("is of another type", put("type", value="completion")),
    whole("is the user's", put("role", value="user")),
    whole("has no id", drop("id")),
    whole("always has one id", put("id", value="msg_1")),
    whole("names no model", drop("model")),
    whole("has a text as its content", put("content", value="Hello.")),
    block("has no type", "text", drop("type")),
    block("has no text", "text", drop("text")),
    whole("ends for a reason of its own", put("stop_reason", value="stop")),
    whole("has no stop_sequence", drop("stop_sequence")),
    whole("does not count its input", drop("usage", "input_tokens")),
    whole("does not count its output", put("usage", "output_tokens", value=0)),
    whole("keeps the stop sequence", cut_letters),
    whole("does not name the stop sequence", unnamed),
    whole("has no stop reason where it was stopped", wordless),
    whole("is longer than max_tokens", talkative),
    whole("hides that it was cut", calm),
    whole("counts blocks more than texts", charged(lambda request, n: n + 3 * bool(parts_of(request)))),
    whole(
        "counts a system prompt of blocks twice",
        charged(lambda request, n: n + 9 * isinstance(request.get("system"), list)),
    ),
    whole("does not count the system prompt", charged(counts_by)),
    whole(
        "counts every text the same",
        charged(
            lambda request, n: (
                12
                if not request.get("tools")
                and len(request["messages"]) == 1
                and not parts_of(request)
                and "system" not in request
                else n
            )
        ),
    ),
    whole(
        "counts the last turn alone",
        charged(
            lambda request, n: (
                10 if len(request["messages"]) == 3 and "tools" not in request and "thinking" not in request else n
            )
        ),
    ),
    whole(
        "does not count tools",
        charged(lambda request, n: 12 if request.get("tools") and len(request["messages"]) == 1 else n),
    ),
    whole(
        "does not count results",
        charged(lambda request, n: 400 if request.get("tools") and len(request["messages"]) == 3 else n),
    ),
    whole("does not count pictures", charged(lambda request, n: 5 if pictures(request) else n)),
    whole("counts one picture alone", charged(lambda request, n: 300 if pictures(request) else n)),
    header(
        "a reply is text/plain",
        lambda asked, answer: (
            {"content-type": "text/plain"} if answer.status == 200 and answer.body.startswith(b"{") else {}
        ),
    ),
    header(
        "a stream is text/plain",
        lambda asked, answer: {"content-type": "text/plain"} if answer.body.startswith(b"event") else {},
    ),
    answered("two turns of the user are refused", asks(messages=TWO_TURNS), 400),
    stream("has other names than types", each("message_delta", put("name", value="completion"))),
    stream("has an event of its own", lambda events, _: [*events[:1], {"type": "progress"}, *events[1:]]),
    stream(
        "has an error in it",
        lambda events, _: [
            *events[:1],
            {"type": "error", "error": {"type": "api_error", "message": "."}},
            *events[1:],
        ],
    ),
    stream("begins twice", lambda events, _: [events[0], *events]),
    stream("has no message_stop", without("message_stop")),
    stream("has no message_delta", without("message_delta")),
    stream("tells its end before its blocks", early_delta),
    stream("opens with the user's message", each("message_start", put("message", "role", value="user"))),
    stream("opens without an id", each("message_start", drop("message", "id"))),
    stream("opens without a model", each("message_start", drop("message", "model"))),
    stream(
        "opens with content", each("message_start", put("message", "content", value=[{"type": "text", "text": ""}]))
    ),
    stream("opens with a stop reason", each("message_start", put("message", "stop_reason", value="end_turn"))),
    stream("opens without its input", each("message_start", drop("message", "usage", "input_tokens"))),
    stream("has another input", each("message_start", put("message", "usage", "input_tokens", value=1))),
    stream("tells no stop reason", each("message_delta", drop("delta", "stop_reason"))),
    stream("tells no stop_sequence", each("message_delta", drop("delta", "stop_sequence"))),
    stream("does not count its output", each("message_delta", drop("usage", "output_tokens"))),
    stream(
        "counts blocks from 1",
        lambda events, _: [
            {**event, **({"index": event["index"] + 1} if "index" in event else {})} for event in events
        ],
    ),
    stream("opens two blocks at once", second_block),
    stream("does not close blocks", without("content_block_stop")),
    stream("opens text with text", each("content_block_start", put("content_block", "text", value="He"))),
    stream("has deltas of another kind", each("content_block_delta", put("delta", "type", value="delta"))),
    stream("has deltas without a text", each("content_block_delta", put("delta", "text", value=None))),
    stream("has no deltas", without("content_block_delta")),
    stream("is longer than max_tokens", streams_counts),
    stream("does not name the stop sequence", streams_letters(put("delta", "stop_sequence", value=None))),
    stream("opens calls without an id", each("content_block_start", drop("content_block", "id"))),
    stream(
        "opens calls with their input",
        each(
            "content_block_start",
            lambda event: (
                event["content_block"].update(input={"colour": "red"})
                if event["content_block"]["type"] == "tool_use"
                else None
            ),
        ),
    ),
    stream("has broken inputs", ill_input),
    stream(
        "ends as if nothing was called",
        each(
            "message_delta",
            lambda event: (
                event["delta"].update(stop_reason="end_turn")
                if event["delta"].get("stop_reason") == "tool_use"
                else None
            ),
        ),
    ),
    stream("does not sign thoughts", unsigned),
    Fault("a stream has data that is no JSON", bad_frame),
    answered("a wrong stream begins all the same", asks(stream=True, max_tokens="many"), 200),
    failing("is no error", put("type", value="failure")),
    failing("names no type", drop("error", "type")),
    failing("says nothing", put("error", "message", value="")),
    failing("says nothing of where", put("error", "message", value="It is wrong.")),
    failing("is of another type", put("error", "type", value="api_error")),
    failing("does not repeat its id", drop("request_id")),
    header("an error is a page", lambda asked, answer: {"content-type": "text/html"} if answer.status >= 400 else {}),
    answered("what is wrong is a 422", lambda asked, answer: answer.status == 400, 422),
    answered("what is not there is a 500", lambda asked, answer: answer.status == 404, 500),
    answered(
        "messages can be fetched", lambda asked, answer: asked.method == "GET" and asked.path == "/v1/messages", 200
    ),
    whole("does not call", no_call("tool")),
    whole("does not call any", no_call("any")),
    block("has no id", "tool_use", drop("id")),
    block("has its input as a text", "tool_use", lambda call: call.update(input="{}")),
    block("names another tool", "tool_use", put("name", value="other")),
    whole(
        "ends as if nothing was called",
        lambda message, _: message.update(stop_reason="end_turn") if message["stop_reason"] == "tool_use" else None,
    ),
    whole(
        "goes on behind a call",
        lambda message, request: (
            message["content"].append({"type": "text", "text": "So."}) if is_forced(request, "tool") else None
        ),
    ),
    whole("calls twice where it may call once", calls_twice),
    whole("calls where it may not", calls_anyway),
    whole("is no JSON where it has to be", shaped("red")),
    whole("is other JSON than it has to be", shaped('{"colour": "blue"}')),
    stream(
        "is no JSON where it has to be",
        lambda events, request: (
            each("content_block_delta", put("delta", "text", value="?"))(events, request)
            if "output_config" in request
            else None
        ),
    ),
    whole("breaks a strict tool's schema", strict_breaks),
    whole("thinks where it may not", thinks_off),
    whole("thinks behind its answer", thinks_late),
    block("has no text", "thinking", drop("thinking")),
    block("has no signature", "thinking", drop("signature")),
    whole("does not tell of the cache", drop("usage", "cache_read_input_tokens")),
    whole("has read a cache unasked", put("usage", "cache_read_input_tokens", value=5)),
    whole("splits what it caches wrongly", put("usage", "cache_creation", value={"ephemeral_5m_input_tokens": 7})),
    whole("counts marks", charged(lambda request, n: n + 4 * ("cache_control" in str(request.get("system"))))),
    stream("opens without the cache", each("message_start", drop("message", "usage", "cache_read_input_tokens"))),
    at("a count is a text", COUNT, put("input_tokens", value="12")),
    at("a count is an answer", COUNT, put("content", value=[])),
    at("a count is far off", COUNT, lambda value, _: value.update(input_tokens=value["input_tokens"] * 3)),
    at("a count is of the last word", COUNT, put("input_tokens", value=3)),
    header("replies have no id", lambda asked, answer: {"request-id": ""}),
    header("all replies have one id", every_id),
    at("there are no models", MODELS, lambda value, _: {"data": [], "has_more": False}, method="GET"),
    at(
        "models are of another type",
        MODELS,
        items("type", "engine"),
    ),
    at("models have no id", MODELS, items("id", "")),
    at(
        "models have no name",
        MODELS,
        items("display_name", ""),
    ),
    at(
        "models have no date",
        MODELS,
        items("created_at", 5),
    ),
    at("a page does not say if there are more", MODELS, drop("has_more")),
    at("a page does not name its ends", MODELS, put("last_id", value="other")),
    at("pages have no limit", f"{MODELS}?limit=1", lambda value, _: {**value, "data": value["data"] * 2}),
    Fault("pages begin anew", begin_anew),
    at("a model is another", f"{MODELS}/", put("id", value="other")),
    at(
        "a file has no id",
        FILES,
        lambda value, _: value.update(id="") if "filename" in value else None,
        method="POST",
    ),
    answered(
        "tools are refused",
        lambda asked, answer: (
            answer.status == 200
            and (
                set(body_of(asked)) == {"model", "max_tokens", "messages", "tools"}
                and len(body_of(asked)["messages"]) == 1
            )
        ),
        400,
    ),
    answered(
        "results are refused", lambda asked, answer: '"tool_result"' in str(asked.body) and answer.status == 200, 400
    ),
    answered(
        "documents are refused", lambda asked, answer: '"document"' in str(asked.body) and answer.status == 200, 400
    ),
    answered(
        "pictures in results are refused",
        lambda asked, answer: '"tool_result"' in str(asked.body) and '"image"' in str(asked.body),
        400,
    ),
    answered(
        "pictures break the server", lambda asked, answer: b'"image"' in asked.body and answer.status == 200, 500
    ),
    Fault("counts change from one time to the next", restless),
    at("a file is of another type", FILES, put("type", value="blob"), method="POST"),
    at("a file has another name", FILES, put("filename", value="upload"), method="POST"),
    at("a file is of no known type", FILES, put("mime_type", value="application/octet-stream"), method="POST"),
    at("a file has another size", FILES, put("size_bytes", value=1), method="POST"),
    at("a file has no date", FILES, put("created_at", value="today"), method="POST"),
    at("a file is found as another", f"{FILES}/", put("id", value="other"), method="GET"),
    at("files are not listed", f"{FILES}?", put("data", value=[]), method="GET"),
    answered("uploads can be downloaded", lambda asked, answer: asked.path.endswith("/content"), 200),
    at("a deleted file does not say so", FILES, put("type", value="file"), method="DELETE"),
    answered(
        "no file is deleted",
        lambda asked, answer: (
            asked.method == "GET" and asked.path.startswith(f"{FILES}/file_0") and answer.status == 404
        ),
        200,
    ),
    at("a batch lacks what is null", BATCHES, lambda batch, _: batch.pop("archived_at", None)),
    batch_field("is of another type", "type", "batch"),
    at("a batch has no id", BATCHES, lambda batch, _: batch.update(id="") if "request_counts" in batch else None),
    batch_field("begins at its end", "results_url", "http://x/", when="in_progress"),
    batch_field("expires when it is made", "expires_at", "2026-02-02T02:40:00+00:00"),
    at("the counts of a batch do not add up", BATCHES, counts(wrong=3)),
    batch_field("does not say when it ended", "ended_at", None, when="ended"),
    result("right", {"type": "errored"}),
    result("wrong", {"type": "succeeded"}),
    result("wrong", None),
    at("batches are not listed", f"{BATCHES}?", put("data", value=[]), method="GET"),
    at("a deleted batch does not say so", BATCHES, put("type", value="message_batch"), method="DELETE"),
)
