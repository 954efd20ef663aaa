"""Message threads: a request that goes on with a kept conversation is made whole before anything else is known of it.

What is kept of a request is what a client would send again: its system prompt, its tools, its messages and the reply.
A continued request becomes the request that the whole conversation would have been, so that there is one road for
both: the same rules, the same prompt, and errors that name places in the conversation, not in its newest part.

Source: Message threads page; official SDK, thread helper.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import orjson
from pydantic import TypeAdapter, ValidationError

from antiphon.errors import ApiError, InvalidRequest
from antiphon.request.attribution import without_attribution
from antiphon.wire.base import WireContext
from antiphon.wire.gates import THREADS
from antiphon.wire.reply import ReplyBlock, ReplyCompaction
from antiphon.wire.settings import Thread, ThreadContinue, ThreadCreate

_THREAD: Final = TypeAdapter[ThreadCreate | ThreadContinue](Thread)

_GIVEN_ONCE: Final = ("system", "tools")
"""What only the first request of a thread says."""

_KEPT: Final = (*_GIVEN_ONCE, "output_config", "output_format", "messages")

_BLOCKS: Final = frozenset({"content", "source", "tool", "definition", "tool_references"})
"""The keys under which blocks stand: a marker in anything else is the client's own data."""

_REPLAY: Final = 'the full conversation with thread: {"type": "create"} to start a new Thread.'

Conversation = Mapping[str, Any]
"""What is kept, as the wire has it."""


def thread_of(document: Mapping[str, Any], context: WireContext) -> ThreadCreate | ThreadContinue | None:
    """What a request says of its thread; None where it says nothing, or nothing that has the right shape."""
    asked = document.get("thread")
    if asked is None or not context.unlocks(THREADS):
        return None
    try:
        return _THREAD.validate_python(asked, context=context)
    except ValidationError:
        return None


def kept(document: Mapping[str, Any], reply: Sequence[ReplyBlock]) -> bytes:
    """What is kept of a whole request and the reply to it. A reply that says nothing is no message.

    A summary that was asked for is sent back in place of what it stands for. Cache markers of messages are left out:
    who goes on marks what is new, and old ones would use up the four that a request may have.
    """
    conversation = {name: document[name] for name in _KEPT if document.get(name) is not None}
    summarized = document.get("compaction") is not None and any(isinstance(block, ReplyCompaction) for block in reply)
    messages = [] if summarized else cast("list[Any]", _unmarked(document["messages"]))
    if reply:
        messages.append({"role": "assistant", "content": msgspec.to_builtins(reply)})
    return orjson.dumps({**conversation, "messages": messages})


def conversation_of(data: bytes) -> Conversation | None:
    """What was kept; None for anything else."""
    try:
        found: object = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(cast("dict[str, Any]", found).get("messages"), list):
        return None
    return cast("dict[str, Any]", found)


def joined(conversation: Conversation, document: Mapping[str, Any]) -> dict[str, Any]:
    """The request that sends all of the conversation, of one that sends only what is new."""
    whole = {name: value for name, value in document.items() if name not in _GIVEN_ONCE}
    whole |= {name: conversation[name] for name in _GIVEN_ONCE if name in conversation}
    if isinstance(new := document.get("messages"), list):
        whole["messages"] = [*conversation["messages"], *cast("list[Any]", new)]
    return whole


def differing(conversation: Conversation, document: Mapping[str, Any]) -> list[str]:
    """The fields that must stay as they were and do not: of `system` and `tools`, what is said again; of
    `output_config`, all of it."""
    found: list[str] = []
    if (said := _texts(document.get("system"))) and said != _texts(conversation.get("system")):
        found.append("system")
    if "tools" in document and _tools(document["tools"]) != _tools(conversation.get("tools")):
        found.append("tools")
    if _output(document) != _output(conversation):
        found.append("output_config")
    return found


def not_found() -> ApiError:
    """The conversation is not kept, or no longer: the answer that makes clients send all of it."""
    return ApiError(
        "not_found_error",
        f"No thread state was found for the requested `previous_message_id`. Replay {_REPLAY}",
        details={"error_code": "thread_not_found"},
    )


def already_continued() -> InvalidRequest:
    """A reply is gone on from once."""
    return _refusal(
        "thread_already_continued",
        "The requested `previous_message_id` has already been continued. Continue from the latest response, "
        f"or replay {_REPLAY}",
    )


def in_flight() -> InvalidRequest:
    """Another request goes on from this reply at this moment."""
    return _refusal(
        "thread_continue_in_flight",
        f"A request that continues the requested `previous_message_id` is in flight. Let it end, or replay {_REPLAY}",
    )


def mismatch(fields: Sequence[str]) -> InvalidRequest:
    """Fields that must stay as they were do not."""
    return _refusal(
        "thread_fingerprint_mismatch",
        f"thread: the request does not match the stored Thread; differing field(s): {', '.join(fields)}. Send the "
        f"stored values, or replay {_REPLAY}",
    )


def unsupported() -> InvalidRequest:
    """This server keeps no conversations: the answer that makes clients do without threads."""
    return _refusal(
        "thread_unsupported_request",
        "thread: message threads are not kept by this server. Send the full conversation without `thread`.",
    )


def _refusal(code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, details={"error_code": code})


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {name: _unmarked(item) if name in _BLOCKS else item for name, item in items if name != "cache_control"}
    return value


def _texts(system: Any) -> list[Any]:
    """A system prompt as its texts, less what changes with every request and is told to no model."""
    blocks = cast("list[Any]", system if isinstance(system, list) else [] if system is None else [system])
    texts = [cast("dict[str, Any]", block).get("text") if isinstance(block, dict) else block for block in blocks]
    told = [without_attribution(text) if isinstance(text, str) else text for text in texts]
    return [text for text in told if text != ""]


def _tools(tools: Any) -> Any:
    if not isinstance(tools, list):
        return tools or []
    return [
        _tool(cast("dict[str, Any]", tool)) if isinstance(tool, dict) else tool for tool in cast("list[Any]", tools)
    ]


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in tool.items() if value is not None and name != "cache_control"}
    return {"type": "custom", **said}


def _output(request: Mapping[str, Any]) -> Any:
    config = request.get("output_config")
    if config is not None and not isinstance(config, dict):
        return config
    legacy = {"format": request.get("output_format")}
    said = {**legacy, **cast("dict[str, Any]", config or {})}
    return {name: value for name, value in said.items() if value is not None}
