"""The content blocks of a message, one class a kind. Which role may carry which block is a rule, not a shape.

Keys that only replies carry (`caller`, `citations: null`, `toolset_name`) are part of the shape, because
clients send a reply's blocks back as they are. Source: API reference, Messages.
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, model_validator

from antiphon.wire.base import (
    BARE,
    BetaChoices,
    ByKind,
    ByType,
    CacheMarker,
    Items,
    JsonObject,
    Maybe,
    OrOwnName,
    WireModel,
    complaint,
    context_of,
)
from antiphon.wire.content.callers import (
    Caller,
    CodeExecution20250825Caller,
    CodeExecution20260120Caller,
    DirectCaller,
)
from antiphon.wire.content.documents import BrowserStateBlock, DocumentBlock, SearchResultBlock, ToolReferenceBlock
from antiphon.wire.content.inline import ImageBlock, TextBlock
from antiphon.wire.content.results import (
    AdvisorToolResultBlock,
    BashCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    OwnResultBlock,
    TextEditorCodeExecutionToolResultBlock,
    ToolSearchToolResultBlock,
    WebFetchToolResultBlock,
    WebSearchToolResultBlock,
)
from antiphon.wire.gates import ADVISOR, COMPACT_ON_DEMAND
from antiphon.wire.tools.definitions import McpToolEntry, Tool

__all__ = [
    "AdvisorToolResultBlock",
    "BashCodeExecutionToolResultBlock",
    "Block",
    "BrowserStateBlock",
    "Caller",
    "CodeExecution20250825Caller",
    "CodeExecution20260120Caller",
    "CodeExecutionToolResultBlock",
    "CompactionBlock",
    "ContainerUploadBlock",
    "DirectCaller",
    "DocumentBlock",
    "FallbackBlock",
    "FallbackHop",
    "ImageBlock",
    "McpToolListingBlock",
    "McpToolReference",
    "McpToolResultBlock",
    "McpToolUseBlock",
    "McpToolsetReference",
    "OwnResultBlock",
    "RedactedThinkingBlock",
    "ResultContent",
    "SearchResultBlock",
    "ServerToolUseBlock",
    "TextBlock",
    "TextEditorCodeExecutionToolResultBlock",
    "ThinkingBlock",
    "ToolAdditionBlock",
    "ToolChange",
    "ToolDefinition",
    "ToolNameReference",
    "ToolReferenceBlock",
    "ToolRemovalBlock",
    "ToolResultBlock",
    "ToolSearchToolResultBlock",
    "ToolUseBlock",
    "WebFetchToolResultBlock",
    "WebSearchToolResultBlock",
]

ResultContent = Annotated[
    TextBlock | ImageBlock | SearchResultBlock | DocumentBlock | ToolReferenceBlock | BrowserStateBlock, ByType()
]


class ToolResultBlock(WireModel):
    """What a client tool answered. Without `content` the tool answered nothing."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: Maybe[Annotated[str | Items[ResultContent], ByKind()]] = None
    is_error: Maybe[bool] = None
    toolset_name: str | None = None
    cache_control: CacheMarker | None = None

    @model_validator(mode="after")
    def _kinds(self) -> Self:
        if self.is_error and not self.content:
            raise complaint("content cannot be empty if `is_error` is true")
        kinds = {block.type for block in self.content} if isinstance(self.content, list) else set[str]()
        if self.is_error and kinds - {"text"}:
            raise complaint("all content must be type `text` if `is_error` is true")
        if "search_result" in kinds and len(kinds) > 1:
            raise complaint("all content must be type `search_result` if one block is")
        return self


class ToolUseBlock(WireModel):
    """A call of a client tool; `input` keeps the order of its keys."""

    type: Literal["tool_use"]
    id: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]+$")]
    name: str
    input: JsonObject
    caller: Caller | None = None
    toolset_name: str | None = None
    cache_control: CacheMarker | None = None


