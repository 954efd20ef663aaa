"""Tools, calls and results as engine-side values: no wire types, no text format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from antiphon.dialogue.content import Content


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call: what it is told of it.

    `schema` is a JSON Schema of type object, keys in the client's order. `strict`: the input must satisfy it whole.
    `deferred`: the model is told of it
    where a result finds it or a system message adds it, not at the beginning. `withdrawn`: the model was told of it,
    and may not call it now. `held`: the schema that decoding holds the input to, where that is narrower than what the
    model is told.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    examples: tuple[Mapping[str, Any], ...] = ()
    strict: bool = False
    deferred: bool = False
    withdrawn: bool = False
    held: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolChange:
    """What changes here in the model's tools: those that are there from now on, the names of those that are gone."""

    added: tuple[Tool, ...] = ()
    removed: tuple[str, ...] = ()


class Choice(Struct, frozen=True):
    """What the model may and must do with its tools. `name` only with `tool`. `parallel`: several calls are fine."""

    mode: Literal["auto", "any", "tool", "none"] = "auto"
    name: str | None = None
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A call that an assistant turn made."""

    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to; `text` is everything that the model can read of it. `name` is the called tool's.

    `found`: the names of deferred tools that it tells the model of. `parts`: what it came to, in order, where that is
    more than text; `text` is empty then.
    """

    call_id: str
    name: str
    text: str
    is_error: bool = False
    found: tuple[str, ...] = ()
    parts: tuple[Content, ...] = ()
