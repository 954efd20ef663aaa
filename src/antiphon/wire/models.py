"""The model list: what each model name says of itself. No behaviour."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from antiphon.wire.reply import ReplyModel


class Supported(ReplyModel, frozen=True, kw_only=True):
    """Whether a capability is there."""

    supported: bool


class Capabilities(ReplyModel, frozen=True, kw_only=True):
    """What a request to the model may ask for, on this server, today."""

    batch: Supported
    citations: Supported
    code_execution: Supported
    image_input: Supported
    pdf_input: Supported
    structured_outputs: Supported
    compaction: dict[str, Any]
    context_management: dict[str, Any]
    effort: dict[str, Any]
    server_tools: dict[str, Any]
    thinking: dict[str, Any]


class ModelInfo(ReplyModel, frozen=True, kw_only=True):
    """One model of the list. `allowed_fallback_models` only for who asks under the header of fallbacks (beta)."""

    type: Literal["model"] = "model"
    id: str
    display_name: str
    created_at: str
    lifecycle: Literal["active", "deprecated", "retired"]
    line: str | None
    max_input_tokens: int
    max_tokens: int
    deprecated_at: str | None = None
    retires_at: str | None = None
    capabilities: Capabilities
    allowed_fallback_models: list[str] | UnsetType = UNSET


class ModelPage(ReplyModel, frozen=True, kw_only=True):
    """A page of the list, newest first."""

    data: list[ModelInfo] = msgspec.field(default_factory=list[ModelInfo])
    has_more: bool
    first_id: str | None
    last_id: str | None
