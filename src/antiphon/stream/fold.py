"""The non-streaming reply: the fold of the stream's events, and the only way to make one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from msgspec import UNSET
from msgspec.structs import replace
from pydantic_core import from_json

from antiphon.errors import ApiError, ErrorType
from antiphon.wire.events import (
    CitationsDeltaBody,
    CompactionDeltaBody,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    DeltaBody,
    ErrorEvent,
    Event,
    InputJsonDeltaBody,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDeltaBody,
    TextDeltaBody,
    ThinkingDeltaBody,
)
from antiphon.wire.reply import (
    CodeCaller,
    DeltaUsage,
    Message,
    ReplyBlock,
    ReplyCompaction,
    ReplyFallback,
    ReplyMcpListing,
    ReplyMcpToolResult,
    ReplyMcpToolUse,
    ReplyServerResult,
    ReplyServerToolUse,
    ReplyText,
    ReplyThinking,
    ReplyToolUse,
    Usage,
)

_THE_SERVERS = (ReplyServerResult, ReplyMcpToolResult, ReplyMcpListing, ReplyFallback)


class FoldError(Exception):
    """The events are not a reply: they end early or break the stream's grammar. A bug of ours."""


@dataclass(slots=True)
class _Block:
    block: ReplyBlock
    text: list[str] = field(default_factory=list[str])
    signature: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, delta: DeltaBody) -> None:
        match self.block, delta:
            case ReplyText(), TextDeltaBody(text=text):
                self.text.append(text)
            case ReplyText(), CitationsDeltaBody(citation=citation):
                self.citations.append(citation)
            case ReplyThinking(), ThinkingDeltaBody(thinking=text):
                self.text.append(text)
            case ReplyThinking(), SignatureDeltaBody(signature=signature):
                self.signature = signature
            case ReplyToolUse() | ReplyServerToolUse() | ReplyMcpToolUse(), InputJsonDeltaBody(partial_json=text):
                self.text.append(text)
            case ReplyCompaction() as block, CompactionDeltaBody(content=content):
                self.block = replace(block, content=content)
            case _:
                raise FoldError(f"a {delta.type} does not belong in a {self.block.type} block")

    @property
    def breaks_off(self) -> bool:
        """Whether this is a call whose input is not whole."""
        if not isinstance(self.block, ReplyToolUse | ReplyServerToolUse | ReplyMcpToolUse):
            return False
        if not isinstance(self.block, ReplyMcpToolUse) and isinstance(self.block.caller, CodeCaller):
            return False
        try:
            orjson.loads("".join(self.text))
        except orjson.JSONDecodeError:
            return True
        return False

    def whole(self, *, cut: bool) -> ReplyBlock:
        """The finished block; a call that was `cut` off holds what is complete of its input."""
        joined = "".join(self.text)
        match self.block:
            case ReplyText() as block:
                cited = self.citations or block.citations
                return replace(block, text=block.text + joined, citations=cited)
            case ReplyThinking() as block:
                return replace(block, thinking=block.thinking + joined, signature=self.signature or block.signature)
            case ReplyToolUse(caller=CodeCaller()) | ReplyServerToolUse(caller=CodeCaller()) as block:
                return block
            case ReplyToolUse() | ReplyServerToolUse() | ReplyMcpToolUse() as block:
                called: ReplyToolUse | ReplyServerToolUse | ReplyMcpToolUse = block
                return replace(called, input=_parse_input(joined, cut=cut))
            case block:
                return block


