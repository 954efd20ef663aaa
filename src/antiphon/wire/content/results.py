"""The result blocks of server tools, as clients send them back. Source: API reference, server tools.

A failed call is a result too: its content is an error object with the tool's own codes.
"""

from typing import Annotated, Literal

from antiphon.wire.base import ByKind, ByType, CacheMarker, Items, JsonValue, WireModel
from antiphon.wire.content.callers import Caller
from antiphon.wire.content.documents import DocumentBlock, ToolReferenceBlock


class WebSearchResult(WireModel):
    """One page that was found."""

    type: Literal["web_search_result"]
    url: str
    title: str
    encrypted_content: str
    page_age: str | None = None


class WebSearchError(WireModel):
    """The search failed."""

    type: Literal["web_search_tool_result_error"]
    error_code: Literal[
        "invalid_tool_input",
        "unavailable",
        "max_uses_exceeded",
        "too_many_requests",
        "query_too_long",
        "request_too_large",
    ]


class WebSearchToolResultBlock(WireModel):
    """What a web search found."""

    type: Literal["web_search_tool_result"]
    tool_use_id: str
    content: Annotated[WebSearchError | Items[WebSearchResult], ByKind()]
    caller: Caller | None = None
    cache_control: CacheMarker | None = None


class WebFetchResult(WireModel):
    """A page that was fetched."""

    type: Literal["web_fetch_result"]
    url: str
    content: DocumentBlock
    retrieved_at: str | None = None


class WebFetchError(WireModel):
    """The fetch failed."""

    type: Literal["web_fetch_tool_result_error"]
    error_code: Literal[
        "invalid_tool_input",
        "url_too_long",
        "url_not_allowed",
        "url_not_in_prior_context",
        "url_not_accessible",
        "unsupported_content_type",
        "too_many_requests",
        "max_uses_exceeded",
        "unavailable",
        "content_too_large",
    ]


class WebFetchToolResultBlock(WireModel):
    """What a web fetch brought."""

    type: Literal["web_fetch_tool_result"]
    tool_use_id: str
    content: Annotated[WebFetchResult | WebFetchError, ByType()]
    caller: Caller | None = None
    cache_control: CacheMarker | None = None


class CodeExecutionOutput(WireModel):
    """A file that the code left."""

    type: Literal["code_execution_output"]
    file_id: str


class CodeExecutionResult(WireModel):
    """What the code printed."""

    type: Literal["code_execution_result"]
    stdout: str
    stderr: str
    return_code: int
    content: Items[CodeExecutionOutput]


class EncryptedCodeExecutionResult(WireModel):
    """What the code printed, where the client may not read it."""

    type: Literal["encrypted_code_execution_result"]
    encrypted_stdout: str
    stderr: str
    return_code: int
    content: Items[CodeExecutionOutput]


class CodeExecutionError(WireModel):
    """The code could not be run."""

    type: Literal["code_execution_tool_result_error"]
    error_code: Literal["invalid_tool_input", "unavailable", "too_many_requests", "execution_time_exceeded"]


class CodeExecutionToolResultBlock(WireModel):
    """What a piece of code did."""

    type: Literal["code_execution_tool_result"]
    tool_use_id: str
    content: Annotated[CodeExecutionResult | EncryptedCodeExecutionResult | CodeExecutionError, ByType()]
    cache_control: CacheMarker | None = None


class BashCodeExecutionOutput(WireModel):
    """A file that the command left."""

    type: Literal["bash_code_execution_output"]
    file_id: str


class BashCodeExecutionResult(WireModel):
    """What the command printed."""

    type: Literal["bash_code_execution_result"]
    stdout: str
    stderr: str
    return_code: int
    content: Items[BashCodeExecutionOutput]


class BashCodeExecutionError(WireModel):
    """The command could not be run."""

    type: Literal["bash_code_execution_tool_result_error"]
    error_code: Literal[
        "invalid_tool_input",
        "unavailable",
        "too_many_requests",
        "execution_time_exceeded",
        "output_file_too_large",
    ]


class BashCodeExecutionToolResultBlock(WireModel):
    """What a shell command did."""

    type: Literal["bash_code_execution_tool_result"]
    tool_use_id: str
    content: Annotated[BashCodeExecutionResult | BashCodeExecutionError, ByType()]
    cache_control: CacheMarker | None = None


class TextEditorViewResult(WireModel):
    """A file, or a part of it."""

    type: Literal["text_editor_code_execution_view_result"]
    file_type: Literal["text", "image", "pdf"]
    content: str
    num_lines: int | None = None
    start_line: int | None = None
    total_lines: int | None = None


class TextEditorCreateResult(WireModel):
    """A file was written."""

    type: Literal["text_editor_code_execution_create_result"]
    is_file_update: bool


class TextEditorReplaceResult(WireModel):
    """A file was changed; the lines are those of the difference."""

    type: Literal["text_editor_code_execution_str_replace_result"]
    lines: Items[str] | None = None
    new_lines: int | None = None
    new_start: int | None = None
    old_lines: int | None = None
    old_start: int | None = None


class TextEditorError(WireModel):
    """The editor could not do it."""

    type: Literal["text_editor_code_execution_tool_result_error"]
    error_code: Literal[
        "invalid_tool_input", "unavailable", "too_many_requests", "execution_time_exceeded", "file_not_found"
    ]
    error_message: str | None = None


class TextEditorCodeExecutionToolResultBlock(WireModel):
    """What the text editor did."""

    type: Literal["text_editor_code_execution_tool_result"]
    tool_use_id: str
    content: Annotated[
        TextEditorViewResult | TextEditorCreateResult | TextEditorReplaceResult | TextEditorError, ByType()
    ]
    cache_control: CacheMarker | None = None


class ToolSearchResult(WireModel):
    """The deferred tools that were found."""

    type: Literal["tool_search_tool_search_result"]
    tool_references: Items[ToolReferenceBlock]


class ToolSearchError(WireModel):
    """The search failed."""

    type: Literal["tool_search_tool_result_error"]
    error_code: Literal["invalid_tool_input", "unavailable", "too_many_requests", "execution_time_exceeded"]
    error_message: str | None = None


class ToolSearchToolResultBlock(WireModel):
    """What a search among deferred tools found."""

    type: Literal["tool_search_tool_result"]
    tool_use_id: str
    content: Annotated[ToolSearchResult | ToolSearchError, ByType()]
    cache_control: CacheMarker | None = None


class OwnResultBlock(WireModel):
    """What a tool answered that this server's owner has added."""

    type: str
    tool_use_id: str
    content: JsonValue
    caller: Caller | None = None
    cache_control: CacheMarker | None = None


class AdvisorResult(WireModel):
    """The advisor's answer."""

    type: Literal["advisor_result"]
    text: str
    stop_reason: str | None = None


class AdvisorRedactedResult(WireModel):
    """The advisor's answer, where the client may not read it."""

    type: Literal["advisor_redacted_result"]
    encrypted_content: str
    stop_reason: str | None = None


class AdvisorError(WireModel):
    """The advisor gave no answer."""

    type: Literal["advisor_tool_result_error"]
    error_code: Literal[
        "max_uses_exceeded",
        "prompt_too_long",
        "too_many_requests",
        "overloaded",
        "unavailable",
        "execution_time_exceeded",
        "model_not_found",
    ]


class AdvisorToolResultBlock(WireModel):
    """What another model advised (beta)."""

    type: Literal["advisor_tool_result"]
    tool_use_id: str
    content: Annotated[AdvisorResult | AdvisorRedactedResult | AdvisorError, ByType()]
    cache_control: CacheMarker | None = None
