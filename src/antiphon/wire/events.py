"""The named events of a stream, one type each. No behaviour.

Grammar (held by `stream.encoder`): message_start, then blocks that never overlap (start, deltas, stop, indexes
counting up), then message_delta, message_stop; `ping` anywhere, and once behind the first block's start; `error` may
replace the rest.
"""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from antiphon.wire.reply import DeltaUsage, Message, ReplyBlock, ReplyModel, StopReason


class TextDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """More text of the open text block."""

    type: Literal["text_delta"] = "text_delta"
    text: str


class CitationsDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """One more citation of the open text block."""

    type: Literal["citations_delta"] = "citations_delta"
    citation: dict[str, Any]


class InputJsonDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """More of the open call's input, as a piece of JSON text."""

    type: Literal["input_json_delta"] = "input_json_delta"
    partial_json: str


class ThinkingDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """More of the open thinking block.

    `estimated_tokens` (beta): about so many more tokens were thought, where the thinking itself is not shown.
    """

    type: Literal["thinking_delta"] = "thinking_delta"
    thinking: str
    estimated_tokens: int | UnsetType | None = UNSET


class SignatureDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """The seal of the open thinking block; once, right before it stops."""

    type: Literal["signature_delta"] = "signature_delta"
    signature: str


class CompactionDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """The whole summary of the open compaction block (beta); once."""

    type: Literal["compaction_delta"] = "compaction_delta"
    content: str | None
    encrypted_content: str | None = None


DeltaBody = (
    TextDeltaBody
    | CitationsDeltaBody
    | InputJsonDeltaBody
    | ThinkingDeltaBody
    | SignatureDeltaBody
    | CompactionDeltaBody
)


class MessageStart(ReplyModel, frozen=True, kw_only=True):
    """The reply opens: no content yet, the input side of its usage final."""

    type: Literal["message_start"] = "message_start"
    message: Message


class ContentBlockStart(ReplyModel, frozen=True, kw_only=True):
    """A block opens, empty (`text: ""`, `input: {}`)."""

    type: Literal["content_block_start"] = "content_block_start"
    index: int
    content_block: ReplyBlock


class ContentBlockDelta(ReplyModel, frozen=True, kw_only=True):
    """The open block grows."""

    type: Literal["content_block_delta"] = "content_block_delta"
    index: int
    delta: DeltaBody


class ContentBlockStop(ReplyModel, frozen=True, kw_only=True):
    """The open block is complete."""

    type: Literal["content_block_stop"] = "content_block_stop"
    index: int


class MessageDeltaBody(ReplyModel, frozen=True, kw_only=True):
    """What the reply's end says of the whole."""

    stop_reason: StopReason
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    container: dict[str, Any] | None = None


class MessageDelta(ReplyModel, frozen=True, kw_only=True):
    """The reply's end; `usage` is cumulative. `input_transformations` only where another model has gone on than the
    one that the reply opened with."""

    type: Literal["message_delta"] = "message_delta"
    delta: MessageDeltaBody
    usage: DeltaUsage
    context_management: dict[str, Any] | UnsetType | None = UNSET
    input_transformations: list[dict[str, Any]] | UnsetType = UNSET


class MessageStop(ReplyModel, frozen=True, kw_only=True):
    """Nothing follows."""

    type: Literal["message_stop"] = "message_stop"


class Ping(ReplyModel, frozen=True, kw_only=True):
    """The connection lives."""

    type: Literal["ping"] = "ping"


class ErrorEvent(ReplyModel, frozen=True, kw_only=True):
    """The reply failed after its first byte; nothing follows."""

    type: Literal["error"] = "error"
    error: dict[str, Any]
    request_id: str


EVENT_TYPES = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
)

Event = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
)
