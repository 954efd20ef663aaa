"""What a finished reply says: the `message` object, its content blocks and its usage. No behaviour.

What is sent is msgspec's, what is received pydantic's: a stream makes two objects an event, and these cost a
twentieth. Keys that the API leaves out when they do not apply are `UNSET`; keys that it sends as null are None.
Source: API reference, Messages; wire order of the real service.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
]


ServerResultType = Literal[
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "advisor_tool_result",
]


class ReplyModel(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that the server sends."""


class DirectCaller(ReplyModel, frozen=True, kw_only=True):
    """The model itself called the tool."""

    type: Literal["direct"] = "direct"


class CodeCaller(ReplyModel, frozen=True, kw_only=True):
    """Code that the model ran called the tool; `tool_id` is the id of that call."""

    type: Literal["code_execution_20260120"] = "code_execution_20260120"
    tool_id: str


class ReplyText(ReplyModel, frozen=True, kw_only=True):
    """Text of the answer; `citations` only where the request asked for them."""

    type: Literal["text"] = "text"
    text: str
    citations: list[dict[str, Any]] | UnsetType = UNSET


class ReplyThinking(ReplyModel, frozen=True, kw_only=True):
    """One run of reasoning with its seal; `thinking` is empty where the client is not shown it."""

    type: Literal["thinking"] = "thinking"
    thinking: str
    signature: str


class ReplyRedactedThinking(ReplyModel, frozen=True, kw_only=True):
    """One run of reasoning that the client cannot read; `data` seals it."""

    type: Literal["redacted_thinking"] = "redacted_thinking"
    data: str


class ReplyToolUse(ReplyModel, frozen=True, kw_only=True):
    """A call of a client tool; `toolset_name` only where the tool is a toolset's member."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    toolset_name: str | UnsetType = UNSET
    input: dict[str, Any]
    caller: DirectCaller | CodeCaller = msgspec.field(default_factory=DirectCaller)


class ReplyServerToolUse(ReplyModel, frozen=True, kw_only=True):
    """A call of a tool that runs inside the server; one of Python, and one that code makes, names its caller."""

    type: Literal["server_tool_use"] = "server_tool_use"
    id: str
    name: str
    input: dict[str, Any]
    caller: DirectCaller | CodeCaller | UnsetType = UNSET


class ReplyServerResult(ReplyModel, frozen=True, kw_only=True):
    """What such a call came to; `type` is the tool's own. What a search among tools found names no caller."""

    type: ServerResultType
    tool_use_id: str
    content: Any
    caller: DirectCaller | CodeCaller | UnsetType = msgspec.field(default_factory=DirectCaller)


class ReplyMcpToolUse(ReplyModel, frozen=True, kw_only=True):
    """A call of a tool of an MCP server (beta)."""

    type: Literal["mcp_tool_use"] = "mcp_tool_use"
    id: str
    name: str
    input: dict[str, Any]
    server_name: str


class ReplyMcpToolResult(ReplyModel, frozen=True, kw_only=True):
    """What such a call came to (beta)."""

    type: Literal["mcp_tool_result"] = "mcp_tool_result"
    tool_use_id: str
    is_error: bool
    content: list[dict[str, Any]]


class ReplyMcpListing(ReplyModel, frozen=True, kw_only=True):
    """The tools that an MCP server has, for a client that sends them back (beta)."""

    type: Literal["mcp_tool_listing"] = "mcp_tool_listing"
    mcp_server_name: str
    tools: list[dict[str, Any]]


class ReplyCompaction(ReplyModel, frozen=True, kw_only=True):
    """The summary that stands for the conversation so far (beta). `content` null: no summary came about.

    `signature` only where the summary was asked for; `tool_changes` only where there were changes.
    """

    type: Literal["compaction"] = "compaction"
    content: str | None
    signature: str | UnsetType = UNSET
    tool_changes: list[dict[str, Any]] | UnsetType = UNSET


class FallbackModel(ReplyModel, frozen=True, kw_only=True):
    """One side of a change of models."""

    model: str


class FallbackTrigger(ReplyModel, frozen=True, kw_only=True):
    """Why a model was changed: it has declined. `category` null: none of the API's fits."""

    type: Literal["refusal"] = "refusal"
    category: str | None


