"""What is said, as the conventions for generative AI write it down: messages of parts.

Only for owners who ask for it. Pictures and documents are named and left out.
Source: OpenTelemetry semantic conventions for GenAI, `gen_ai.input.messages`, `gen_ai.output.messages`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import orjson

from antiphon.dialogue.events import (
    CallArguments,
    CallStart,
    CodeCall,
    ReasoningDelta,
    ReplyEvent,
    ServerAnswer,
    TextDelta,
)

MOST: Final = 256 * 1024
"""Bytes of one attribute, about: spans wait in memory for a collector that may not be there."""

_FILES: Final = ("image", "document")

Part = dict[str, Any]


def input_messages(body: Mapping[str, Any]) -> str:
    """The conversation; of a long one as many of its last messages as there is room for."""
    kept: list[bytes] = []
    room = MOST
    for message in reversed(_listed(body.get("messages"))):
        told = _written(lambda said=message: {"role": said.get("role"), "parts": parts_of(said.get("content"))})
        room -= len(told)
        if room < 0 or not told:
            break
        kept.append(told)
    return f"[{b','.join(reversed(kept)).decode()}]"


def system_instructions(body: Mapping[str, Any]) -> str | None:
    """The system prompt; None where there is none, or no room for it."""
    said = body.get("system")
    return _fitting(_written(lambda: parts_of(said))) if said else None


def arguments_of(value: Mapping[str, Any]) -> str | None:
    """The input of a call; None where there is no room for it."""
    return _fitting(_written(lambda: value))


def parts_of(content: object) -> list[Part]:
    """A message's content, which is a text or a list of blocks."""
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    return [_part(block) for block in _listed(content)]


def _written(make: Callable[[], object]) -> bytes:
    """A value as JSON; nothing where it is deeper than can be written."""
    try:
        return orjson.dumps(make(), default=str)
    except (orjson.JSONEncodeError, RecursionError):
        return b""


def _fitting(told: bytes) -> str | None:
    return told.decode() if 0 < len(told) <= MOST else None


def _part(block: Mapping[str, Any]) -> Part:
    kind = str(block.get("type"))
    if kind == "text":
        return {"type": "text", "content": block.get("text")}
    if kind == "thinking":
        return {"type": "reasoning", "content": block.get("thinking")}
    if kind.endswith("tool_use"):
        return _call(block.get("id"), block.get("name"), block.get("input"))
    if kind.endswith("tool_result"):
        return _response(block.get("tool_use_id"), block.get("content"))
    return {"type": kind}


def _call(id_: object, name: object, arguments: object) -> Part:
    return {"type": "tool_call", "id": id_, "name": name, "arguments": arguments}


def _response(id_: object, content: object) -> Part:
    return {"type": "tool_call_response", "id": id_, "response": _without_files(content)}


def _without_files(value: object) -> object:
    if isinstance(value, Mapping):
        held = cast("Mapping[str, object]", value)
        if held.get("type") in _FILES:
            return {"type": held["type"]}
        return {name: _without_files(inner) for name, inner in held.items()}
    if isinstance(value, list | tuple):
        return [_without_files(inner) for inner in cast("Sequence[object]", value)]
    return value


def _listed(content: object) -> list[Mapping[str, Any]]:
    members = cast("Sequence[object]", content) if isinstance(content, list) else ()
    return [cast("Mapping[str, Any]", member) for member in members if isinstance(member, Mapping)]


class Heard:
    """Puts down what is said in a reply, up to a bound."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._open: list[str] = []
        self._size = 0

    def hear(self, events: Sequence[ReplyEvent]) -> None:
        """This happens."""
        for event in events:
            if self._size <= MOST:
                self._hear(event)

    def _hear(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text):
                self._say("text", text)
            case ReasoningDelta(text) if text:
                self._say("reasoning", text)
            case CallStart(id_, name):
                self._begin(_call(id_, name, None))
            case CallArguments(piece):
                self._more(piece)
            case CodeCall(id_, name, value):
                self._whole(lambda: _call(id_, name, value))
            case ServerAnswer(call_id, _, content):
                self._whole(lambda: _response(call_id, content))
            case _:
                pass

    def messages(self, reason: str) -> str:
        """All of it, as the one message that a reply is."""
        self._close()
        told = {"role": "assistant", "parts": self._parts, "finish_reason": reason}
        return orjson.dumps([told], default=str).decode()

    def _whole(self, make: Callable[[], Part]) -> None:
        size = len(_written(make))
        self._size += size
        if size and self._size <= MOST:
            self._begin(make())

    def _say(self, kind: str, text: str) -> None:
        if not self._parts or self._parts[-1]["type"] != kind:
            self._begin({"type": kind, "content": ""})
        self._more(text)

    def _more(self, text: str) -> None:
        self._open.append(text)
        self._size += len(text)

    def _begin(self, part: Part) -> None:
        self._close()
        self._parts.append(part)

    def _close(self) -> None:
        said, self._open = "".join(self._open), []
        if not self._parts or not said:
            return
        last = self._parts[-1]
        if last["type"] != "tool_call":
            last["content"] = said
            return
        try:
            value: object = orjson.loads(said)
        except orjson.JSONDecodeError:  # the call breaks off
            value = said
        last["arguments"] = value if _written(lambda: value) else said
