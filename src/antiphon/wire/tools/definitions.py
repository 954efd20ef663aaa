"""The tools of a request, one class a tool type, and `tool_choice`. Source: API reference, Tool use.

A family's dated types differ in few keys; each class names its own, so that an unknown key is found out.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeGuard, cast

import orjson
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from antiphon.wire.base import (
    MOST_NESTED,
    ByType,
    CacheMarker,
    Items,
    JsonObject,
    Maybe,
    WireModel,
    complaint,
    within,
)
from antiphon.wire.tools.base import AllowedCaller, ClientTool, Positive
from antiphon.wire.tools.schemas import is_schema
from antiphon.wire.tools.server import (
    Advisor20260301,
    CodeExecution20250522,
    CodeExecution20250825,
    CodeExecution20260120,
    CodeExecution20260521,
    McpToolEntry,
    McpToolset,
    OwnTool,
    ToolSearchBm25,
    ToolSearchRegex,
    WebFetch20250910,
    WebFetch20260209,
    WebFetch20260309,
    WebFetch20260318,
    WebSearch20250305,
    WebSearch20260209,
    WebSearch20260318,
)
from antiphon.wire.tools.toolsets import BrowserToolset20260801, ComputerToolset20260801

__all__ = [
    "Advisor20260301",
    "Bash20241022",
    "Bash20250124",
    "BrowserToolset20260801",
    "CodeExecution20250522",
    "CodeExecution20250825",
    "CodeExecution20260120",
    "CodeExecution20260521",
    "Computer20241022",
    "Computer20250124",
    "Computer20251124",
    "ComputerToolset20260801",
    "CustomTool",
    "McpToolEntry",
    "McpToolset",
    "Memory20250818",
    "OwnTool",
    "TextEditor20241022",
    "TextEditor20250124",
    "TextEditor20250429",
    "TextEditor20250728",
    "Tool",
    "ToolChoice",
    "ToolChoiceAny",
    "ToolChoiceAuto",
    "ToolChoiceNone",
    "ToolChoiceTool",
    "ToolSearchBm25",
    "ToolSearchRegex",
    "WebFetch20250910",
    "WebFetch20260209",
    "WebFetch20260309",
    "WebFetch20260318",
    "WebSearch20250305",
    "WebSearch20260209",
    "WebSearch20260318",
]

# The documents still print 64 for version 2023-06-01; recorded refusals under it say 128.
_LONGEST_NAME: Final = 128

_NAME_CHARACTERS: Final = re.compile(r"[a-zA-Z0-9_-]+")

_PROPERTY_KEY: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def _check_name(name: str) -> str:
    if not name:
        raise complaint("String should have at least 1 character")
    if len(name) > _LONGEST_NAME:
        raise complaint(f"String should have at most {_LONGEST_NAME} characters")
    if not _NAME_CHARACTERS.fullmatch(name):
        raise complaint(f"String should match pattern '^[a-zA-Z0-9_-]{{1,{_LONGEST_NAME}}}$'")
    return name


def _check_input_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        raise complaint("Field required", at=("type",))
    if schema["type"] != "object":
        raise complaint("Input should be 'object'", at=("type",))
    if not schema.keys().isdisjoint(("oneOf", "allOf", "anyOf")):
        raise complaint("input_schema does not support oneOf, allOf, or anyOf at the top level")
    # The API types these two as nullable, which the draft does not know.
    drafted = {k: v for k, v in schema.items() if v is not None or k not in ("properties", "required")}
    properties: object = drafted.get("properties", {})
    if not isinstance(properties, dict):
        raise complaint("Input should be an object", at=("properties",))
    if not all(map(_PROPERTY_KEY.fullmatch, cast("dict[str, object]", properties))):
        raise complaint(f"Property keys should match pattern '^{_PROPERTY_KEY.pattern}$'", at=("properties",))
    if not is_schema(drafted):
        raise complaint(
            "JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12). Learn more about tool use at "
            "https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview."
        )
    return schema


_MOST_OF_A_SCHEMA: Final = 128 * 1024


def can_be_kept(schema: object) -> TypeGuard[dict[str, Any]]:
    """Whether this, from wherever it comes, is what a client's own tool may have as its `input_schema`."""
    if not isinstance(schema, dict) or within(cast("dict[str, Any]", schema), MOST_NESTED):
        return False
    try:
        _check_input_schema(cast("dict[str, Any]", schema))
        return len(orjson.dumps(schema)) <= _MOST_OF_A_SCHEMA
    except (PydanticCustomError, orjson.JSONEncodeError):
        return False