class ThinkingBlock(WireModel):
    """A run of the model's reasoning, with its seal."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(WireModel):
    """A run of reasoning that only the server can read."""

    type: Literal["redacted_thinking"]
    data: str


class ServerToolUseBlock(WireModel):
    """A call of a tool that runs inside the server."""

    type: Literal["server_tool_use"]
    id: Annotated[str, StringConstraints(pattern=r"^srvtoolu_[a-zA-Z0-9_]+$")]
    name: Annotated[
        Literal[
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search_tool_regex",
            "tool_search_tool_bm25",
            "advisor",
        ],
        BetaChoices({"advisor": ADVISOR}),
        OrOwnName(),
    ]
    input: JsonObject
    caller: Caller | None = None
    cache_control: CacheMarker | None = None


class ContainerUploadBlock(WireModel):
    """A file that is put into the code execution container."""

    type: Literal["container_upload"]
    file_id: str
    cache_control: CacheMarker | None = None


class McpToolUseBlock(WireModel):
    """A call of a tool of an MCP server (beta)."""

    type: Literal["mcp_tool_use"]
    id: str
    name: str
    server_name: str
    input: JsonObject
    cache_control: CacheMarker | None = None


class McpToolResultBlock(WireModel):
    """What a tool of an MCP server answered (beta)."""

    type: Literal["mcp_tool_result"]
    tool_use_id: str
    content: Maybe[Annotated[str | Items[Annotated[TextBlock | ImageBlock, ByType()]], ByKind()]] = None
    is_error: Maybe[bool] = None
    cache_control: CacheMarker | None = None


class McpToolListingBlock(WireModel):
    """The tools that an MCP server had when an earlier reply was made (beta)."""

    type: Literal["mcp_tool_listing"]
    mcp_server_name: str
    tools: Items[McpToolEntry]


class ToolNameReference(WireModel):
    """A tool by its name."""

    type: Literal["tool_reference"]
    name: str


class McpToolReference(WireModel):
    """A tool of an MCP server by its name."""

    type: Literal["mcp_tool_reference"]
    server_name: str
    name: str


class McpToolsetReference(WireModel):
    """All tools of an MCP server."""

    type: Literal["mcp_toolset_reference"]
    server_name: str


class ToolDefinition(WireModel):
    """A tool that `tools` does not hold."""

    type: Literal["tool_definition"]
    definition: Tool


class ToolAdditionBlock(WireModel):
    """A tool is there from here on (beta, in system messages)."""

    type: Literal["tool_addition"]
    tool: Annotated[
        ToolNameReference | McpToolReference | McpToolsetReference | ToolDefinition,
        ByType(),
    ]
    cache_control: CacheMarker | None = None


class ToolRemovalBlock(WireModel):
    """A tool is gone from here on (beta, in system messages)."""

    type: Literal["tool_removal"]
    tool: Annotated[ToolNameReference | McpToolReference | McpToolsetReference, ByType()]
    cache_control: CacheMarker | None = None


ToolChange = Annotated[ToolAdditionBlock | ToolRemovalBlock, ByType()]


def _signature_unlocked(value: object, info: ValidationInfo) -> object:
    context = context_of(info)
    if value is not None and context is not None and not context.unlocks(COMPACT_ON_DEMAND):
        (header,) = COMPACT_ON_DEMAND
        raise complaint(f"`signature` requires anthropic-beta: {header}", kind=BARE)
    return value


class CompactionBlock(WireModel):
    """The summary that stands for the conversation so far (beta); `content` null: compaction failed."""

    type: Literal["compaction"]
    content: Annotated[str, StringConstraints(min_length=1)] | None = None
    encrypted_content: str | None = None
    signature: Annotated[str | None, BeforeValidator(_signature_unlocked)] = None
    tool_changes: Items[ToolChange] | None = None
    cache_control: CacheMarker | None = None


class FallbackHop(WireModel):
    """One side of a change of models."""

    model: str


class FallbackBlock(WireModel):
    """Where another model took over (beta). `trigger` is what the reply said; nobody reads it."""

    type: Literal["fallback"]
    from_: FallbackHop = Field(alias="from")
    to: FallbackHop
    trigger: JsonObject | None = None


Block = Annotated[
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ToolResultBlock
    | ToolUseBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ServerToolUseBlock
    | WebSearchToolResultBlock
    | WebFetchToolResultBlock
    | CodeExecutionToolResultBlock
    | BashCodeExecutionToolResultBlock
    | TextEditorCodeExecutionToolResultBlock
    | ToolSearchToolResultBlock
    | ContainerUploadBlock
    | AdvisorToolResultBlock
    | McpToolUseBlock
    | McpToolResultBlock
    | McpToolListingBlock
    | CompactionBlock
    | FallbackBlock
    | ToolAdditionBlock
    | ToolRemovalBlock
    | OwnResultBlock,
    ByType(),
]