class ReplyFallback(ReplyModel, frozen=True, kw_only=True):
    """Where another model goes on (beta)."""

    type: Literal["fallback"] = "fallback"
    from_: FallbackModel = msgspec.field(name="from")
    to: FallbackModel
    trigger: FallbackTrigger


ReplyBlock = (
    ReplyText
    | ReplyThinking
    | ReplyRedactedThinking
    | ReplyToolUse
    | ReplyServerToolUse
    | ReplyServerResult
    | ReplyMcpToolUse
    | ReplyMcpToolResult
    | ReplyMcpListing
    | ReplyCompaction
    | ReplyFallback
)


class CacheCreation(ReplyModel, frozen=True, kw_only=True):
    """Tokens written to the prompt cache, by time to live; the sum is `cache_creation_input_tokens`."""

    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class OutputTokensDetails(ReplyModel, frozen=True, kw_only=True):
    """How the output tokens divide: `thinking_tokens` is what the model thought, not what the client was shown."""

    thinking_tokens: int = 0


class ServerToolUsage(ReplyModel, frozen=True, kw_only=True):
    """How often server tools ran."""

    web_search_requests: int = 0
    web_fetch_requests: int = 0


class IterationUsage(ReplyModel, frozen=True, kw_only=True):
    """Token counts of one piece of work for a reply (beta). `model` only where more than one may have worked."""

    type: Literal["message", "compaction", "fallback_message"]
    model: str | UnsetType = UNSET
    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation: CacheCreation = msgspec.field(default_factory=CacheCreation)


class Usage(ReplyModel, frozen=True, kw_only=True):
    """Token counts of one reply. The whole prompt is input + cache_creation + cache_read, a disjoint partition.

    A finished reply may have the details: `output_tokens_details` where its model name thinks, `server_tool_use`
    where one ran. `iterations` (beta): piece by piece; summaries of the conversation are counted nowhere else.
    `fallback_credit` (beta): what came of the token that the request brought.
    """

    input_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation: CacheCreation = msgspec.field(default_factory=CacheCreation)
    output_tokens: int
    output_tokens_details: OutputTokensDetails | UnsetType = UNSET
    server_tool_use: ServerToolUsage | UnsetType = UNSET
    service_tier: Literal["standard", "priority", "batch"] = "standard"
    inference_geo: str = "not_available"
    iterations: list[IterationUsage] | UnsetType = UNSET
    fallback_credit: dict[str, Any] | UnsetType = UNSET


class DeltaUsage(ReplyModel, frozen=True, kw_only=True):
    """What the end of a stream says of the reply's usage: the counts, and nothing of how it was served.

    `cache_creation` only where the reply is sent in one piece, whose usage has it.
    """

    input_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation: CacheCreation | UnsetType = UNSET
    output_tokens: int
    output_tokens_details: OutputTokensDetails | UnsetType = UNSET
    server_tool_use: ServerToolUsage | UnsetType = UNSET
    iterations: list[IterationUsage] | UnsetType = UNSET
    fallback_credit: dict[str, Any] | UnsetType = UNSET


class Diagnostics(ReplyModel, frozen=True, kw_only=True):
    """Why the prompt of an earlier reply could not be gone on from; `cache_missed_input_tokens` is an estimate."""

    cache_miss_reason: dict[str, Any] | None


class Message(ReplyModel, frozen=True, kw_only=True):
    """A reply: whole, or as `message_start` opens it (no content, `stop_reason` null).

    `container` and `diagnostics` are null where there is nothing to tell; `context_management` is there for requests
    with its header, null until the reply ends.
    """

    model: str
    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    content: list[ReplyBlock] = msgspec.field(default_factory=list[ReplyBlock])
    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    container: dict[str, Any] | None = None
    usage: Usage
    context_management: dict[str, Any] | UnsetType | None = UNSET
    diagnostics: Diagnostics | None = None
    input_transformations: list[dict[str, Any]] | UnsetType = UNSET


class TokenCount(ReplyModel, frozen=True, kw_only=True):
    """The reply of `count_tokens`."""

    input_tokens: int
    context_management: dict[str, Any] | UnsetType | None = UNSET
