"""Parameters of the vendor-typed tools, as JSON Schemas with the words that the model reads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from antiphon.dialogue.tools import Tool

Schema = Mapping[str, Any]


def text(description: str) -> Schema:
    """A string."""
    return {"type": "string", "description": description}


def choice(description: str, *values: str) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": list(values), "description": description}


def whole(description: str, **bounds: int) -> Schema:
    """A whole number; `bounds` are keywords of the schema."""
    return {"type": "integer", **bounds, "description": description}


def seconds(description: str, most: int) -> Schema:
    """A span of time, fractions allowed."""
    return {"type": "number", "minimum": 0, "maximum": most, "description": description}


def flag(description: str) -> Schema:
    """Yes or no."""
    return {"type": "boolean", "description": description}


def numbers(description: str, count: int, **bounds: int) -> Schema:
    """So many whole numbers."""
    items = {"type": "integer", **bounds}
    return {"type": "array", "items": items, "minItems": count, "maxItems": count, "description": description}


def texts(description: str) -> Schema:
    """Strings, at least one."""
    return {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": description}


def closed(properties: Mapping[str, Schema], required: Sequence[str], **more: Any) -> Schema:
    """An object of these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def tool(name: str, description: str, properties: Mapping[str, Schema], required: Sequence[str], **more: Any) -> Tool:
    """A tool of these parameters."""
    return Tool(name, description, closed(properties, required, **more))


Need = tuple[tuple[str, ...], tuple[str, ...]]
"""The parameters that a command must have, and those that it may have."""


def held(told: Tool, key: str, needs: Mapping[str, Need], bounds: Mapping[str, Schema] | None = None) -> Tool:
    """The tool, whose `key` says what to do, held to the parameters of each command; it is told as before.

    `bounds`: what else parameters are held to.
    """
    commands: dict[Need, list[str]] = {}
    for command, need in needs.items():
        commands.setdefault(need, []).append(command)
    properties = {**told.schema["properties"], **(bounds or {})}
    ways = [
        closed({key: {"enum": names}, **{name: properties[name] for name in (*must, *may)}}, (key, *must))
        for (must, may), names in commands.items()
    ]
    return replace(told, held={"anyOf": ways})


def one_of(told: Tool, *ways: Sequence[str]) -> Tool:
    """The tool, held to one of these sets of parameters beside what it must have; it is told as before."""
    properties, required = told.schema["properties"], told.schema["required"]
    apart = {name for way in ways for name in way}
    shared = {name: schema for name, schema in properties.items() if name not in apart}
    forms = [closed({**{name: properties[name] for name in way}, **shared}, (*required, *way)) for way in ways]
    return replace(told, held={"anyOf": forms})
