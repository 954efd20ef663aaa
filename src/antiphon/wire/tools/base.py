"""What the tool types have in common. Source: API reference, Tool use."""

from typing import Annotated, Literal

from pydantic import Field

from antiphon.wire.base import CacheMarker, Items, JsonObject, Maybe, WireModel

AllowedCaller = Literal["direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521"]

Positive = Annotated[int, Field(ge=1)]


class ToolOptions(WireModel):
    """The keys that nearly every tool takes."""

    cache_control: CacheMarker | None = None
    strict: Maybe[bool] = None
    defer_loading: Maybe[bool] = None
    allowed_callers: Maybe[Items[AllowedCaller]] = None


class ClientTool(ToolOptions):
    """A tool that the client runs, with inputs to show the model how it is called."""

    input_examples: Maybe[Items[JsonObject]] = None