class CustomTool(WireModel):
    """A tool that the client defines and runs; the type of an entry that names none."""

    type: Literal["custom"]
    name: Annotated[str, AfterValidator(_check_name)]
    description: Maybe[str] = None
    input_schema: Annotated[JsonObject, AfterValidator(_check_input_schema)]
    cache_control: CacheMarker | None = None
    strict: Maybe[bool] = None
    defer_loading: Maybe[bool] = None
    allowed_callers: Maybe[Items[AllowedCaller]] = None
    input_examples: Maybe[Items[JsonObject]] = None
    eager_input_streaming: bool | None = None


class Bash20241022(ClientTool):
    """A shell (beta)."""

    type: Literal["bash_20241022"]
    name: Literal["bash"]


class Bash20250124(ClientTool):
    """A shell."""

    type: Literal["bash_20250124"]
    name: Literal["bash"]


class TextEditor20241022(ClientTool):
    """An editor of files (beta)."""

    type: Literal["text_editor_20241022"]
    name: Literal["str_replace_editor"]


class TextEditor20250124(ClientTool):
    """An editor of files."""

    type: Literal["text_editor_20250124"]
    name: Literal["str_replace_editor"]


class TextEditor20250429(ClientTool):
    """An editor of files that cannot undo."""

    type: Literal["text_editor_20250429"]
    name: Literal["str_replace_based_edit_tool"]


class TextEditor20250728(ClientTool):
    """An editor of files that cuts what is too long to view."""

    type: Literal["text_editor_20250728"]
    name: Literal["str_replace_based_edit_tool"]
    max_characters: Positive | None = None


class Memory20250818(ClientTool):
    """A directory of notes that outlives the conversation."""

    type: Literal["memory_20250818"]
    name: Literal["memory"]


class _Computer(ClientTool):
    name: Literal["computer"]
    display_width_px: Positive
    display_height_px: Positive
    display_number: Annotated[int, Field(ge=0)] | None = None


class Computer20241022(_Computer):
    """A screen, a mouse and a keyboard (beta)."""

    type: Literal["computer_20241022"]


class Computer20250124(_Computer):
    """A screen, a mouse and a keyboard, with more actions (beta)."""

    type: Literal["computer_20250124"]


class Computer20251124(_Computer):
    """A screen, a mouse and a keyboard, with zoom (beta)."""

    type: Literal["computer_20251124"]
    enable_zoom: Maybe[bool] = None


Tool = Annotated[
    CustomTool
    | Bash20241022
    | Bash20250124
    | TextEditor20241022
    | TextEditor20250124
    | TextEditor20250429
    | TextEditor20250728
    | Memory20250818
    | Computer20241022
    | Computer20250124
    | Computer20251124
    | ComputerToolset20260801
    | BrowserToolset20260801
    | WebSearch20250305
    | WebSearch20260209
    | WebSearch20260318
    | WebFetch20250910
    | WebFetch20260209
    | WebFetch20260309
    | WebFetch20260318
    | CodeExecution20250522
    | CodeExecution20250825
    | CodeExecution20260120
    | CodeExecution20260521
    | ToolSearchRegex
    | ToolSearchBm25
    | Advisor20260301
    | McpToolset
    | OwnTool,
    ByType(default="custom"),
]


class ToolChoiceAuto(WireModel):
    """The model decides."""

    type: Literal["auto"]
    disable_parallel_tool_use: Maybe[bool] = None


class ToolChoiceAny(WireModel):
    """The model must call a tool, whichever."""

    type: Literal["any"]
    disable_parallel_tool_use: Maybe[bool] = None


class ToolChoiceTool(WireModel):
    """The model must call this tool."""

    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: Maybe[bool] = None


class ToolChoiceNone(WireModel):
    """The model may not call a tool."""

    type: Literal["none"]


ToolChoice = Annotated[ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone, ByType()]
