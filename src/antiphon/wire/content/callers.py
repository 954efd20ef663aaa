"""Who called a tool. Source: API reference, Programmatic tool calling."""

from typing import Annotated, Literal

from antiphon.wire.base import ByType, WireModel


class DirectCaller(WireModel):
    """The model itself."""

    type: Literal["direct"]


class CodeExecution20250825Caller(WireModel):
    """Code that the model ran; `tool_id` is the id of that call."""

    type: Literal["code_execution_20250825"]
    tool_id: str


class CodeExecution20260120Caller(WireModel):
    """Code that the model ran; `tool_id` is the id of that call."""

    type: Literal["code_execution_20260120"]
    tool_id: str


Caller = Annotated[DirectCaller | CodeExecution20250825Caller | CodeExecution20260120Caller, ByType()]