def _parse_input(text: str, *, cut: bool) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        if not cut:
            raise FoldError(f"a call's input is not JSON: {problem}") from problem
        value = _complete_part(text)
    if not isinstance(value, dict):
        raise FoldError("a call's input is not a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType] - JSON object keys are strings


def _complete_part(text: str) -> Any:
    """What is complete in the beginning of a JSON text, as the official clients read it."""
    try:
        return from_json(text, allow_partial=True)
    except ValueError as problem:
        raise FoldError(f"a call's input is not even the beginning of JSON: {problem}") from problem


_CUTS = frozenset({"max_tokens", "model_context_window_exceeded", "stop_sequence"})


class Folder:
    """Takes a stream's events one by one and ends with the reply that they make."""

    def __init__(self) -> None:
        self._start: Message | None = None
        self._blocks: list[_Block] = []
        self._open: _Block | None = None
        self._end: MessageDelta | None = None
        self._stopped = False

    def add(self, event: Event) -> None:
        """Take the next event. An `error` event is raised as the `ApiError` that it carries."""
        match event:
            case Ping():
                pass
            case ErrorEvent(error=error):
                error_type: ErrorType = error["type"]
                raise ApiError(error_type, error["message"], details=error.get("details"))
            case MessageStart(message=message) if self._start is None:
                self._start = message
            case ContentBlockStart(index=index, content_block=block) if self._may_open(index):
                self._open = _Block(block)
                if isinstance(block, ReplyFallback) and self._start is not None:
                    # As the official clients do: who goes on is whose reply it is.
                    self._start = replace(self._start, model=block.to.model)
            case ContentBlockDelta(index=index, delta=delta) if self._open and index == len(self._blocks):
                self._open.add(delta)
            case ContentBlockStop(index=index) if self._open and index == len(self._blocks):
                self._blocks.append(self._open)
                self._open = None
            case MessageDelta() if self._start and not self._open and not self._stopped:
                self._end = event
            case MessageStop() if (self._end or self._is_filled) and not self._stopped:
                self._stopped = True
            case _:
                raise FoldError(f"a {event.type} event is out of place")

    @property
    def _is_filled(self) -> bool:
        """Whether the reply opened with all that it has."""
        return self._start is not None and self._start.stop_reason is not None

    def _may_open(self, index: int) -> bool:
        if self._is_filled:
            return False
        return self._start is not None and self._open is None and self._end is None and index == len(self._blocks)

    def content(self, begin: int = 0, *, cut: bool = False) -> list[ReplyBlock]:
        """The blocks that are complete, from one of them on; the reply may go on. `cut`: its last call breaks off."""
        last = self._last
        return [block.whole(cut=cut and block is last) for block in self._blocks[begin:]]

    @property
    def breaks_off(self) -> bool:
        """Whether the last block but results is a call whose input is not whole."""
        last = self._last
        return last is not None and last.breaks_off

    @property
    def _last(self) -> "_Block | None":
        """What the model wrote last: a limit cuts nothing else. Results are the server's."""
        return next((each for each in reversed(self._blocks) if not isinstance(each.block, _THE_SERVERS)), None)

    def message(self) -> Message:
        """The finished reply."""
        if self._start is not None and self._is_filled and self._stopped:
            return self._start
        if self._start is None or self._end is None or not self._stopped:
            raise FoldError("the stream ended before its message_stop")
        cut = self._end.delta.stop_reason in _CUTS
        return replace(
            self._start,
            content=self.content(cut=cut),
            stop_reason=self._end.delta.stop_reason,
            stop_sequence=self._end.delta.stop_sequence,
            stop_details=self._end.delta.stop_details,
            container=self._end.delta.container,
            usage=_whole(self._start.usage, self._end.usage),
            context_management=self._end.context_management,
            **_changed(self._end),
        )


def _changed(end: MessageDelta) -> dict[str, Any]:
    told = end.input_transformations
    return {} if told is UNSET else {"input_transformations": told}


def _whole(opened: Usage, ended: DeltaUsage) -> Usage:
    """The reply's usage: the end's counts, and what only the start says."""
    said = {name: getattr(ended, name) for name in ended.__struct_fields__}
    if ended.cache_creation is UNSET:
        said["cache_creation"] = opened.cache_creation
    return replace(opened, **said)


def fold(events: Iterable[Event]) -> Message:
    """The reply that a whole stream makes."""
    folder = Folder()
    for event in events:
        folder.add(event)
    return folder.message()
