"""The bodies of `POST /v1/messages` and `POST /v1/messages/count_tokens`.

The fields stand in the order in which the API looks at them, since only a request's first problem is reported.
Source: API reference, Messages; order as measured on the real service.
"""

from typing import Annotated, Final, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, model_validator

from antiphon.wire.base import (
    BARE,
    ByKind,
    CacheMarker,
    Items,
    Maybe,
    WireModel,
    beta_field,
    complaint,
    context_of,
    version_field,
)
from antiphon.wire.content.blocks import Block
from antiphon.wire.content.inline import TextBlock
from antiphon.wire.gates import (
    BILLING_POLICY,
    CLEAR_AT,
    CLEARING,
    COMPACT_AT_THRESHOLD,
    COMPACT_ON_DEMAND,
    FALLBACK,
    FALLBACK_CREDIT,
    MCP_SERVERS,
    OUTPUT_FORMAT,
    THREADS,
    TURN_OUTPUT_CONFIG,
)
from antiphon.wire.settings import (
    BillingPolicy,
    Compaction,
    Container,
    ContextManagement,
    Diagnostics,
    FallbackCreditToken,
    Fallbacks,
    JsonSchemaFormat,
    McpServer,
    Metadata,
    OutputConfig,
    Thinking,
    Thread,
    TurnOutputConfig,
)
from antiphon.wire.tools.definitions import Tool, ToolChoice

MOST_MESSAGES: Final = 100_000
REGIONS: Final = ("global", "us")


def _at_least_zero(number: int) -> int:
    if number < 0:
        raise complaint("must be greater than or equal to 0")
    return number


def _share(number: float) -> float:
    if not 0 <= number <= 1:
        raise complaint("range: 0..1")
    return number


def _region(name: str) -> str:
    if name not in REGIONS:
        raise complaint(f"must be one of {list(REGIONS)}")
    return name


def _not_blank(sequences: list[str]) -> list[str]:
    if not all(map(str.strip, sequences)):
        raise complaint("each stop sequence must contain non-whitespace")
    return sequences


_Count = Annotated[int, AfterValidator(_at_least_zero)]
_Share = Annotated[float, AfterValidator(_share)]
_Model = Annotated[str, StringConstraints(min_length=1)]


def _summaries_unlocked(value: object, info: ValidationInfo) -> object:
    # The one beta key whose error names its header.
    context = context_of(info)
    if context is not None and not context.unlocks(COMPACT_ON_DEMAND):
        (header,) = COMPACT_ON_DEMAND
        raise complaint(f"`compaction` requires anthropic-beta: {header}", kind=BARE)
    return value


class InputMessage(WireModel):
    """One message. `clear_at` and `output_config` belong to system messages (beta).

    A system message with an `output_config` may leave out its content: it says nothing and changes a setting.
    """

    role: str
    content: Annotated[str | Items[Block], ByKind()]
    clear_at: Annotated[Literal["next_user_message", "never"] | None, beta_field(CLEAR_AT)] = None
    output_config: Annotated[TurnOutputConfig | None, beta_field(TURN_OUTPUT_CONFIG)] = None

    @model_validator(mode="before")
    @classmethod
    def _directive(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, dict) or "content" in value:
            return cast("object", value)
        message = cast("dict[str, object]", value)
        context = context_of(info)
        unlocked = context is None or context.unlocks(TURN_OUTPUT_CONFIG)
        if unlocked and message.get("role") == "system" and message.get("output_config"):
            return {**message, "content": []}
        return message


_Messages = Annotated[Items[InputMessage], Field(max_length=MOST_MESSAGES)]
_System = Annotated[str | Items[TextBlock], ByKind()]


class CreateMessage(WireModel):
    """A request for a reply. What may be null or left out is None here."""

    model: _Model
    tool_choice: Maybe[ToolChoice] = None
    tools: Maybe[Items[Tool]] = None
    messages: _Messages
    system: Maybe[_System] = None
    thinking: Maybe[Thinking] = None
    output_config: Maybe[OutputConfig] = None
    cache_control: CacheMarker | None = None
    max_tokens: _Count
    metadata: Maybe[Metadata] = None
    stop_sequences: Maybe[Annotated[Items[str], AfterValidator(_not_blank)]] = None
    temperature: Annotated[Maybe[_Share], version_field("2023-06-01")] = None
    service_tier: Maybe[Literal["auto", "standard_only"]] = None
    top_k: Annotated[Maybe[_Count], version_field("2023-06-01")] = None
    top_p: Annotated[Maybe[_Share], version_field("2023-06-01")] = None
    stream: Maybe[bool] = None
    container: Container | None = None
    inference_geo: Annotated[str, AfterValidator(_region)] | None = None
    speed: Literal["standard", "fast"] | None = None
    diagnostics: Diagnostics | None = None
    context_management: Annotated[ContextManagement | None, beta_field(CLEARING | COMPACT_AT_THRESHOLD)] = None
    compaction: Annotated[Compaction | None, BeforeValidator(_summaries_unlocked)] = None
    mcp_servers: Annotated[Maybe[Items[McpServer]], beta_field(MCP_SERVERS)] = None
    fallbacks: Annotated[Fallbacks | None, beta_field(FALLBACK)] = None
    fallback_credit_token: Annotated[FallbackCreditToken | None, beta_field(FALLBACK_CREDIT)] = None
    thread: Annotated[Thread | None, beta_field(THREADS)] = None
    billing_policy: Annotated[BillingPolicy | None, beta_field(BILLING_POLICY)] = None
    output_format: Annotated[JsonSchemaFormat | None, beta_field(OUTPUT_FORMAT)] = None


class CountTokens(WireModel):
    """A request for the size of a prompt. `compaction` and `billing_policy` change nothing."""

    model: _Model
    tool_choice: Maybe[ToolChoice] = None
    tools: Maybe[Items[Tool]] = None
    messages: _Messages
    system: Maybe[_System] = None
    thinking: Maybe[Thinking] = None
    output_config: Maybe[OutputConfig] = None
    cache_control: CacheMarker | None = None
    speed: Literal["standard", "fast"] | None = None
    context_management: Annotated[ContextManagement | None, beta_field(CLEARING | COMPACT_AT_THRESHOLD)] = None
    compaction: Annotated[Compaction | None, BeforeValidator(_summaries_unlocked)] = None
    mcp_servers: Annotated[Maybe[Items[McpServer]], beta_field(MCP_SERVERS)] = None
    billing_policy: Annotated[BillingPolicy | None, beta_field(BILLING_POLICY)] = None
